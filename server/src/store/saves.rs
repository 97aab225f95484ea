//! The journal of saves: what was accepted, how far it came, and why it waits.

use sqlx::sqlite::SqliteConnection;
use stackseal_core::Timestamp;
use stackseal_model::api::{Save, SaveState, SaveStep, SavedFile};
use stackseal_model::name::{MemberName, NamespaceName, StackName};
use stackseal_model::problem::Problem;
use stackseal_model::stack::{Chart, MemberKind};

use crate::store::{Store, Write};

/// A file of a save, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalFile {
    /// Manifest or add-on.
    pub(crate) kind: MemberKind,
    /// Its name.
    pub(crate) name: MemberName,
    /// Namespace to deploy to.
    pub(crate) namespace: Option<NamespaceName>,
    /// For an add-on, its chart.
    pub(crate) chart: Option<Chart>,
    /// What becomes `encrypted_paths`.
    pub(crate) marks: Vec<String>,
    /// Path in the repository.
    pub(crate) path: String,
    /// Blob that the person began from.
    pub(crate) base_blob: Option<String>,
    /// Blob of the text.
    pub(crate) blob: String,
    /// The sealed text; empty once the remote has it, or the save was discarded.
    pub(crate) text: Vec<u8>,
}

/// A save to be journalled.
#[derive(Clone, Debug)]
pub(crate) struct NewSave {
    /// Identifier.
    pub(crate) id: String,
    /// The stack.
    pub(crate) stack: StackName,
    /// What the stack is for, when the save makes it.
    pub(crate) description: String,
    /// Who saves.
    pub(crate) actor: String,
    /// The request.
    pub(crate) request_id: String,
    /// The branch as known now.
    pub(crate) base_commit: Option<String>,
    /// The files.
    pub(crate) files: Vec<JournalFile>,
}

/// A save as the worker takes it up.
#[derive(Clone, Debug)]
pub(crate) struct Journalled {
    /// What was accepted.
    pub(crate) save: NewSave,
    /// Its place in the journal.
    pub(crate) seq: i64,
    /// How far it has come.
    pub(crate) state: SaveState,
    /// Why it waits.
    pub(crate) reason: Option<Problem>,
    /// The newest commit built for it.
    pub(crate) commit: Option<String>,
    /// Whether a push was begun whose outcome is unknown.
    pub(crate) push_open: bool,
    /// What was sent so far.
    pub(crate) pushes: Pushes,
}

/// The pushes of a save that were begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pushes {
    /// How many.
    pub(crate) count: i64,
    /// When the last one was begun; 0 if none was.
    pub(crate) last: i64,
}

impl Pushes {
    /// Whether a push that was not answered may be repeated by itself: soon at first, then rarely, so
    /// that there comes a time when none can be under way.
    pub(crate) fn may_send_again(self, now: i64) -> bool {
        self.count < SOON || now >= self.last.saturating_add(2 * LONG)
    }

    /// Whether the last one was begun so long ago that nothing of it can be under way.
    pub(crate) fn are_over(self, now: i64) -> bool {
        now >= self.last.saturating_add(LONG)
    }
}

/// A change of a save's row.
#[derive(Clone, Debug)]
pub(crate) struct Progress<'a> {
    /// The state reached.
    pub(crate) state: SaveState,
    /// Why it waits or conflicts.
    pub(crate) reason: Option<&'a Problem>,
    /// The commit; `None` keeps the one known.
    pub(crate) commit: Option<&'a str>,
    /// Whether a push is begun and its outcome unknown.
    pub(crate) push_open: bool,
}

/// seq, id, stack, state, reason, commit_id
type SaveRow = (i64, String, String, String, Option<String>, Option<String>);
/// seq, id, stack, description, actor, request_id, state, reason, base_commit, commit_id, push_open
type WorkRow = (
    i64,
    String,
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    bool,
);
/// kind, name, namespace, chart, marks, path, base_blob, blob, text
type FileRow = (
    String,
    String,
    Option<String>,
    Option<String>,
    String,
    String,
    Option<String>,
    String,
    Vec<u8>,
);

