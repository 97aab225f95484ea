//! The builder's state: the files of one stack, which one is shown, and the save on its way.

mod conflict;
mod saving;

use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::api::{Purpose, Save, SaveRequest, SaveState, UnwrapRequest};
use stackseal_model::name::StackName;
use stackseal_model::stack::{Member, MemberKind, Stack};

use crate::api;
use crate::browser;
use crate::components::editor::Editor;
use crate::draft::{Draft, Sent};
use crate::error::Words;
use crate::samples;
use crate::seal::OneTime;
use crate::session::App;
use crate::view::follow;

/// Whether the stack is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Load {
    /// It could not be read.
    Failed(Words),
    /// It does not exist.
    Missing,
    /// It is shown.
    Ready,
    /// It is on its way.
    Waiting,
}

/// How far the newest save has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saving {
    /// None was made since the screen was opened.
    Idle,
    /// The file on the branch is another one than the person began from.
    Conflict(Conflict),
    /// The server or the codec refused; nothing was saved.
    Refused {
        /// Why.
        words: Words,
        /// Whether the same save may go through when it is tried again.
        again: bool,
    },
    /// The codec works.
    Sealing,
    /// The sealed bytes are on their way to the server.
    Sending,
    /// The server has it.
    Watching(Box<Save>),
}

impl Saving {
    /// The conflict that it met.
    fn conflict(&self) -> Option<&Conflict> {
        match self {
            Self::Conflict(conflict) => Some(conflict),
            Self::Idle
            | Self::Refused { .. }
            | Self::Sealing
            | Self::Sending
            | Self::Watching(_) => None,
        }
    }
}

/// A save met another version of one of its files on the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The server's words.
    pub words: Words,
    /// Path of the file, where the server names it.
    pub path: Option<String>,
    /// The save, when it is in the journal already.
    pub save: Option<String>,
}

/// What is shown where not everything fits beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The editor with the marks.
    Edit,
    /// What Git will hold.
    Git,
    /// The list of files.
    Members,
}

/// Handles to the state; cheap to copy, kept in the context of the builder.
#[derive(Clone, Copy)]
pub struct Workbench {
    /// The page.
    pub app: App,
    /// Whether the stack is here.
    pub load: RwSignal<Load>,
    /// What the stack is for.
    pub description: RwSignal<String>,
    /// The files, those of Git first.
    pub drafts: RwSignal<Vec<Draft>>,
    /// The one that is shown.
    pub active: RwSignal<Option<u32>>,
    /// What is shown where not everything fits.
    pub tab: RwSignal<Tab>,
    /// How far the newest save has come.
    pub saving: RwSignal<Saving>,
    /// Whether the server cannot be reached while a save is watched.
    pub unreachable: RwSignal<bool>,
    /// Whether the branch's version stands in the Git pane, after a conflict.
    pub theirs: RwSignal<Option<Member>>,
    /// The editor, once it is there.
    pub editor: StoredValue<Option<StoredValue<Option<Editor>, LocalStorage>>, LocalStorage>,
    /// A draft that a person wants to drop, until they have said so twice.
    pub asks_to_discard: RwSignal<Option<u32>>,
    /// Whether a person wants to drop their text after a conflict.
    pub asks_to_take_theirs: RwSignal<bool>,
    /// The hit whose value is shown.
    pub revealed: RwSignal<Option<String>>,
    name: StoredValue<StackName>,
    /// Owns the drafts: they live as long as this screen, whichever part of it made them.
    owner: StoredValue<Owner>,
    sent: RwSignal<Vec<Sent>, LocalStorage>,
    attempt: StoredValue<Option<(SaveRequest, String)>>,
    next_id: StoredValue<u32>,
}

impl Workbench {
    /// Makes the state for a stack and puts it into the context.
    pub fn provide(name: StackName) -> Self {
        let app = App::take();
        let bench = Self {
            app,
            load: RwSignal::new(Load::Waiting),
            description: RwSignal::new(String::new()),
            drafts: RwSignal::new(Vec::new()),
            active: RwSignal::new(None),
            tab: RwSignal::new(Tab::Edit),
            saving: RwSignal::new(Saving::Idle),
            unreachable: RwSignal::new(false),
            theirs: RwSignal::new(None),
            editor: StoredValue::new_local(None),
            asks_to_discard: RwSignal::new(None),
            asks_to_take_theirs: RwSignal::new(false),
            revealed: RwSignal::new(None),
            name: StoredValue::new(name),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
            sent: RwSignal::new_local(Vec::new()),
            attempt: StoredValue::new(None),
            next_id: StoredValue::new(0),
        };
        provide_context(bench);
        follow(move || app.unsaved.set(bench.unsaved()));
        // what was refused is being mended
        follow(move || {
            bench
                .drafts
                .with(|drafts| drafts.iter().for_each(|draft| draft.track()));
            let refused = |saving: &Saving| matches!(saving, Saving::Refused { .. });
            if bench.saving.with_untracked(refused) {
                bench.saving.set(Saving::Idle);
            }
        });
        Effect::new(move |seen: Option<u32>| {
            let locks = app.locks.get();
            if seen.is_some_and(|seen| seen != locks) {
                bench.lock();
            }
            locks
        });
        bench
    }

    /// The state from the context.
    pub fn take() -> Self {
        expect_context()
    }

    /// The stack's name.
    pub fn name(self) -> StackName {
        self.name.get_value()
    }

    /// A draft. Tracks.
    pub fn draft(self, id: u32) -> Option<Draft> {
        self.drafts
            .with(|drafts| drafts.iter().find(|draft| draft.id == id).copied())
    }

    /// The draft that is shown. Tracks.
    pub fn shown(self) -> Option<Draft> {
        self.draft(self.active.get()?)
    }

