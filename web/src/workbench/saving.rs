//! Saving: one save at a time is sealed, sent, and followed until it is in Git.

use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::api::{Save, SaveRequest, SaveState};

use super::{Saving, Workbench};
use crate::api;
use crate::browser;
use crate::draft::Sent;
use crate::error::{Failure, Words, of_problem};

impl Workbench {
    /// Whether a new save has to wait for the one before: its files are not on the branch yet.
    pub fn is_busy(self) -> bool {
        self.saving.with(|saving| match saving {
            Saving::Sealing | Saving::Sending => true,
            Saving::Watching(save) => match save.state {
                SaveState::Accepted | SaveState::Committed | SaveState::Pending => {
                    self.sent.with(|sent| !sent.is_empty()) || self.concerns(save)
                }
                // until the drafts know their new blobs
                SaveState::Pushed => self.sent.with(|sent| !sent.is_empty()),
                SaveState::Conflict | SaveState::Discarded => false,
            },
            Saving::Conflict(_) | Saving::Idle | Saving::Refused { .. } => false,
        })
    }

    /// Whether a save of another tab or another visit writes files that are shown here.
    fn concerns(self, save: &Save) -> bool {
        let path_of =
            |origin: &crate::draft::Origin| save.files.iter().any(|file| file.path == origin.path);
        self.drafts.with(|drafts| {
            drafts.iter().any(|draft| {
                draft
                    .origin
                    .with(|origin| origin.as_ref().is_some_and(path_of))
            })
        })
    }

    /// Takes up a save of this stack that was on its way when the screen was opened.
    pub(super) async fn resume(self) {
        // without the list nothing is lost: the save goes on by itself
        let Ok(saves) = api::saves().await else {
            return;
        };
        let open = |save: &Save| match save.state {
            SaveState::Conflict | SaveState::Pending => true,
            SaveState::Accepted | SaveState::Committed => !save.files.is_empty(),
            SaveState::Discarded | SaveState::Pushed => false,
        };
        if let Some(save) = saves
            .into_iter()
            .find(|save| save.stack == self.name() && open(save))
        {
            self.watch(save).await;
        }
    }

    /// Seals what changed and hands it to the server: one save, one commit.
    pub fn save(self) {
        if untrack(|| self.is_busy()) {
            return;
        }
        let drafts = untrack(|| self.changed());
        if drafts.is_empty() {
            self.app.say("Nothing to save: Git holds this already.");
            return;
        }
        self.saving.set(Saving::Sealing);
        spawn_local(async move {
            // the page shows what it is doing before it does it
            browser::pause(0).await;
            let mut sent = Vec::new();
            for draft in drafts {
                match draft.file() {
                    Ok(file) => sent.push(file),
                    Err(words) => {
                        self.show(draft);
                        self.saving.set(Saving::Refused {
                            words,
                            again: false,
                        });
                        return;
                    }
                }
            }
            self.send(sent).await;
        });
    }

    async fn send(self, sent: Vec<Sent>) {
        let request = SaveRequest {
            stack: self.name(),
            description: self.description.get_untracked(),
            files: sent.iter().map(|sent| sent.file.clone()).collect(),
        };
        let Some(key) = self.key_for(&request) else {
            let words = Words {
                what: "The browser's random generator failed.".to_owned(),
                why: "Nothing was sent. Try again, or restart the browser.".to_owned(),
                code: "random-failed".to_owned(),
            };
            self.saving.set(Saving::Refused { words, again: true });
            return;
        };
        self.sent.set(sent);
        self.saving.set(Saving::Sending);
        let mut answer = api::save(&request, &key).await;
        for wait in [500, 2_000] {
            if answer.as_ref().err() != Some(&Failure::Offline) {
                break;
            }
            browser::pause(wait).await;
            answer = api::save(&request, &key).await;
        }
        match answer {
            Ok(save) => {
                self.attempt.set_value(None);
                self.watch(save).await;
            }
            Err(failure) => {
                if !failure.may_pass() {
                    self.attempt.set_value(None);
                }
                self.saving.set(match failure.conflict() {
                    Some(problem) => self.conflict(problem, None),
                    None => Saving::Refused {
                        words: failure.words(),
                        again: failure.may_pass() || failure.is_signed_out(),
                    },
                });
            }
        }
    }

