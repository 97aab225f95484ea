//! From a request to a commit on the remote branch, in steps that survive a crash at any line.
//!
//! S1 receive and guard, S2 journal, S3 answer ([`accept`]); S4 fetch, S5 compare, S6 build, S7 local
//! reference, S8 push, S9 confirm, S10 journal, S11 audit ([`attempt`], driven by [`worker`]). What the
//! journal holds is either on the remote or listed as waiting with a reason; it is never applied twice.

pub(crate) mod accept;
pub(crate) mod attempt;
pub(crate) mod plan;
pub(crate) mod worker;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use stackseal_model::api::SaveState;
use tokio::sync::{Mutex, Notify};

use crate::audit;
use crate::error::{Code, Error};
use crate::state::State;
use crate::store::saves::{Progress, advance};

/// What the routes tell the worker.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    wake: Notify,
    stopping: AtomicBool,
    shared: Mutex<Desk>,
}

#[derive(Debug, Default)]
struct Desk {
    /// The save that the worker has in hand.
    current: Option<String>,
    /// Saves that a person asked to try at once.
    wanted: BTreeSet<String>,
}

impl Queue {
    /// Tells the worker that there is something to do.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Has the worker stop after the save in hand.
    fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Has a save that waits or conflicts tried at once, on the branch as it is by then.
///
/// # Errors
/// `not-found`, `save-not-pending`.
pub(crate) async fn retry(state: &State, id: &str) -> Result<(), Error> {
    let mut desk = state.queue().shared.lock().await;
    let row = state.store().journalled(id).await?.ok_or_else(unknown)?;
    match row.state {
        SaveState::Pending => {}
        SaveState::Conflict => {
            let progress = Progress {
                state: SaveState::Pending,
                reason: row.reason.as_ref(),
                commit: None,
                push_open: false,
            };
            let mut writing = state.store().write().await?;
            advance(&mut writing, row.seq, &progress, state.now().unix()).await?;
            writing.commit().await?;
        }
        SaveState::Accepted | SaveState::Committed | SaveState::Pushed | SaveState::Discarded => {
            return Err(Error::refused(Code::SaveNotPending, ""));
        }
    }
    desk.wanted.insert(id.to_owned());
    drop(desk);
    state.queue().wake();
    Ok(())
}

/// Discards a save that waits or conflicts.
///
/// # Errors
/// `not-found`, `save-not-pending`; `save-in-progress` while the worker has it in hand;
/// `save-unconfirmed` when it may be on the remote already.
pub(crate) async fn discard(
    state: &State,
    id: &str,
    actor: &str,
    request_id: &str,
) -> Result<(), Error> {
    // The worker takes a save up under this lock, so it cannot begin while this runs.
    let desk = state.queue().shared.lock().await;
    let row = state.store().journalled(id).await?.ok_or_else(unknown)?;
    // A save that has ended is said to have, also in the moment before the worker lays it down.
    let ended = matches!(
        row.state,
        SaveState::Pushed | SaveState::Discarded | SaveState::Conflict
    );
    if desk.current.as_deref() == Some(id) && !ended {
        return Err(Error::refused(Code::SaveInProgress, ""));
    }
    if !matches!(row.state, SaveState::Pending | SaveState::Conflict) {
        return Err(Error::refused(Code::SaveNotPending, ""));
    }
    if row.push_open && !row.pushes.are_over(state.now().unix()) {
        return Err(Error::refused(Code::SaveUnconfirmed, ""));
    }
    let progress = Progress {
        state: SaveState::Discarded,
        reason: None,
        commit: None,
        push_open: false,
    };
    let mut writing = state.store().write().await?;
    advance(&mut writing, row.seq, &progress, state.now().unix()).await?;
    let event = audit::Event {
        action: "save.discarded",
        actor,
        request_id,
        save: Some(id),
        ..Default::default()
    };
    audit::append(&mut writing, state.now(), &event).await?;
    writing.commit().await?;
    drop(desk);
    let id = id.to_owned();
    state.mirror().in_clone(move |clone| clone.unpin(&id)).await
}

fn unknown() -> Error {
    Error::refused(Code::NotFound, "There is no such save.")
}