impl Store {
    /// A save as the page sees it.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn save(&self, id: &str) -> Result<Option<Save>, sqlx::Error> {
        let mut connection = self.read().acquire().await?;
        let row: Option<SaveRow> = sqlx::query_as(
            "SELECT seq, id, stack, state, reason, commit_id FROM save WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
        match row {
            Some(row) => Ok(Some(complete(&mut connection, row).await?)),
            None => Ok(None),
        }
    }

    /// The newest saves, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn newest_saves(&self, limit: i64) -> Result<Vec<Save>, sqlx::Error> {
        let mut connection = self.read().acquire().await?;
        let rows: Vec<SaveRow> = sqlx::query_as(
            "SELECT seq, id, stack, state, reason, commit_id FROM save ORDER BY seq DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
        let mut saves = Vec::with_capacity(rows.len());
        for row in rows {
            saves.push(complete(&mut connection, row).await?);
        }
        Ok(saves)
    }

    /// The save and body digest that an idempotency key stands for.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn idempotent(
        &self,
        key: &str,
    ) -> Result<Option<(Vec<u8>, String)>, sqlx::Error> {
        sqlx::query_as(
            "SELECT i.digest, s.id FROM idempotency i JOIN save s ON s.seq = i.save WHERE i.key = $1",
        )
        .bind(key)
        .fetch_optional(self.read())
        .await
    }

    /// Ids of the saves that are neither pushed nor decided, in the order accepted.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn unfinished_saves(&self) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT id FROM save WHERE state IN ('accepted', 'committed', 'pending') ORDER BY seq",
        )
        .fetch_all(self.read())
        .await
    }

    /// Whether a save was ever pushed.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn has_pushed(&self) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM save WHERE state = 'pushed')")
            .fetch_one(self.read())
            .await
    }

    /// Stacks that saves on their way would make, with what they are for, in the order accepted.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn coming_stacks(&self) -> Result<Vec<(StackName, String)>, sqlx::Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT stack, description FROM save
             WHERE seq IN (SELECT min(seq) FROM save
                           WHERE state IN ('accepted', 'committed', 'pending') GROUP BY stack)
             ORDER BY seq",
        )
        .fetch_all(self.read())
        .await?;
        let parse = |(name, description): (String, String)| {
            Ok((StackName::parse(&name).map_err(decode)?, description))
        };
        rows.into_iter().map(parse).collect()
    }

    /// A save with its texts, to be worked on.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn journalled(&self, id: &str) -> Result<Option<Journalled>, sqlx::Error> {
        let mut connection = self.read().acquire().await?;
        let row: Option<WorkRow> = sqlx::query_as(
            "SELECT seq, id, stack, description, actor, request_id, state, reason, base_commit,
                    commit_id, push_open
             FROM save WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (
            seq,
            id,
            stack,
            description,
            actor,
            request_id,
            state,
            reason,
            base_commit,
            commit,
            push_open,
        ) = row;
        let files: Vec<FileRow> = sqlx::query_as(
            "SELECT kind, name, namespace, chart, marks, path, base_blob, blob, text
             FROM save_file WHERE save = $1 ORDER BY position",
        )
        .bind(seq)
        .fetch_all(&mut *connection)
        .await?;
        let (count, last): (i64, i64) = sqlx::query_as(
            "SELECT count(*), coalesce(max(at), 0) FROM save_step WHERE save = $1 AND state = $2",
        )
        .bind(seq)
        .bind(state_text(SaveState::Committed))
        .fetch_one(&mut *connection)
        .await?;
        let stack = StackName::parse(&stack).map_err(decode)?;
        let files = files.into_iter().map(file).collect::<Result<_, _>>()?;
        Ok(Some(Journalled {
            save: NewSave {
                id,
                stack,
                description,
                actor,
                request_id,
                base_commit,
                files,
            },
            seq,
            state: parse_state(&state)?,
            reason: parse_reason(reason)?,
            commit,
            push_open,
            pushes: Pushes { count, last },
        }))
    }
}

