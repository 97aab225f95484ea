//! One file of a stack while it is edited: what was typed, what Git holds, what saving would send.

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use stackseal_model::api::SaveFile;
use stackseal_model::name::{MemberName, NamespaceName};
use stackseal_model::stack::{Chart, Member, MemberKind};
use zeroize::Zeroizing;

use crate::browser;
use crate::error::Words;
use crate::seal::{self, Check, Hit, Kept, Promise, SealedValues, Suggestion};
use crate::view::follow;

/// A file as it stands on the branch, and what a person had before them when they began.
#[derive(Clone, PartialEq)]
pub struct Origin {
    /// Path in the repository.
    pub path: String,
    /// Blob id at `commit`.
    pub blob: String,
    /// Commit that it was read from.
    pub commit: String,
    /// The text in Git.
    pub git: String,
    /// Whether that text is sealed.
    pub sealed: bool,
    /// What was typed when this was saved; `None` while it is sealed and not opened.
    pub plain: Option<Zeroizing<String>>,
    marks: Vec<String>,
    namespace: String,
    chart: Option<Chart>,
}

/// What saving this file would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preview {
    /// These very bytes.
    Ready(String),
    /// Nothing: the codec or a name refuses, for this reason.
    Refused(Words),
    /// It is being computed.
    Waiting,
}

/// How a marked value stands against what Git holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Git holds another value, sealed.
    Changed,
    /// Git holds this value, sealed.
    Kept,
    /// Git does not hold it sealed.
    New,
}

/// All that a preview depends on.
#[derive(PartialEq)]
struct Inputs {
    text: Zeroizing<String>,
    marks: Vec<String>,
    fields: (String, String, Chart),
    origin: Option<String>,
    locked: bool,
    taken: bool,
}

/// Handles to the state of one file; cheap to copy.
#[derive(Clone, Copy)]
pub struct Draft {
    /// Tells the drafts of one screen apart.
    pub id: u32,
    /// Manifest or add-on.
    pub kind: MemberKind,
    /// The name as typed; fixed once Git has it.
    pub name: RwSignal<String>,
    /// The namespace as typed.
    pub namespace: RwSignal<String>,
    /// The chart as typed; only for an add-on.
    pub chart: RwSignal<Chart>,
    /// The marks, as `encrypted_paths` records them.
    pub marks: RwSignal<Vec<String>>,
    /// What was typed; sealed text while `locked`.
    pub text: RwSignal<Zeroizing<String>>,
    /// What Git holds; `None` for a new file.
    pub origin: RwSignal<Option<Origin>>,
    /// Whether the file is sealed and not opened, so that it can only be looked at.
    pub locked: RwSignal<bool>,
    /// What the codec says about text and marks.
    pub check: Memo<Check>,
    /// Keys that look secret and are not marked.
    pub suggestions: RwSignal<Vec<Suggestion>>,
    /// What saving would send.
    pub preview: RwSignal<Preview>,
    /// Whether anything differs from what Git holds.
    pub changed: Memo<bool>,
    /// Counts the times that the text was set by something else than the editor.
    pub revision: RwSignal<u32>,
    /// The sealed values that Git holds, by hit, as they are written; empty while locked.
    before: Memo<SealedValues>,
    /// All files of the screen: names must differ.
    siblings: RwSignal<Vec<Self>>,
    recipient: StoredValue<String>,
    git: StoredValue<Option<Kept>, LocalStorage>,
    /// The newest preview.
    latest: StoredValue<Option<Kept>, LocalStorage>,
    /// The name that it was made under: a data key belongs to one file.
    latest_name: StoredValue<String>,
    timer: StoredValue<Option<Timeout>, LocalStorage>,
    computed_from: StoredValue<Option<Inputs>, LocalStorage>,
}