    /// The idempotency key of a request. The same request gets the same key: should the first one have arrived
    /// after all, there is no second commit.
    fn key_for(self, request: &SaveRequest) -> Option<String> {
        let known = self.attempt.with_value(|attempt| match attempt {
            Some((before, key)) if before == request => Some(key.clone()),
            Some(_) | None => None,
        });
        let key = known.or_else(|| browser::random_key().ok())?;
        self.attempt.set_value(Some((request.clone(), key.clone())));
        Some(key)
    }

    /// Follows a save until it is pushed or a person has to decide.
    async fn watch(self, mut save: Save) {
        let id = save.id.clone();
        let mut wait = 150;
        let mut first = true;
        loop {
            // the screen may be gone, or the person has turned to something else: then nobody watches
            let watched = self.saving.try_with_untracked(|saving| match saving {
                Saving::Watching(before) => before.id == id,
                Saving::Idle | Saving::Sending => first,
                Saving::Conflict(_) | Saving::Refused { .. } | Saving::Sealing => false,
            });
            if watched != Some(true) {
                return;
            }
            first = false;
            let state = save.state;
            if state == SaveState::Conflict {
                self.saving
                    .set(self.conflict(&save.reason.unwrap_or_default(), Some(id)));
                return;
            }
            let next = Saving::Watching(Box::new(save.clone()));
            // what did not change is not told again
            if self.saving.with_untracked(|saving| *saving != next) {
                self.saving.set(next);
            }
            match state {
                SaveState::Pushed => return self.settle(&save).await,
                SaveState::Conflict | SaveState::Discarded => return,
                SaveState::Accepted | SaveState::Committed => wait = (wait * 3 / 2).min(1_500),
                SaveState::Pending => wait = 2_500,
            }
            save = loop {
                browser::pause(wait).await;
                match api::save_state(&id).await {
                    Ok(save) => {
                        self.unreachable.try_set(false);
                        break save;
                    }
                    Err(_) => {
                        wait = (wait * 2).min(5_000);
                        if self.unreachable.try_set(true).is_some() {
                            return;
                        }
                    }
                }
            };
        }
    }

    /// What was sent is on the branch: it is what changes are measured against from now on.
    async fn settle(self, save: &Save) {
        let stack = loop {
            match api::stack(&self.name()).await {
                Ok(stack) => break stack,
                Err(_) => browser::pause(1_000).await,
            }
            // the screen may be gone
            if self.sent.try_with_untracked(Vec::is_empty) != Some(false) {
                return;
            }
        };
        let Some(all) = self.sent.try_get_untracked() else {
            return;
        };
        for sent in all {
            let names_it = |kind, name: &_| kind == sent.file.kind && *name == sent.file.name;
            let Some(member) = stack
                .members
                .iter()
                .find(|member| names_it(member.kind, &member.name))
            else {
                continue;
            };
            // somebody may have pushed another version since: then ours is the one that the save names
            let ours = save
                .files
                .iter()
                .find(|file| file.path == member.path)
                .map(|file| file.blob.as_str());
            let blob = if member.text == sent.file.text {
                Some(member.blob.as_str())
            } else {
                ours
            };
            if let Some(blob) = blob {
                sent.draft.saved(&sent, &member.path, blob, &stack.commit);
            }
        }
        self.sent.set(Vec::new());
    }

    /// Tries a waiting save at once.
    pub fn retry(self, id: String) {
        spawn_local(async move {
            if let Err(failure) = api::retry_save(&id).await {
                self.app.say(failure.words().what);
            }
        });
    }

    /// Drops a save that waits or conflicts; what was typed stays here as a change.
    pub fn discard_save(self, id: String) {
        spawn_local(async move {
            match api::discard_save(&id).await {
                Ok(()) => {
                    self.sent.set(Vec::new());
                    self.saving.set(Saving::Idle);
                    self.app
                        .say("Discarded the save. What you typed is still here.");
                }
                Err(failure) => self.app.say(failure.words().what),
            }
        });
    }

    fn conflict(self, problem: &stackseal_model::problem::Problem, save: Option<String>) -> Saving {
        Saving::Conflict(super::Conflict {
            words: of_problem(problem),
            path: problem.path.clone(),
            save,
        })
    }
}
