//! Keys that look as if their values were secret and are not marked. A hint, never a decision.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::document::{Document, Plain};
use crate::marks::{self, Manifest, Mark};
use crate::order::Table;
use crate::path::Path;
use crate::value::ValueKind;

/// A mark that a person may want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The mark, as it would be written.
    pub mark: String,
    /// The value it is for.
    pub path: Path,
    /// Its line, from 1.
    pub line: usize,
}

/// Suggests a mark for each value that looks secret and that no mark hits.
pub fn suggest(document: &Document<Plain>, marks: &[Mark]) -> Vec<Suggestion> {
    let rule = marks::analyse(document, marks).selector;
    let mut suggestions: Vec<Suggestion> = Vec::new();
    let manifests = Manifest::all(document);
    let all = document.scalars().enumerate();
    let below = all.flat_map(|(at, (_, scalar))| scalar.path.keys().map(move |key| (key, at)));
    let values_below = Table::new(below.collect());
    for (number, scalar) in document.scalars() {
        let manifest = manifests.get(number).copied().unwrap_or_default();
        let top = scalar.path.keys().next().unwrap_or_default();
        let reserved =
            manifest.is_manifest && matches!(top, "apiVersion" | "kind" | "metadata" | "type");
        let covered = rule.as_ref().is_some_and(|rule| rule.selects(&scalar.path));
        let key = scalar.path.last_key().unwrap_or_default();
        let fits = matches!(scalar.value.kind(), ValueKind::String | ValueKind::Integer)
            && !scalar.value.is_empty();
        let in_secret = manifest.is_secret && matches!(top, "data" | "stringData");
        let secret =
            in_secret || is_secret_key(key) || scalar.value.as_str().is_some_and(is_secret_text);
        if reserved || covered || !fits || !secret || key.is_empty() {
            continue;
        }
        let alone = match values_below.get(|at| (*at).cmp(key)) {
            [(_, first), .., (_, last)] => first == last,
            few => !few.is_empty(),
        };
        let name_is_mark = key.starts_with('.') || !key.contains('.');
        let mark = if alone && name_is_mark {
            key.to_owned()
        } else {
            scalar.path.dotted()
        };
        if suggestions.iter().all(|known| known.mark != mark) {
            suggestions.push(Suggestion {
                mark,
                path: scalar.path.clone(),
                line: scalar.line,
            });
        }
    }
    suggestions
}

fn is_secret_key(key: &str) -> bool {
    let plain: String = key
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    const WORDS: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "privatekey",
        "accesskey",
        "credential",
        "connectionstring",
        "dockerconfigjson",
        "tlskey",
        "webhookurl",
        "clientkey",
    ];
    // These name a place, not the secret itself.
    const PLACES: &[&str] = &[
        "name",
        "ref",
        "path",
        "file",
        "key",
        "enabled",
        "ttl",
        "url",
        "namespace",
        "length",
        "expiry",
    ];
    let hit = WORDS.iter().any(|word| plain.contains(word))
        || matches!(plain.as_str(), "pwd" | "pass" | "dsn");
    let own_key = [
        "apikey",
        "privatekey",
        "accesskey",
        "tlskey",
        "clientkey",
        "secretkey",
        "webhookurl",
    ]
    .iter()
    .any(|word| plain.ends_with(word));
    hit && (own_key || !PLACES.iter().any(|place| plain.ends_with(place)))
        && !plain.starts_with("existing")
}

fn is_secret_text(text: &str) -> bool {
    let with_login = text.split_once("://").is_some_and(|(_, rest)| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        host.split_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
    });
    with_login
        || text.contains("PRIVATE KEY-----")
        || [
            "ghp_",
            "github_pat_",
            "glpat-",
            "xoxb-",
            "xoxp-",
            "sk_live_",
            "AGE-SECRET-KEY-",
            "eyJhbGciOi",
        ]
        .iter()
        .any(|prefix| text.starts_with(prefix))
        || (text.len() == 20 && text.starts_with("AKIA"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn marks_of(text: &str) -> Vec<String> {
        let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap();
        suggest(&document, &[])
            .into_iter()
            .map(|suggestion| suggestion.mark)
            .collect()
    }

    #[test]
    fn secrets_are_found_by_key_and_by_text() {
        assert_eq!(marks_of("adminPassword: x\nuser: y\n"), ["adminPassword"]);
        assert_eq!(
            marks_of("auth:\n  password: x\ndb:\n  password: y\n"),
            ["auth.password", "db.password"]
        );
        assert_eq!(marks_of("url: postgres://u:p@h/db\n"), ["url"]);
        assert_eq!(
            marks_of(
                "kind: Secret\napiVersion: v1\nmetadata: {name: password}\nstringData:\n  .dockerconfigjson: x\n  a.b: y\n"
            ),
            [".dockerconfigjson", "stringData.a.b"]
        );
    }

    #[test]
    fn names_of_places_are_no_secrets() {
        assert_eq!(
            marks_of(
                "existingSecret: x\nsecretName: y\npasswordFile: z\ntokenTtl: 5\nsecretKeyRef: a\npassword: ''\n"
            ),
            Vec::<String>::new()
        );
    }
}
