//! S1 to S3: a save is guarded, journalled in one transaction, and answered.
//!
//! The bytes stay in memory until the guard has passed every file. The journal's commit is on the disk
//! before the answer; a request that comes again under its key gets the same save.

use std::collections::BTreeSet;

use git2::Oid;
use sqlx::error::ErrorKind;
use stackseal_core::Recipient;
use stackseal_model::api::{Save, SaveFile, SaveRequest};
use stackseal_model::name::StackName;
use stackseal_model::stack::MemberKind;

use crate::audit;
use crate::auth::Member;
use crate::cluster::Cluster;
use crate::crash;
use crate::error::{Code, Error};
use crate::git::path::RepositoryPath;
use crate::git::repository::{Found, blob_id};
use crate::guard::{self, Passed};
use crate::random;
use crate::saves::plan;
use crate::state::State;
use crate::store::ledger;
use crate::store::saves::{JournalFile, NewSave, add_idempotency, add_save, waiting_bytes};

/// A save as it was asked for.
pub(crate) struct Asked<'a> {
    /// Who asks.
    pub(crate) member: &'a Member,
    /// In which request.
    pub(crate) request_id: &'a str,
    /// The client's key, if the route needs one.
    pub(crate) key: Option<&'a str>,
    /// Digest of the body.
    pub(crate) digest: [u8; 32],
}

/// Reads the idempotency key of a request.
///
/// # Errors
/// `idempotency-key-invalid`.
pub(crate) fn key(header: Option<&str>) -> Result<&str, Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    header
        .filter(|key| (16..=64).contains(&key.len()) && key.bytes().all(plain))
        .ok_or_else(|| Error::refused(Code::IdempotencyKeyInvalid, ""))
}