    /// The drafts that differ from Git. Tracks.
    pub fn changed(self) -> Vec<Draft> {
        self.drafts.with(|drafts| {
            drafts
                .iter()
                .filter(|draft| draft.changed.get())
                .copied()
                .collect()
        })
    }

    /// Does something with the editor, once it is there.
    pub fn with_editor(self, act: impl FnOnce(&Editor)) {
        if let Some(cell) = self.editor.get_value() {
            cell.with_value(|editor| {
                if let Some(editor) = editor {
                    act(editor);
                }
            });
        }
    }

    /// Files that would be lost by leaving: changed, and not in the journal of the server.
    fn unsaved(self) -> usize {
        let on_its_way = self.saving.with(|saving| match saving {
            Saving::Watching(save) => {
                !matches!(save.state, SaveState::Conflict | SaveState::Discarded)
            }
            Saving::Idle
            | Saving::Conflict(_)
            | Saving::Refused { .. }
            | Saving::Sealing
            | Saving::Sending => false,
        });
        let lost = |draft: &Draft| {
            let sent = self
                .sent
                .with(|sent| sent.iter().find(|sent| sent.draft.id == draft.id).cloned());
            sent.filter(|_| on_its_way)
                .is_none_or(|sent| draft.differs_from(&sent))
        };
        self.changed().iter().filter(|draft| lost(draft)).count()
    }

    /// Reads the stack, and takes up a save of it that is still on its way.
    pub async fn load(self) {
        match api::stack(&self.name()).await {
            Ok(stack) => {
                self.take_stack(stack);
                self.load.try_set(Load::Ready);
                self.resume().await;
            }
            Err(failure) if failure.is_missing() => {
                self.load.try_set(Load::Missing);
            }
            Err(failure) => {
                self.load.try_set(Load::Failed(failure.words()));
            }
        }
    }

    /// Begins a stack that does not exist yet with the sample's files; saving them makes it.
    pub fn begin_sample(self) {
        self.description.set(samples::DESCRIPTION.to_owned());
        self.load.set(Load::Ready);
        samples::fill(self);
    }

    /// Shows the first file.
    pub fn show_first(self) {
        if let Some(draft) = self.drafts.with_untracked(|drafts| drafts.first().copied()) {
            self.show(draft);
        }
    }

    fn take_stack(self, stack: Stack) {
        self.description.set(stack.description);
        let recipient = self.recipient();
        let drafts: Vec<Draft> = stack
            .members
            .into_iter()
            .map(|member| {
                self.owner.get_value().with(|| {
                    Draft::of_git(
                        self.new_id(),
                        member,
                        &stack.commit,
                        &recipient,
                        self.drafts,
                    )
                })
            })
            .collect();
        self.active.set(drafts.first().map(|draft| draft.id));
        self.drafts.set(drafts);
    }

    fn recipient(self) -> String {
        untrack(|| self.app.encryption())
            .map(|encryption| encryption.recipient)
            .unwrap_or_default()
    }

    fn new_id(self) -> u32 {
        self.next_id.update_value(|id| *id += 1);
        self.next_id.get_value()
    }

    /// Adds a file that Git does not have yet, and shows it.
    pub fn add(self, kind: MemberKind, fill: impl FnOnce(Draft)) -> Draft {
        let recipient = self.recipient();
        let draft = self
            .owner
            .get_value()
            .with(|| Draft::fresh(self.new_id(), kind, &recipient, self.drafts));
        fill(draft);
        self.drafts.update(|drafts| drafts.push(draft));
        self.show(draft);
        draft
    }

    /// Adds an empty file, ready to be named.
    pub fn add_blank(self, kind: MemberKind) {
        self.add(kind, |_| {});
        // its fields come with the next turn
        spawn_local(async {
            browser::pause(0).await;
            browser::focus("member-name");
        });
    }

    /// Shows a file.
    pub fn show(self, draft: Draft) {
        self.theirs.set(None);
        self.active.set(Some(draft.id));
        self.tab.set(Tab::Edit);
    }

    /// Drops what was typed into a file; one that Git does not have goes.
    pub fn discard(self, draft: Draft) {
        if draft.revert() {
            return;
        }
        self.with_editor(|editor| editor.forget(&draft.id.to_string()));
        self.drafts
            .update(|drafts| drafts.retain(|other| other.id != draft.id));
        if self.active.get_untracked() == Some(draft.id) {
            self.active.set(
                self.drafts
                    .with_untracked(|drafts| drafts.first().map(|draft| draft.id)),
            );
        }
    }

    /// Asks for the data key of a sealed file and opens it here. The server records it before it answers.
    pub async fn unlock(self, draft: Draft, purpose: Purpose) -> Result<(), Words> {
        let Some(origin) = draft.origin.get_untracked() else {
            return Ok(());
        };
        let pair = OneTime::new()?;
        let request = UnwrapRequest {
            path: origin.path,
            commit: origin.commit,
            blob: origin.blob,
            purpose,
            recipient: pair.recipient(),
        };
        let answer = api::unwrap(&request)
            .await
            .map_err(|failure| failure.words())?;
        draft.unlock(pair.open(&origin.git, &answer.wrapped_data_key)?);
        Ok(())
    }

    /// Hides all values and forgets what was opened, where nothing would be lost.
    fn lock(self) {
        self.with_editor(Editor::hide_all);
        let mut locked = 0;
        for draft in self.drafts.get_untracked() {
            if draft.lock() {
                locked += 1;
                self.with_editor(|editor| editor.forget(&draft.id.to_string()));
            }
        }
        if locked > 0 {
            self.app
                .say("Locked after five minutes without a key or a click.");
        }
    }
}
