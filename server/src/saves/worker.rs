//! The one task that works on saves, in the order accepted.
//!
//! A save that waits or conflicts does not hold up the others, unless the remote itself is away: then
//! all wait for the same thing, and each says so.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use stackseal_model::api::SaveState;

use crate::error::{Code, Error};
use crate::random;
use crate::saves::attempt::{self, Outcome, Wait};
use crate::state::State;
use crate::store::saves::{Progress, advance};

/// When saves that wait are tried again. Kept in memory: a restart tries them at once.
#[derive(Default)]
struct Agenda {
    waiting: BTreeMap<String, Appointment>,
}

struct Appointment {
    tries: u32,
    /// `None`: when a person asks.
    next: Option<Instant>,
}

/// Works on saves until `stop` resolves. A save in hand is finished first.
pub(crate) async fn run(state: State, stop: impl Future<Output = ()>) {
    let mut agenda = Agenda::default();
    agenda.leave_to_people(&state).await;
    tokio::pin!(stop);
    loop {
        {
            let pass = pass(&state, &mut agenda);
            tokio::pin!(pass);
            let stopping = tokio::select! {
                () = &mut pass => false,
                () = &mut stop => true,
            };
            if stopping {
                state.queue().stop();
                return pass.await;
            }
        }
        tokio::select! {
            () = state.queue().wake.notified() => {}
            () = tokio::time::sleep(agenda.pause()) => {}
            () = &mut stop => return,
        }
    }
}

/// Tries every save that is due, once.
async fn pass(state: &State, agenda: &mut Agenda) {
    let ids = match state.store().unfinished_saves().await {
        Ok(ids) => ids,
        Err(error) => return Error::from(error).log(),
    };
    agenda.waiting.retain(|id, _| ids.contains(id));
    for (position, id) in ids.iter().enumerate() {
        if state.queue().is_stopping() {
            return;
        }
        let Some(asked) = take_up(state, agenda, id).await else {
            continue;
        };
        let outcome = work_on(state, id, asked).await;
        state.queue().shared.lock().await.current = None;
        match outcome {
            Ok(Outcome::Done) => drop(agenda.waiting.remove(id)),
            Ok(Outcome::Waits(wait)) => {
                agenda.put_off(id, wait.by_itself);
                if wait.remote_away {
                    let behind = ids.get(position + 1..).unwrap_or_default();
                    put_off_others(state, agenda, behind, &wait).await;
                    return;
                }
            }
            Err(error) => {
                error.log();
                agenda.put_off(id, true);
            }
        }
    }
}

/// Takes a save in hand if it is due, so that nobody discards it meanwhile. Tells whether a person asked.
async fn take_up(state: &State, agenda: &Agenda, id: &str) -> Option<bool> {
    let mut desk = state.queue().shared.lock().await;
    let wanted = desk.wanted.remove(id);
    if !wanted && !agenda.is_due(id) {
        return None;
    }
    desk.current = Some(id.to_owned());
    Some(wanted)
}

async fn work_on(state: &State, id: &str, asked: bool) -> Result<Outcome, Error> {
    let Some(mut row) = state.store().journalled(id).await? else {
        return Ok(Outcome::Done);
    };
    if !matches!(
        row.state,
        SaveState::Accepted | SaveState::Committed | SaveState::Pending
    ) {
        return Ok(Outcome::Done);
    }
    attempt::work(state, &mut row, asked).await
}

/// The saves behind one that found the remote away say so too.
async fn put_off_others(state: &State, agenda: &mut Agenda, ids: &[String], wait: &Wait) {
    let reason = wait.for_others();
    let unconfirmed = Code::RemoteUnconfirmed.problem("");
    for id in ids {
        let marked = async {
            let Some(row) = state.store().journalled(id).await? else {
                return Ok(());
            };
            let reason = match row.state {
                SaveState::Accepted => &reason,
                // its push was begun before a restart, and nobody knows what became of it
                SaveState::Committed => &unconfirmed,
                SaveState::Pending
                | SaveState::Conflict
                | SaveState::Pushed
                | SaveState::Discarded => return Ok(()),
            };
            let progress = Progress {
                state: SaveState::Pending,
                reason: Some(reason),
                commit: None,
                push_open: row.push_open,
            };
            let mut writing = state.store().write().await?;
            advance(&mut writing, row.seq, &progress, state.now().unix()).await?;
            writing.commit().await
        };
        if let Err(error) = marked.await {
            Error::from(error).log();
        }
        // one that waits for a person goes on doing so
        if agenda.is_due(id) {
            agenda.put_off(id, wait.by_itself);
        }
    }
}

impl Agenda {
    /// After a restart everything is tried once, but for commits that somebody took off the branch.
    async fn leave_to_people(&mut self, state: &State) {
        for id in state.store().unfinished_saves().await.unwrap_or_default() {
            let row = state.store().journalled(&id).await.ok().flatten();
            let reason = row.and_then(|row| row.reason).map(|reason| reason.code);
            if reason.as_deref() == Some("lost-upstream") {
                self.waiting.insert(
                    id,
                    Appointment {
                        tries: 0,
                        next: None,
                    },
                );
            }
        }
    }

    fn is_due(&self, id: &str) -> bool {
        self.waiting
            .get(id)
            .is_none_or(|a| a.next.is_some_and(|next| next <= Instant::now()))
    }

    fn put_off(&mut self, id: &str, by_itself: bool) {
        let tries = self.waiting.get(id).map_or(0, |a| a.tries) + 1;
        let next = by_itself.then(|| Instant::now() + back_off(tries));
        self.waiting
            .insert(id.to_owned(), Appointment { tries, next });
    }

    /// How long nothing is due.
    fn pause(&self) -> Duration {
        let next = self.waiting.values().filter_map(|a| a.next).min();
        next.map_or(LONGEST, |next| {
            next.saturating_duration_since(Instant::now())
        })
    }
}

/// One second, doubled with each try up to five minutes, of which a random half is left out.
fn back_off(tries: u32) -> Duration {
    let seconds = 1_u64
        .checked_shl(tries.saturating_sub(1))
        .unwrap_or(u64::MAX);
    let most = Duration::from_secs(seconds).min(LONGEST);
    let [random] = random::bytes::<1>().unwrap_or_default();
    most / 2 + most / 2 * u32::from(random) / 255
}

const LONGEST: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_five_minutes() {
        for (tries, most) in [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (200, 300)] {
            let pause = back_off(tries);
            let most = Duration::from_secs(most);
            assert!(pause >= most / 2 && pause <= most, "{tries}: {pause:?}");
        }
    }

    #[test]
    fn what_a_person_must_retry_is_never_due() {
        let mut agenda = Agenda::default();
        assert!(agenda.is_due("new"));
        agenda.put_off("a", false);
        agenda.put_off("b", true);
        assert!(!agenda.is_due("a") && !agenda.is_due("b"));
        assert!(agenda.pause() <= Duration::from_secs(1));
    }
}