impl Draft {
    /// A file that Git does not have yet.
    pub fn fresh(
        id: u32,
        kind: MemberKind,
        recipient: &str,
        siblings: RwSignal<Vec<Self>>,
    ) -> Self {
        let text = RwSignal::new(Zeroizing::new(String::new()));
        let marks = RwSignal::new(Vec::<String>::new());
        let origin = RwSignal::new(None::<Origin>);
        let locked = RwSignal::new(false);
        let namespace = RwSignal::new(String::new());
        let chart = RwSignal::new(Chart::default());
        let before = Memo::new(move |_| {
            let values = |origin: &Origin| {
                let plain = origin.plain.as_ref().filter(|_| origin.sealed)?;
                Some(seal::sealed_values(&origin.git, plain))
            };
            origin
                .with(|origin| origin.as_ref().and_then(values))
                .unwrap_or_default()
        });
        let check = Memo::new(move |_| {
            if locked.get() {
                return Check::default();
            }
            let sealed = before.read();
            let promise = Promise {
                sealed: &sealed,
                manifest: kind == MemberKind::Manifest,
            };
            text.with(|text| marks.with(|marks| seal::check(text, marks, promise)))
        });
        let changed = Memo::new(move |_| {
            let same = |origin: &Origin| {
                text.with(|text| origin.plain.as_ref().is_none_or(|plain| plain == text))
                    && marks.with(|marks| *marks == origin.marks)
                    && namespace.with(|namespace| *namespace == origin.namespace)
                    && chart
                        .with(|chart| origin.chart.as_ref().is_none_or(|before| before == chart))
            };
            origin.with(|origin| origin.as_ref().is_none_or(|origin| !same(origin)))
        });
        let draft = Self {
            id,
            kind,
            name: RwSignal::new(String::new()),
            namespace,
            chart,
            marks,
            text,
            origin,
            locked,
            check,
            suggestions: RwSignal::new(Vec::new()),
            preview: RwSignal::new(Preview::Waiting),
            changed,
            revision: RwSignal::new(0),
            before,
            siblings,
            recipient: StoredValue::new(recipient.to_owned()),
            git: StoredValue::new_local(None),
            latest: StoredValue::new_local(None),
            latest_name: StoredValue::new(String::new()),
            timer: StoredValue::new_local(None),
            computed_from: StoredValue::new_local(None),
        };
        draft.preview_after_pauses();
        draft
    }

    /// A file of the branch. A sealed one is locked.
    pub fn of_git(
        id: u32,
        member: Member,
        commit: &str,
        recipient: &str,
        siblings: RwSignal<Vec<Self>>,
    ) -> Self {
        let draft = Self::fresh(id, member.kind, recipient, siblings);
        draft.name.set(member.name.to_string());
        draft.take_git(member, commit);
        draft
    }

    /// Whether Git does not have it yet. Tracks.
    pub fn is_new(self) -> bool {
        self.origin.with(Option::is_none)
    }

    /// Whether another file of the stack has this name. Tracks.
    pub fn is_taken(self) -> bool {
        let other = |draft: &Self| {
            draft.id != self.id
                && draft.kind == self.kind
                && draft.name.with(|name| *name == self.name.get())
        };
        self.is_new() && self.siblings.with(|all| all.iter().any(other))
    }

    /// Whether nothing was written into a new file yet. Tracks.
    pub fn is_blank(self) -> bool {
        self.is_new() && self.text.with(|text| text.is_empty())
    }

    /// Takes what Git holds now, and drops what was typed.
    pub fn take_git(self, member: Member, commit: &str) {
        let namespace = member
            .namespace
            .map(|namespace| namespace.to_string())
            .unwrap_or_default();
        self.git.set_value(None);
        self.latest.set_value(None);
        self.namespace.set(namespace.clone());
        self.chart.set(member.chart.clone().unwrap_or_default());
        self.marks.set(member.marks.clone());
        self.locked.set(member.sealed);
        let text = Zeroizing::new(member.text.clone());
        self.origin.set(Some(Origin {
            path: member.path,
            blob: member.blob,
            commit: commit.to_owned(),
            plain: (!member.sealed).then(|| Zeroizing::new(member.text.clone())),
            git: member.text,
            sealed: member.sealed,
            marks: member.marks,
            namespace,
            chart: member.chart,
        }));
        self.put(text);
    }

    /// Takes what Git holds now as the version to change, and keeps what was typed.
    pub fn rebase(self, member: Member, commit: &str) {
        self.origin.update(|origin| {
            let before = origin.take();
            *origin = Some(Origin {
                path: member.path,
                blob: member.blob,
                commit: commit.to_owned(),
                git: member.text,
                sealed: member.sealed,
                // its sealed values are not known here, so everything counts as changed
                plain: Some(Zeroizing::new(String::new())),
                marks: before.map(|before| before.marks).unwrap_or_default(),
                namespace: self.namespace.get_untracked(),
                chart: member.chart,
            });
        });
        self.git.set_value(None);
        self.compute();
    }

    /// The file was opened: what was sealed can be read and changed.
    pub fn unlock(self, kept: Kept) {
        let plain = Zeroizing::new(kept.plain().to_owned());
        self.git.set_value(Some(kept));
        self.origin.update(|origin| {
            if let Some(origin) = origin {
                origin.plain = Some(plain.clone());
            }
        });
        self.locked.set(false);
        self.put(plain);
    }

