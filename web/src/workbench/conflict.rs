//! After a conflict: the branch holds another version than the person began from, and a person decides.

use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::stack::Member;

use super::{Saving, Tab, Workbench};
use crate::api;
use crate::draft::Draft;
use crate::error::Words;

impl Workbench {
    /// Fetches what the branch holds now, and shows it.
    pub fn show_theirs(self) {
        self.with_theirs(move |draft, member, _| {
            self.active.set(Some(draft.id));
            self.theirs.set(Some(member));
            self.tab.set(Tab::Git);
        });
    }

    /// Keeps what was typed, to be saved over what the branch holds now.
    pub fn keep_mine(self) {
        self.with_theirs(move |draft, member, commit| {
            draft.rebase(member, &commit);
            self.resolved();
        });
    }

    /// Takes what the branch holds now; what was typed is gone.
    pub fn take_theirs(self) {
        self.with_theirs(move |draft, member, commit| {
            draft.take_git(member, &commit);
            self.resolved();
        });
    }

    /// The draft that the conflict is about. Tracks.
    pub fn conflicting(self) -> Option<Draft> {
        let path = |saving: &Saving| saving.conflict()?.path.clone();
        let path = self.saving.with(path);
        let sent: Vec<Draft> = self
            .sent
            .with(|sent| sent.iter().map(|sent| sent.draft).collect());
        let named = |draft: &&Draft| path.as_deref().is_some_and(|path| draft.is_at(path));
        sent.iter().find(named).or_else(|| sent.first()).copied()
    }

    fn with_theirs(self, act: impl FnOnce(Draft, Member, String) + 'static) {
        let Some(draft) = untrack(|| self.conflicting()) else {
            return;
        };
        spawn_local(async move {
            match self.their_member(draft).await {
                Ok((member, commit)) => act(draft, member, commit),
                Err(words) => self.app.say(words.what),
            }
        });
    }

    async fn their_member(self, draft: Draft) -> Result<(Member, String), Words> {
        let stack = api::stack(&self.name())
            .await
            .map_err(|failure| failure.words())?;
        let name = draft.name.get_untracked();
        let member = stack
            .members
            .into_iter()
            .find(|member| member.kind == draft.kind && member.name.as_str() == name);
        let gone = || {
            Words {
            what: "The branch does not hold this file any more. Copy your text and add it as a new file.".to_owned(),
            ..Words::default()
        }
        };
        Ok((member.ok_or_else(gone)?, stack.commit))
    }

    /// The person has decided: the save that met the conflict is not wanted any more.
    fn resolved(self) {
        let save = |saving: &Saving| saving.conflict()?.save.clone();
        let save = self.saving.with_untracked(save);
        self.theirs.set(None);
        self.sent.set(Vec::new());
        self.saving.set(Saving::Idle);
        self.tab.set(Tab::Edit);
        if let Some(id) = save {
            spawn_local(async move {
                // what stays in the journal is offered again at the next visit
                api::discard_save(&id).await.unwrap_or_default();
            });
        }
    }
}