/// Accepts a save of files.
///
/// # Errors
/// Whatever the guard or the cluster file refuses, before anything is stored.
pub(crate) async fn accept(
    state: &State,
    asked: &Asked<'_>,
    request: SaveRequest,
) -> Result<Save, Error> {
    if let Some(save) = repeated(state, asked).await? {
        return Ok(save);
    }
    if !(1..=MOST_FILES).contains(&request.files.len()) {
        return Err(Error::refused(Code::FileCount, ""));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = request
        .files
        .iter()
        .find(|f| !seen.insert((f.kind, f.name.clone())))
    {
        return Err(Error::refused(Code::DuplicateFile, "").at(twice.name.as_str()));
    }
    check_words("description", &request.description)?;
    for chart in request.files.iter().filter_map(|file| file.chart.as_ref()) {
        for (field, text) in [
            ("name", &chart.name),
            ("version", &chart.version),
            ("repository", &chart.repository_url),
        ] {
            check_words(&format!("chart's {field}"), text)?;
        }
    }
    let recipient = recipient(state).await?;
    let files = request.files;
    // parsing a few mebibytes must not hold up other requests
    let guarded = tokio::task::spawn_blocking(move || guard_all(files, recipient.as_ref()));
    let files = guarded.await??;
    crash::point("s1-guarded");
    store(state, asked, request.stack, request.description, files).await
}

/// Accepts the making of an empty stack.
///
/// # Errors
/// `stack-exists`, and what the cluster file refuses.
pub(crate) async fn accept_stack(
    state: &State,
    asked: &Asked<'_>,
    stack: StackName,
    description: String,
) -> Result<Save, Error> {
    if let Some(save) = repeated(state, asked).await? {
        return Ok(save);
    }
    check_words("description", &description)?;
    recipient(state).await?;
    let head = state.mirror().head().await?;
    let (cluster, _) = plan::read_cluster(state, head).await?;
    let coming = state.store().coming_stacks().await?;
    if cluster.stack(&stack).is_some() || coming.iter().any(|(name, _)| *name == stack) {
        return Err(Error::refused(Code::StackExists, ""));
    }
    store(state, asked, stack, description, Vec::new()).await
}

/// Texts of a person that enter the cluster file: not long, and on one line but for descriptions.
fn check_words(field: &str, text: &str) -> Result<(), Error> {
    if text.chars().count() > MOST_CHARACTERS {
        let detail =
            format!("The {field} is longer than {MOST_CHARACTERS} characters; shorten it.");
        return Err(Error::refused(Code::NameInvalid, detail));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        let detail = format!("The {field} holds a control character; remove it.");
        return Err(Error::refused(Code::NameInvalid, detail));
    }
    Ok(())
}

fn guard_all(
    files: Vec<SaveFile>,
    recipient: Option<&Recipient>,
) -> Result<Vec<(SaveFile, Passed)>, Error> {
    let pair = |file: SaveFile| guard::check(&file, recipient).map(|passed| (file, passed));
    files.into_iter().map(pair).collect()
}

/// The save that the key stands for already.
async fn repeated(state: &State, asked: &Asked<'_>) -> Result<Option<Save>, Error> {
    let Some(key) = asked.key else {
        return Ok(None);
    };
    let Some((digest, id)) = state.store().idempotent(key).await? else {
        return Ok(None);
    };
    if digest != asked.digest {
        return Err(Error::refused(Code::IdempotencyMismatch, ""));
    }
    Ok(state.store().save(&id).await?)
}

/// The registered recipient; `None` before encryption is initialised.
async fn recipient(state: &State) -> Result<Option<Recipient>, Error> {
    if state.store().organisation().await?.is_none() {
        return Err(Error::refused(Code::OrganisationMissing, ""));
    }
    let key = state.store().active_key().await?;
    Ok(key
        .map(|key| Recipient::parse(&key.recipient))
        .transpose()?)
}

async fn store(
    state: &State,
    asked: &Asked<'_>,
    stack: StackName,
    description: String,
    files: Vec<(SaveFile, Passed)>,
) -> Result<Save, Error> {
    let head = state.mirror().head().await?;
    let (cluster, cluster_bytes) = plan::read_cluster(state, head).await?;
    let mut journal = Vec::with_capacity(files.len());
    let mut entries = Vec::new();
    let mut taken: BTreeSet<RepositoryPath> = BTreeSet::new();
    for (file, passed) in files {
        let path = path_of(state, &cluster, &stack, &file)?;
        if taken.iter().any(|other| other.collides_with(&path)) {
            let detail = "Two files of the save lie at the same path, or one within the other. Give each a path of its own in the cluster file.";
            return Err(Error::refused(Code::DuplicateFile, detail).at(path.as_str()));
        }
        taken.insert(path.clone());
        check_against_head(state, head, &cluster, &path, &file).await?;
        entries.extend(
            passed
                .entries
                .into_iter()
                .map(|enc| (enc, path.to_string())),
        );
        journal.push(journal_file(file, &path)?);
    }
    let save = NewSave {
        id: random::identifier()?,
        stack,
        description,
        actor: asked.member.actor.clone(),
        request_id: asked.request_id.to_owned(),
        base_commit: head.map(|oid| oid.to_string()),
        files: journal,
    };
    // Refused now rather than after the answer, as far as the branch is known.
    plan::cluster_text(state, cluster_bytes.as_deref(), &save).await?;
    let stored = journal_save(state, asked, &save, &entries).await;
    match stored {
        // the same request came twice at once, and the other was first
        Err(Error::Store(error)) if is_taken(&error) => {
            repeated(state, asked).await?.ok_or(Error::Store(error))
        }
        Err(error) => Err(error),
        Ok(()) => {
            crash::point("s2-journalled");
            state.queue().wake();
            let save = state.store().save(&save.id).await?;
            crash::point("s3-answered");
            save.ok_or_else(|| Error::refused(Code::Internal, ""))
        }
    }
}

async fn journal_save(
    state: &State,
    asked: &Asked<'_>,
    save: &NewSave,
    entries: &[(String, String)],
) -> Result<(), Error> {
    let now = state.now();
    let mut writing = state.store().write().await?;
    for (enc, path) in entries {
        let owner = ledger::register(&mut writing, enc, path).await?;
        if owner != *path {
            return Err(foreign_stanza(path, &owner));
        }
    }
    let waiting = waiting_bytes(&mut writing).await?;
    if waiting >= MOST_WAITING {
        return Err(Error::refused(Code::JournalFull, ""));
    }
    let seq = add_save(&mut writing, save, now.unix()).await?;
    if let Some(key) = asked.key {
        add_idempotency(&mut writing, key, &asked.digest, seq).await?;
    }
    let event = audit::Event {
        action: "save.accepted",
        actor: &save.actor,
        request_id: &save.request_id,
        save: Some(&save.id),
        ..Default::default()
    };
    audit::append(&mut writing, now, &event).await?;
    writing.commit().await?;
    Ok(())
}

/// The refusal of a wrapped data key that belongs to another file.
pub(crate) fn foreign_stanza(path: &str, owner: &str) -> Error {
    let detail = format!(
        "Its sops block was copied from {owner}. Write the values anew here, so that the file gets a data key of its own."
    );
    Error::refused(Code::StanzaOfAnotherFile, detail).at(path)
}

fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.kind() == ErrorKind::UniqueViolation)
}