    /// Forgets what was opened, unless something would be lost. Tells whether it did.
    pub fn lock(self) -> bool {
        let sealed = self.origin.with_untracked(|origin| {
            origin
                .as_ref()
                .filter(|origin| origin.sealed)
                .map(|origin| origin.git.clone())
        });
        let Some(git) = sealed else { return false };
        if self.changed.get_untracked() || self.locked.get_untracked() {
            return false;
        }
        self.git.set_value(None);
        self.latest.set_value(None);
        self.origin.update(|origin| {
            if let Some(origin) = origin {
                origin.plain = None;
            }
        });
        self.locked.set(true);
        self.put(Zeroizing::new(git));
        true
    }

    /// Takes back everything that was typed; `false` for a file that Git does not have.
    pub fn revert(self) -> bool {
        let Some(origin) = self.origin.get_untracked() else {
            return false;
        };
        self.marks.set(origin.marks);
        self.namespace.set(origin.namespace);
        self.chart.set(origin.chart.unwrap_or_default());
        if let Some(plain) = origin.plain {
            self.put(plain);
        }
        true
    }

    /// Puts a text into the draft that did not come from the editor.
    pub fn put(self, text: Zeroizing<String>) {
        self.text.set(text);
        self.revision.update(|revision| *revision += 1);
        self.compute();
    }

    /// The server has put this version on the branch.
    pub fn saved(self, sent: &Sent, path: &str, blob: &str, commit: &str) {
        self.git.set_value(sent.kept.clone());
        self.origin.set(Some(Origin {
            path: path.to_owned(),
            blob: blob.to_owned(),
            commit: commit.to_owned(),
            git: sent.file.text.clone(),
            sealed: sent.kept.is_some(),
            plain: Some(sent.plain.clone()),
            marks: sent.file.marks.clone(),
            namespace: sent
                .file
                .namespace
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            chart: sent.file.chart.clone(),
        }));
        self.compute();
    }

    /// Whether something was typed since this was sent.
    pub fn differs_from(self, sent: &Sent) -> bool {
        self.text.with(|text| *text != sent.plain)
            || self.marks.with(|marks| *marks != sent.file.marks)
    }

    /// Whether this file stands at a path of the repository, or will.
    pub fn is_at(self, path: &str) -> bool {
        self.origin.with_untracked(|origin| match origin {
            Some(origin) => origin.path == path,
            None => path.ends_with(&format!("/{}.yaml", self.name.get_untracked())),
        })
    }

    /// Adds a mark, once.
    pub fn mark(self, mark: &str) {
        if self
            .marks
            .with_untracked(|marks| marks.iter().all(|other| other != mark))
        {
            self.marks.update(|marks| marks.push(mark.to_owned()));
        }
    }

    /// Tracks all that a person can change.
    pub fn track(self) {
        self.text.track();
        self.marks.track();
        self.name.track();
        self.namespace.track();
        self.chart.track();
    }

    /// Drops a mark.
    pub fn unmark(self, mark: &str) {
        self.marks
            .update(|marks| marks.retain(|other| other != mark));
    }

    /// How a marked value stands against what Git holds. Tracks.
    pub fn standing(self, hit: &Hit) -> Standing {
        let text = self.text.read();
        let now = text.get(hit.span.clone()).unwrap_or_default();
        self.before.with(|before| match before.get(&hit.id) {
            None => Standing::New,
            Some(known) if known == now => Standing::Kept,
            Some(_) => Standing::Changed,
        })
    }

    /// What keeps this file from being saved, apart from what sealing itself may find.
    pub fn obstacle(self) -> Option<Words> {
        let say = |what: &str, why: &str, code: &str| {
            Some(Words {
                what: what.to_owned(),
                why: why.to_owned(),
                code: code.to_owned(),
            })
        };
        if self.name.with(String::is_empty) {
            return say(
                "It needs a name.",
                "Lower-case letters, digits and - are allowed. The name becomes that of the file in Git.",
                "invalid-name",
            );
        }
        if let Err(invalid) = MemberName::parse(&self.name.get()) {
            return say(
                "The file needs another name.",
                &crate::error::sentence(&invalid.message),
                "invalid-name",
            );
        }
        if self.is_taken() {
            return say(
                "Another file of this stack has that name.",
                "Choose another name, or open that file and change it.",
                "invalid-name",
            );
        }
        let namespace = self.namespace.get();
        if !namespace.is_empty()
            && let Err(invalid) = NamespaceName::parse(&namespace)
        {
            return say(
                "The namespace has to change.",
                &crate::error::sentence(&invalid.message),
                "invalid-name",
            );
        }
        if self.kind == MemberKind::Addon {
            let chart = self.chart.get();
            if [&chart.name, &chart.version, &chart.repository_url]
                .iter()
                .any(|field| field.trim().is_empty())
            {
                return say(
                    "The chart is not complete.",
                    "An add-on needs the chart's name, its version and the address of its registry; fill them in above the values.",
                    "chart-incomplete",
                );
            }
        }
        self.check.with(|check| {
            check
                .findings
                .iter()
                .find(|finding| finding.refuses)
                .map(|finding| finding.words.clone())
        })
    }