/// How many bytes of text the saves hold that are neither pushed nor discarded.
///
/// # Errors
/// When the database fails.
pub(crate) async fn waiting_bytes(writing: &mut Write) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce(sum(length(f.text)), 0) FROM save s JOIN save_file f ON f.save = s.seq
         WHERE s.state IN ('accepted', 'committed', 'conflict', 'pending')",
    )
    .fetch_one(&mut **writing)
    .await
}

/// Journals a save with its first step. Answers with its place.
///
/// # Errors
/// When the database fails.
pub(crate) async fn add_save(
    writing: &mut Write,
    save: &NewSave,
    now: i64,
) -> Result<i64, sqlx::Error> {
    let seq: i64 = sqlx::query_scalar(
        "INSERT INTO save (id, stack, description, actor, request_id, state, base_commit)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING seq",
    )
    .bind(&save.id)
    .bind(save.stack.as_str())
    .bind(&save.description)
    .bind(&save.actor)
    .bind(&save.request_id)
    .bind(state_text(SaveState::Accepted))
    .bind(&save.base_commit)
    .fetch_one(&mut **writing)
    .await?;
    for (position, file) in (0_i64..).zip(&save.files) {
        sqlx::query(
            "INSERT INTO save_file
                 (save, position, kind, name, namespace, chart, marks, path, base_blob, blob, text)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(seq)
        .bind(position)
        .bind(file.kind.as_str())
        .bind(file.name.as_str())
        .bind(file.namespace.as_ref().map(NamespaceName::as_str))
        .bind(
            file.chart
                .as_ref()
                .map(serde_json::to_string)
                .transpose()
                .map_err(encode)?,
        )
        .bind(serde_json::to_string(&file.marks).map_err(encode)?)
        .bind(&file.path)
        .bind(&file.base_blob)
        .bind(&file.blob)
        .bind(&file.text)
        .execute(&mut **writing)
        .await?;
    }
    add_step(writing, seq, SaveState::Accepted, now).await?;
    Ok(seq)
}

/// Remembers which save an idempotency key stands for.
///
/// # Errors
/// When the database fails, or the key is taken.
pub(crate) async fn add_idempotency(
    writing: &mut Write,
    key: &str,
    digest: &[u8],
    save: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO idempotency (key, digest, save) VALUES ($1, $2, $3)")
        .bind(key)
        .bind(digest)
        .bind(save)
        .execute(&mut **writing)
        .await
        .map(drop)
}

/// Records how far a save has come; a step is added when its state is another one.
///
/// # Errors
/// When the database fails.
pub(crate) async fn advance(
    writing: &mut Write,
    seq: i64,
    progress: &Progress<'_>,
    now: i64,
) -> Result<(), sqlx::Error> {
    let state = state_text(progress.state);
    let reason = progress
        .reason
        .map(serde_json::to_string)
        .transpose()
        .map_err(encode)?;
    let before: String = sqlx::query_scalar("SELECT state FROM save WHERE seq = $1")
        .bind(seq)
        .fetch_one(&mut **writing)
        .await?;
    sqlx::query(
        "UPDATE save SET state = $1, reason = $2, commit_id = coalesce($3, commit_id), push_open = $4
         WHERE seq = $5",
    )
    .bind(state)
    .bind(reason)
    .bind(progress.commit)
    .bind(progress.push_open)
    .bind(seq)
    .execute(&mut **writing)
    .await?;
    // its text is of no use any more
    if matches!(progress.state, SaveState::Pushed | SaveState::Discarded) {
        sqlx::query("UPDATE save_file SET text = x'' WHERE save = $1")
            .bind(seq)
            .execute(&mut **writing)
            .await?;
    }
    if before != state {
        add_step(writing, seq, progress.state, now).await?;
    }
    Ok(())
}

async fn add_step(
    writing: &mut Write,
    seq: i64,
    state: SaveState,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO save_step (save, position, state, at)
         SELECT $1, coalesce(max(position), 0) + 1, $2, $3 FROM save_step WHERE save = $1",
    )
    .bind(seq)
    .bind(state_text(state))
    .bind(now)
    .execute(&mut **writing)
    .await
    .map(drop)
}