/// Where a file lies: where the cluster file says, or where a new member's goes.
fn path_of(
    state: &State,
    cluster: &Cluster,
    stack: &StackName,
    file: &SaveFile,
) -> Result<RepositoryPath, Error> {
    let cluster_file = &state.config().cluster_file;
    let known = cluster
        .stack(stack)
        .and_then(|stack| stack.member(file.kind, &file.name));
    let relative = match known {
        Some(member) => member.from_file.clone(),
        None => {
            let folder = match file.kind {
                MemberKind::Addon => "values",
                MemberKind::Manifest => "manifests",
            };
            format!("stacks/{stack}/{folder}/{}.yaml", file.name)
        }
    };
    plan::member_path(cluster_file, &relative)
}

async fn check_against_head(
    state: &State,
    head: Option<Oid>,
    cluster: &Cluster,
    path: &RepositoryPath,
    file: &SaveFile,
) -> Result<(), Error> {
    let wanted = path.clone();
    let found = state
        .mirror()
        .in_clone(move |clone| clone.find(head, &wanted))
        .await?;
    let head_marks = cluster
        .holder(file.kind, &file.name)
        .and_then(|stack| stack.member(file.kind, &file.name))
        .map_or(&[][..], |member| &member.marks);
    match found {
        Found::Special => Err(plan::special(path)),
        Found::TooLarge => Err(plan::too_large(path)),
        Found::File(at_head) => guard::check_against(
            file.text.as_bytes(),
            &file.marks,
            head_marks,
            Some(&at_head.bytes),
        ),
        Found::Nothing => guard::check_against(file.text.as_bytes(), &file.marks, head_marks, None),
    }
}

fn journal_file(file: SaveFile, path: &RepositoryPath) -> Result<JournalFile, Error> {
    let text = file.text.into_bytes();
    Ok(JournalFile {
        kind: file.kind,
        name: file.name,
        namespace: file.namespace,
        chart: file.chart,
        marks: file.marks,
        path: path.to_string(),
        base_blob: file.base_blob,
        blob: blob_id(&text)?.to_string(),
        text,
    })
}

/// Bytes of saves that wait: beyond these, a remote that stays away would fill the disk.
const MOST_WAITING: i64 = 256 * 1024 * 1024;
const MOST_FILES: usize = 50;
const MOST_CHARACTERS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_keys_are_16_to_64_plain_characters() {
        for good in ["0123456789abcdef", &"x".repeat(64), "A-b_C-d_E-f_G-h_"] {
            assert!(key(Some(good)).is_ok(), "{good}");
        }
        for bad in [
            "",
            "0123456789abcde",
            &"x".repeat(65),
            "0123456789abcde!",
            "0123456789 abcdef",
        ] {
            assert!(key(Some(bad)).is_err(), "{bad}");
        }
        assert!(key(None).is_err());
    }
}