    /// Computes the preview now, unless nothing has changed since: sealing twice would give other bytes.
    pub fn compute(self) {
        self.timer.set_value(None);
        let inputs = Some(untrack(|| self.inputs()));
        if self.computed_from.with_value(|before| *before == inputs) {
            return;
        }
        self.computed_from.set_value(inputs);
        let preview = untrack(|| self.computed());
        let suggestions = untrack(|| match self.locked.get() {
            true => Vec::new(),
            false => self
                .text
                .with(|text| self.marks.with(|marks| seal::suggest(text, marks))),
        });
        if self
            .suggestions
            .with_untracked(|before| *before != suggestions)
        {
            self.suggestions.set(suggestions);
        }
        if self.preview.with_untracked(|before| *before != preview) {
            self.preview.set(preview);
        }
    }

    fn inputs(self) -> Inputs {
        Inputs {
            text: self.text.get(),
            marks: self.marks.get(),
            fields: (self.name.get(), self.namespace.get(), self.chart.get()),
            origin: self
                .origin
                .with(|origin| origin.as_ref().map(|origin| origin.blob.clone())),
            locked: self.locked.get(),
            taken: self.is_taken(),
        }
    }

    fn computed(self) -> Preview {
        if let Some(git) = self.origin.with(|origin| {
            let unchanged = self.locked.get() || !self.changed.get();
            origin
                .as_ref()
                .filter(|_| unchanged)
                .map(|origin| origin.git.clone())
        }) {
            self.keep(self.git.with_value(Clone::clone));
            return Preview::Ready(git);
        }
        if let Some(words) = self.obstacle() {
            return Preview::Refused(words);
        }
        let text = self.text.get();
        let marks = self.marks.get();
        if marks.is_empty() {
            self.latest.set_value(None);
            return match seal::check_plain(&text) {
                Ok(()) => Preview::Ready(text.to_string()),
                Err(words) => Preview::Refused(words),
            };
        }
        if self.latest_name.get_value() != self.name.get() {
            self.latest.set_value(None);
        }
        let earlier = self
            .git
            .with_value(Clone::clone)
            .or_else(|| self.latest.with_value(Clone::clone));
        match seal::seal(&text, &marks, &self.recipient.get_value(), earlier.as_ref()) {
            Ok(kept) => {
                let sealed = kept.sealed().to_owned();
                self.keep(Some(kept));
                Preview::Ready(sealed)
            }
            Err(words) => Preview::Refused(words),
        }
    }

    fn keep(self, latest: Option<Kept>) {
        self.latest.set_value(latest);
        self.latest_name.set_value(self.name.get_untracked());
    }

    /// The file as it is to be sent: the very bytes of the preview.
    pub fn file(self) -> Result<Sent, Words> {
        self.compute();
        let text = match self.preview.get_untracked() {
            Preview::Ready(text) => text,
            Preview::Refused(words) => return Err(words),
            Preview::Waiting => return Err(Words::default()),
        };
        let invalid = |_| self.obstacle().unwrap_or_default();
        let namespace = self.namespace.get_untracked();
        Ok(Sent {
            draft: self,
            plain: self.text.get_untracked(),
            kept: self.latest.with_value(Clone::clone),
            file: SaveFile {
                kind: self.kind,
                name: MemberName::parse(&self.name.get_untracked()).map_err(invalid)?,
                namespace: match namespace.as_str() {
                    "" => None,
                    name => Some(NamespaceName::parse(name).map_err(invalid)?),
                },
                chart: (self.kind == MemberKind::Addon).then(|| self.chart.get_untracked()),
                marks: self.marks.get_untracked(),
                text,
                base_blob: self
                    .origin
                    .with_untracked(|origin| origin.as_ref().map(|origin| origin.blob.clone())),
            },
        })
    }

    /// Computes the preview a moment after the last change.
    fn preview_after_pauses(self) {
        follow(move || {
            self.track();
            self.is_taken();
            self.timer
                .set_value(Some(browser::after(PAUSE_MS, move || self.compute())));
        });
    }
}

/// A file as it was sent, with what is needed to go on editing it.
#[derive(Clone)]
pub struct Sent {
    /// The draft that it came from.
    pub draft: Draft,
    /// What went over the wire.
    pub file: SaveFile,
    plain: Zeroizing<String>,
    kept: Option<Kept>,
}

/// The preview is computed this long after the last key.
const PAUSE_MS: u32 = 150;
