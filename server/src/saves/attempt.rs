//! S4 to S11 for one save: one try after another until it is pushed, conflicts, or must wait.

use std::time::Duration;

use git2::Oid;
use stackseal_model::api::SaveState;
use stackseal_model::problem::Problem;

use crate::audit;
use crate::crash;
use crate::error::{Code, Error};
use crate::git::RemoteError;
use crate::git::commit::message;
use crate::git::repository::Clone;
use crate::git::sync::SyncError;
use crate::random;
use crate::saves::plan::{Plan, plan};
use crate::state::State;
use crate::store::saves::{Journalled, Progress, advance};

/// What became of a save.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The remote has it, or a person decides: the worker is done with it.
    Done,
    /// It waits.
    Waits(Wait),
}

/// Why a save waits and when it is tried again.
#[derive(Debug)]
pub(crate) struct Wait {
    problem: Problem,
    /// Whether it is tried again by itself.
    pub(crate) by_itself: bool,
    /// Whether the remote is away, so that trying other saves is of no use.
    pub(crate) remote_away: bool,
    /// Whether a push may have arrived.
    push_open: bool,
}

enum Try {
    Conflict(Box<Problem>),
    Moved,
    Pushed(Oid),
    Waits(Wait),
}

/// Works on a save until it is pushed, conflicts or must wait, and journals what became of it. `asked`:
/// a person wants it tried now.
///
/// # Errors
/// When the journal cannot be written: the save stays as it was, and is taken up again later.
pub(crate) async fn work(
    state: &State,
    row: &mut Journalled,
    asked: bool,
) -> Result<Outcome, Error> {
    for turn in 0..TURNS {
        match once(state, row, asked).await {
            Ok(Try::Pushed(commit)) => return pushed(state, row, commit).await,
            Ok(Try::Moved) => pause(turn).await?,
            Ok(Try::Conflict(problem)) => {
                let progress = Progress {
                    state: SaveState::Conflict,
                    reason: Some(&problem),
                    commit: None,
                    push_open: false,
                };
                journal(state, row, &progress).await?;
                return Ok(Outcome::Done);
            }
            Ok(Try::Waits(wait)) => return waits(state, row, wait).await,
            Err(error) => {
                error.log();
                let wait = Wait::of(&error.problem(), true, row.push_open);
                return waits(state, row, wait).await;
            }
        }
    }
    waits(
        state,
        row,
        Wait::of(&Code::RemoteBusy.problem(""), true, row.push_open),
    )
    .await
}

async fn once(state: &State, row: &mut Journalled, asked: bool) -> Result<Try, Error> {
    let head = match state.mirror().sync().await {
        Ok(head) => head,
        Err(SyncError::Local(error)) => return Err(error),
        Err(SyncError::Remote(RemoteError::Moved)) => return Ok(Try::Moved),
        Err(SyncError::Remote(error)) => {
            return Ok(Try::Waits(Wait::remote(&error, row.push_open)));
        }
    };
    crash::point("s4-fetched");
    if let Some(commit) = arrived(state, head, row).await? {
        return Ok(Try::Pushed(commit));
    }
    let open = match under_way(state, head, row).await? {
        Some(commit) if asked || row.pushes.may_send_again(state.now().unix()) => Some(commit),
        Some(_) => return Ok(Try::Waits(Wait::looking())),
        None => None,
    };
    // whatever else was sent before cannot arrive any more
    row.push_open = open.is_some();
    let commit = match open {
        // the very same commit: whichever push arrives first, the branch gets it once
        Some(commit) => commit,
        None => match build(state, head, row).await? {
            Built::Commit(commit) => commit,
            Built::Ends(end) => return Ok(end),
        },
    };
    let text = commit.to_string();
    let was_open = row.push_open;
    let progress = Progress {
        state: SaveState::Committed,
        reason: None,
        commit: Some(&text),
        push_open: true,
    };
    journal(state, row, &progress).await?;
    row.commit = Some(text);
    row.pushes.count += 1;
    row.pushes.last = state.now().unix();
    crash::point("s7-journalled");
    let sent = state.mirror().push(commit, head).await;
    crash::point("s8-pushed");
    confirm(state, row, (commit, head), sent, was_open).await
}

enum Built {
    Commit(Oid),
    Ends(Try),
}