async fn complete(connection: &mut SqliteConnection, row: SaveRow) -> Result<Save, sqlx::Error> {
    let (seq, id, stack, state, reason, commit) = row;
    let steps: Vec<(String, i64)> =
        sqlx::query_as("SELECT state, at FROM save_step WHERE save = $1 ORDER BY position")
            .bind(seq)
            .fetch_all(&mut *connection)
            .await?;
    let files: Vec<(String, String)> =
        sqlx::query_as("SELECT path, blob FROM save_file WHERE save = $1 ORDER BY position")
            .bind(seq)
            .fetch_all(&mut *connection)
            .await?;
    let step = |(state, at): (String, i64)| {
        let at = Timestamp::from_unix(at).map_err(decode)?.to_string();
        Ok(SaveStep {
            state: parse_state(&state)?,
            at,
        })
    };
    Ok(Save {
        id,
        stack: StackName::parse(&stack).map_err(decode)?,
        state: parse_state(&state)?,
        steps: steps
            .into_iter()
            .map(step)
            .collect::<Result<_, sqlx::Error>>()?,
        commit,
        reason: parse_reason(reason)?,
        files: files
            .into_iter()
            .map(|(path, blob)| SavedFile { path, blob })
            .collect(),
    })
}

fn file(row: FileRow) -> Result<JournalFile, sqlx::Error> {
    let (kind, name, namespace, chart, marks, path, base_blob, blob, text) = row;
    let kinds = [MemberKind::Addon, MemberKind::Manifest];
    let kind = kinds.into_iter().find(|k| k.as_str() == kind);
    Ok(JournalFile {
        kind: kind.ok_or_else(|| sqlx::Error::Decode("the kind of a file is unknown".into()))?,
        name: MemberName::parse(&name).map_err(decode)?,
        namespace: namespace
            .map(|n| NamespaceName::parse(&n))
            .transpose()
            .map_err(decode)?,
        chart: chart
            .map(|c| serde_json::from_str(&c))
            .transpose()
            .map_err(decode)?,
        marks: serde_json::from_str(&marks).map_err(decode)?,
        path,
        base_blob,
        blob,
        text,
    })
}

fn state_text(state: SaveState) -> &'static str {
    STATES
        .iter()
        .find(|(known, _)| *known == state)
        .map_or("pending", |(_, text)| text)
}

fn parse_state(text: &str) -> Result<SaveState, sqlx::Error> {
    let known = STATES
        .iter()
        .find(|(_, known)| *known == text)
        .map(|(state, _)| *state);
    known.ok_or_else(|| sqlx::Error::Decode("the state of a save is unknown".into()))
}

fn parse_reason(reason: Option<String>) -> Result<Option<Problem>, sqlx::Error> {
    reason
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(decode)
}

fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

fn encode(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}

/// How many unanswered pushes are repeated soon.
const SOON: i64 = 8;
/// Seconds after which nothing of a push can be under way.
const LONG: i64 = 3600;

const STATES: &[(SaveState, &str)] = &[
    (SaveState::Accepted, "accepted"),
    (SaveState::Committed, "committed"),
    (SaveState::Conflict, "conflict"),
    (SaveState::Discarded, "discarded"),
    (SaveState::Pending, "pending"),
    (SaveState::Pushed, "pushed"),
];
