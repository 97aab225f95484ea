//! What the whole page shares: who is signed in, which screen is shown, what must not be lost.
//!
//! Nothing here goes to the browser's storage; the theme and the like are kept by `settings`.

use leptos::prelude::*;
use leptos::task::spawn_local;
use stackseal_model::api::{Encryption, Organisation, Session};

use crate::api;
use crate::browser;
use crate::error::{Failure, Words};
use crate::route::Route;

/// How far the page knows who is using it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Not asked yet.
    Asking,
    /// Nobody, perhaps for a reason: a sign-in link is needed.
    Nobody(Option<Words>),
    /// A person, and the organisation once it is named.
    Person(Session),
    /// It could not be found out.
    Unknown(Words),
}

/// Handles to the shared state; cheap to copy, kept in the context.
#[derive(Clone, Copy)]
pub struct App {
    /// Who is signed in.
    pub who: RwSignal<Who>,
    /// The screen.
    pub route: RwSignal<Route>,
    /// How many files would be lost by leaving.
    pub unsaved: RwSignal<usize>,
    /// Where a person wants to go while something is unsaved.
    pub leaving: RwSignal<Option<Route>>,
    /// The newest short message.
    pub toast: RwSignal<Option<String>>,
    /// Counts up each time the page locks itself.
    pub locks: RwSignal<u32>,
    /// Whether the builder that opens next shall begin with the sample's files.
    pub sample: StoredValue<bool>,
}

impl App {
    /// Makes the state and puts it into the context. Listens to the browser's back button, to closing the tab
    /// and to idleness.
    pub fn provide() -> Self {
        let app = Self {
            who: RwSignal::new(Who::Asking),
            route: RwSignal::new(Route::parse(&browser::path())),
            unsaved: RwSignal::new(0),
            leaving: RwSignal::new(None),
            toast: RwSignal::new(None),
            locks: RwSignal::new(0),
            sample: StoredValue::new(false),
        };
        provide_context(app);
        browser::on_back(move || app.went_back());
        browser::ask_before_closing(move || app.unsaved.get_untracked() > 0);
        browser::on_leaving(move || app.locks.update(|count| *count += 1));
        browser::on_idle(IDLE_MS, move || app.locks.update(|count| *count += 1));
        app
    }

    /// The state from the context.
    pub fn take() -> Self {
        expect_context()
    }

    /// Goes to another screen, after a question when something is unsaved.
    pub fn go(self, route: Route) {
        if route == self.route.get_untracked() {
            return;
        }
        if self.unsaved.get_untracked() > 0 {
            self.leaving.set(Some(route));
        } else {
            self.go_now(route);
        }
    }

    /// Goes to another screen; what is unsaved is lost.
    pub fn go_now(self, route: Route) {
        self.leaving.set(None);
        self.unsaved.set(0);
        browser::push(&route.path());
        self.route.set(route);
        browser::scroll_to_top();
        spawn_local(async {
            // the new screen is there with the next turn
            browser::pause(0).await;
            browser::focus("main");
        });
    }

    /// The address changed under the page. What is unsaved keeps the screen until the person has answered.
    fn went_back(self) {
        let wanted = Route::parse(&browser::path());
        let here = self.route.get_untracked();
        if wanted != here && self.unsaved.get_untracked() > 0 {
            browser::push(&here.path());
            self.leaving.set(Some(wanted));
        } else {
            self.route.set(wanted);
        }
    }

    /// Says a short message, to everyone.
    pub fn say(self, message: impl Into<String>) {
        self.toast.set(Some(message.into()));
    }

    /// Asks the server who is signed in.
    pub async fn load(self) {
        let who = match api::session().await {
            Ok(session) => Who::Person(session),
            Err(failure) if failure.is_signed_out() => Who::Nobody(None),
            Err(failure) => Who::Unknown(failure.words()),
        };
        self.who.set(who);
    }

    /// Trades the token of a sign-in link for a session.
    pub async fn sign_in(self, token: String) {
        self.who.set(Who::Asking);
        match api::sign_in(token).await {
            Ok(()) => {
                self.load().await;
                self.enter();
            }
            Err(failure) => {
                let words = match failure {
                    Failure::Refused(problem) if problem.status == 401 => {
                        // an old link opened once more need not stop somebody who is signed in
                        if let Ok(session) = api::session().await {
                            self.who.set(Who::Person(session));
                            self.enter();
                            return self
                                .say("That link works no more, but you are signed in already.");
                        }
                        crate::error::of_problem(&problem)
                    }
                    other => other.words(),
                };
                self.who.set(Who::Nobody(Some(words)));
            }
        }
    }

    /// Leaves the screen for signing in.
    fn enter(self) {
        if self.route.get_untracked() == Route::SignIn {
            browser::replace(&Route::Stacks.path());
            self.route.set(Route::Stacks);
        }
    }

    /// Ends the session and forgets everything.
    pub async fn sign_out(self) -> Result<(), Failure> {
        api::sign_out().await?;
        self.unsaved.set(0);
        // a fresh load leaves nothing of this session in memory
        browser::reload_at("/signin");
        Ok(())
    }

    /// The organisation, once it is named. Tracks.
    pub fn organisation(self) -> Option<Organisation> {
        self.who.with(|who| match who {
            Who::Person(session) => session.organisation.clone(),
            Who::Asking | Who::Nobody(_) | Who::Unknown(_) => None,
        })
    }

    /// The organisation's public key, once encryption is initialised. Tracks.
    pub fn encryption(self) -> Option<Encryption> {
        self.organisation()
            .and_then(|organisation| organisation.encryption)
    }

    /// Notes what the server says about the organisation.
    pub fn set_organisation(self, organisation: Organisation) {
        self.who.update(|who| {
            if let Who::Person(session) = who {
                session.organisation = Some(organisation);
            }
        });
    }
}

/// After this long without a key, a pointer or a touch the page locks itself.
const IDLE_MS: f64 = 5.0 * 60.0 * 1000.0;