/// S5 to S7: the commit on top of the branch as it is now.
async fn build(state: &State, head: Option<Oid>, row: &Journalled) -> Result<Built, Error> {
    let files = match plan(state, head, &row.save).await? {
        Plan::Conflict(problem) => return Ok(Built::Ends(Try::Conflict(problem))),
        Plan::Waits(problem) => {
            return Ok(Built::Ends(Try::Waits(Wait::of(&problem, false, false))));
        }
        Plan::Write(files) => files,
    };
    crash::point("s5-compared");
    let text = message(
        &row.save.stack,
        row.save.files.len(),
        &row.save.actor,
        &row.save.id,
    );
    let seconds = state.now().unix();
    let built = state
        .mirror()
        .in_clone(move |clone| clone.build(head, &files, &text, seconds))
        .await?;
    crash::point("s6-built");
    let Some(commit) = built else {
        // the branch holds every byte of it already
        return match head {
            Some(head) => Ok(Built::Ends(Try::Pushed(head))),
            None => Err(Error::refused(Code::Internal, "")),
        };
    };
    let id = row.save.id.clone();
    state
        .mirror()
        .in_clone(move |clone| clone.pin(&id, commit))
        .await?;
    crash::point("s7-referenced");
    Ok(Built::Commit(commit))
}

/// The commit whose push was not answered and may still arrive: that is, while the branch stands where
/// the push wants it. Once it is elsewhere, the lease refuses it.
async fn under_way(
    state: &State,
    head: Option<Oid>,
    row: &Journalled,
) -> Result<Option<Oid>, Error> {
    let commit = row.commit.as_deref().map(Oid::from_str);
    let Some(Ok(commit)) = commit.filter(|_| row.push_open) else {
        return Ok(None);
    };
    let stands = move |clone: &Clone| clone.is_child(commit, head);
    let stands = state.mirror().in_clone(stands).await?;
    Ok(stands.then_some(commit))
}

/// S9: only what the remote itself shows counts.
///
/// A push that was not answered is not refused: what took it in may still be at work. `was_open` says
/// that an earlier one of the same commit is in that state.
async fn confirm(
    state: &State,
    row: &mut Journalled,
    (commit, old): (Oid, Option<Oid>),
    sent: Result<(), RemoteError>,
    was_open: bool,
) -> Result<Try, Error> {
    let head = match state.mirror().sync().await {
        Ok(head) => head,
        Err(SyncError::Local(error)) => return Err(error),
        Err(SyncError::Remote(RemoteError::Moved)) => return Ok(Try::Moved),
        Err(SyncError::Remote(_)) => {
            return Ok(Try::Waits(match sent {
                // a refusal needs no confirmation
                Err(error @ RemoteError::Auth(_)) => Wait::remote(&error, was_open),
                Err(error @ RemoteError::Policy(_)) => Wait::remote(&error, false),
                _ => Wait::remote(&RemoteError::Unreachable(String::new()), true),
            }));
        }
    };
    if arrived(state, head, row).await?.is_some() {
        crash::point("s9-confirmed");
        return Ok(Try::Pushed(commit));
    }
    Ok(match sent {
        Ok(()) => Try::Waits(Wait {
            problem: Code::LostUpstream.problem(""),
            by_itself: false,
            remote_away: false,
            push_open: false,
        }),
        // the next turn sees whether the branch has moved past it
        Err(RemoteError::Moved) => Try::Moved,
        Err(RemoteError::Unreachable(_)) if head != old => Try::Moved,
        Err(error @ RemoteError::Unreachable(_)) => Try::Waits(Wait::remote(&error, true)),
        Err(error @ RemoteError::Auth(_)) => Try::Waits(Wait::remote(&error, was_open)),
        Err(error) => Try::Waits(Wait::remote(&error, false)),
    })
}

/// The commit of this save on the branch, if it is there: by its id, or by its trailer should the
/// remote have rewritten it.
async fn arrived(state: &State, head: Option<Oid>, row: &Journalled) -> Result<Option<Oid>, Error> {
    let Some(head) = head else { return Ok(None) };
    let oid = |text: &Option<String>| text.as_deref().and_then(|text| Oid::from_str(text).ok());
    let (commit, base, id) = (
        oid(&row.commit),
        oid(&row.save.base_commit),
        row.save.id.clone(),
    );
    state
        .mirror()
        .in_clone(move |clone| match commit {
            Some(commit) if clone.reaches(head, commit)? => Ok(Some(commit)),
            _ => clone.find_save(head, base, &id),
        })
        .await
}

/// S10 and S11: the journal and the audit trail, in one transaction.
async fn pushed(state: &State, row: &Journalled, commit: Oid) -> Result<Outcome, Error> {
    let text = commit.to_string();
    let progress = Progress {
        state: SaveState::Pushed,
        reason: None,
        commit: Some(&text),
        push_open: false,
    };
    let mut writing = state.store().write().await?;
    advance(&mut writing, row.seq, &progress, state.now().unix()).await?;
    let event = audit::Event {
        action: "save.pushed",
        actor: &row.save.actor,
        request_id: &row.save.request_id,
        save: Some(&row.save.id),
        commit: Some(&text),
        ..Default::default()
    };
    audit::append(&mut writing, state.now(), &event).await?;
    crash::point("s10-before");
    writing.commit().await?;
    crash::point("s10-recorded");
    let id = row.save.id.clone();
    state
        .mirror()
        .in_clone(move |clone| clone.unpin(&id))
        .await?;
    crash::point("s11-done");
    tracing::info!(save = row.save.id, commit = text, "pushed");
    Ok(Outcome::Done)
}

async fn waits(state: &State, row: &mut Journalled, wait: Wait) -> Result<Outcome, Error> {
    let progress = Progress {
        state: SaveState::Pending,
        reason: Some(&wait.problem),
        commit: None,
        push_open: wait.push_open,
    };
    journal(state, row, &progress).await?;
    tracing::warn!(save = row.save.id, code = wait.problem.code, "waits");
    Ok(Outcome::Waits(wait))
}

async fn journal(
    state: &State,
    row: &mut Journalled,
    progress: &Progress<'_>,
) -> Result<(), Error> {
    let mut writing = state.store().write().await?;
    advance(&mut writing, row.seq, progress, state.now().unix()).await?;
    writing.commit().await?;
    row.state = progress.state;
    row.push_open = progress.push_open;
    Ok(())
}

impl Wait {
    fn of(problem: &Problem, by_itself: bool, push_open: bool) -> Self {
        Self {
            problem: problem.clone(),
            by_itself,
            remote_away: false,
            push_open,
        }
    }

    /// The remote answers, and what was sent is neither there nor refused. Others need not wait for it.
    fn looking() -> Self {
        Self::of(&Code::RemoteUnconfirmed.problem(""), true, true)
    }

    fn remote(error: &RemoteError, push_open: bool) -> Self {
        let said = |code: Code, said: &str| {
            let usual = code.problem("");
            if said.is_empty() {
                usual
            } else {
                code.problem(&format!("{} The remote said: {said}", usual.detail))
            }
        };
        match error {
            RemoteError::Auth(text) => Self {
                remote_away: true,
                ..Self::of(&said(Code::RemoteAuth, text), false, push_open)
            },
            RemoteError::Policy(text) => {
                Self::of(&said(Code::RemotePolicy, text), false, push_open)
            }
            RemoteError::Gone => Self {
                remote_away: true,
                ..Self::of(&Code::BranchGone.problem(""), true, push_open)
            },
            RemoteError::Moved => Self::of(&Code::RemoteBusy.problem(""), true, push_open),
            RemoteError::Unreachable(text) => {
                let code = if push_open {
                    Code::RemoteUnconfirmed
                } else {
                    Code::RemoteUnreachable
                };
                Self {
                    remote_away: true,
                    ..Self::of(&said(code, text), true, push_open)
                }
            }
        }
    }

    /// The reason as other saves behind this one have it.
    pub(crate) fn for_others(&self) -> Problem {
        match self.problem.code.as_str() {
            "remote-unconfirmed" => Code::RemoteUnreachable.problem(""),
            _ => self.problem.clone(),
        }
    }
}

/// Waits a little before the next turn: longer each time, and not in step with others.
async fn pause(turn: u32) -> Result<(), Error> {
    let [random] = random::bytes::<1>()?;
    let most = u64::from(turn + 1) * 40;
    tokio::time::sleep(Duration::from_millis(u64::from(random) * most / 255)).await;
    Ok(())
}

/// How often a save follows a branch that keeps moving.
const TURNS: u32 = 20;
