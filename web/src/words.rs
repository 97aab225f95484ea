//! Small wordings: counts, shortened identifiers, times, and the sentence that says what saving will do.

use crate::diff::{Row, Sign};

/// `1 file`, `2 files`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// An identifier shortened in the middle: `age1ql3…ac8p`.
pub fn short(identifier: &str) -> String {
    let characters: Vec<char> = identifier.chars().collect();
    if characters.len() <= 16 {
        return identifier.to_owned();
    }
    let head: String = characters.iter().take(7).collect();
    let tail: String = characters.iter().skip(characters.len() - 4).collect();
    format!("{head}…{tail}")
}

/// A commit as people read it: 7 hex digits.
pub fn short_commit(commit: &str) -> String {
    commit.chars().take(7).collect()
}

/// How long ago, in words; the exact time belongs beside it.
pub fn ago(now_ms: f64, then_ms: f64) -> String {
    let seconds = ((now_ms - then_ms) / 1000.0).max(0.0);
    let whole = |unit: f64, one: &str, many: &str| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small and not negative"
        )]
        let number = (seconds / unit).floor() as usize;
        format!("{} ago", count(number, one, many))
    };
    match seconds {
        s if s < 45.0 => "just now".to_owned(),
        s if s < 3600.0 => whole(60.0, "minute", "minutes").replace("0 minutes", "1 minute"),
        s if s < 86_400.0 => whole(3600.0, "hour", "hours"),
        _ => whole(86_400.0, "day", "days"),
    }
}

/// What a difference changes, as Git will show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Lines that hold a value which is sealed anew.
    pub sealed: usize,
    /// Readable lines that are new, changed or gone.
    pub clear: usize,
}

/// Looks at a difference without the `sops` block, which follows from the rest.
pub fn effect(rows: &[Row<'_>]) -> Effect {
    let mut effect = Effect::default();
    let (mut added, mut removed) = (0, 0);
    let (mut come, mut gone) = (Vec::new(), Vec::new());
    let (mut in_old, mut in_new) = (false, false);
    for row in rows {
        // a block ends where a line at the left margin begins that is not its own
        let heads = |inside: bool| match row.text.chars().next() {
            Some(' ' | '\t') | None => inside,
            Some(_) => row.text.starts_with("sops:"),
        };
        if row.old.is_some() {
            in_old = heads(in_old);
        }
        if row.new.is_some() {
            in_new = heads(in_new);
        }
        let sealed = parts(&row.text);
        match (row.sign, sealed) {
            (Sign::Added, _) if in_new => {}
            (Sign::Added, Some(parts)) => come.push(parts),
            (Sign::Added, None) => added += 1,
            (Sign::Removed, _) if in_old => {}
            (Sign::Removed, Some(parts)) => gone.push(parts),
            (Sign::Removed, None) => removed += 1,
            (Sign::Gap | Sign::Same, _) => {}
        }
    }
    // a line that only got another comment keeps its ciphertext
    let mut known: Vec<&str> = gone
        .iter()
        .flat_map(|(value, note)| [*value, *note])
        .collect();
    known.sort_unstable();
    let is_new = |part: &str| known.binary_search(&part).is_err();
    effect.sealed = come.iter().filter(|(value, _)| is_new(value)).count();
    added += come
        .iter()
        .filter(|(_, note)| note.starts_with('#') && is_new(note))
        .count();
    // a changed line is one that goes and one that comes
    effect.clear = added.max(removed);
    if effect.sealed == 0 && effect.clear == 0 {
        effect.clear = gone.len();
    }
    effect
}

/// The ciphertext of a line, and what stands behind it in clear.
fn parts(line: &str) -> Option<(&str, &str)> {
    let (_, sealed) = line.split_once("ENC[AES256_GCM,")?;
    let (value, behind) = sealed.split_once(']')?;
    Some((value, behind.trim_start_matches(['\'', '"', ' ', '\t'])))
}

/// What saving will do, in one sentence.
pub struct Plan<'a> {
    /// Files that change.
    pub files: usize,
    /// All of them together.
    pub effect: Effect,
    /// The organisation's name.
    pub organisation: &'a str,
    /// The organisation's recipient.
    pub recipient: &'a str,
    /// The branch.
    pub branch: &'a str,
    /// Address of the repository.
    pub remote: &'a str,
}

impl Plan<'_> {
    /// The sentence.
    pub fn sentence(&self) -> String {
        let Self {
            files,
            effect,
            organisation,
            recipient,
            branch,
            remote,
        } = self;
        let mut parts = Vec::new();
        if effect.sealed > 0 {
            let values = count(effect.sealed, "value", "values");
            parts.push(format!(
                "{values} sealed for {organisation} ({})",
                short(recipient)
            ));
        }
        if effect.clear > 0 {
            parts.push(format!(
                "{} changed in clear",
                count(effect.clear, "line", "lines")
            ));
        }
        let files = count(*files, "file", "files");
        parts.push(format!(
            "commit of {files} to {branch} of {}",
            repository(remote)
        ));
        parts.join(", ") + "."
    }
}

/// The last two parts of a repository's address, as people name it.
pub fn repository(remote: &str) -> String {
    let trimmed = remote.trim_end_matches('/');
    let trimmed = trimmed.strip_suffix(".git").unwrap_or(trimmed);
    let local = trimmed.starts_with("file:") || trimmed.starts_with('/');
    let parts: Vec<&str> = trimmed
        .rsplit(['/', ':'])
        .take(if local { 1 } else { 2 })
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff;

    #[test]
    fn identifiers_are_shortened_in_the_middle() {
        let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert_eq!(short(recipient), "age1ql3…ac8p");
        assert_eq!(short("short"), "short");
        assert_eq!(short_commit("0123456789abcdef"), "0123456");
    }

    #[test]
    fn times_are_told_in_words() {
        let at = |seconds: f64| ago(1_000_000_000.0, 1_000_000_000.0 - seconds * 1000.0);
        assert_eq!(at(3.0), "just now");
        assert_eq!(at(50.0), "1 minute ago");
        assert_eq!(at(150.0), "2 minutes ago");
        assert_eq!(at(7300.0), "2 hours ago");
        assert_eq!(at(200_000.0), "2 days ago");
        assert_eq!(at(-5.0), "just now");
    }

    #[test]
    fn a_sealed_line_is_told_apart_from_one_in_clear() {
        let old = "a: 1\npassword: ENC[AES256_GCM,data:x]\nsops:\n  mac: ENC[AES256_GCM,data:m]\n";
        let new =
            "a: 2\nb: 3\npassword: ENC[AES256_GCM,data:y]\nsops:\n  mac: ENC[AES256_GCM,data:n]\n";
        assert_eq!(
            effect(&diff::rows(old, new)),
            Effect {
                sealed: 1,
                clear: 2
            }
        );
    }

    #[test]
    fn a_comment_behind_a_sealed_value_counts_as_clear() {
        let old = "a: ENC[AES256_GCM,data:x]\nb: 'ENC[AES256_GCM,data:y]' # why\n";
        let told = |new: &str| {
            let Effect { sealed, clear } = effect(&diff::rows(old, new));
            (sealed, clear)
        };
        let kept = "b: 'ENC[AES256_GCM,data:y]' # why\n";
        assert_eq!(
            told(&format!("a: ENC[AES256_GCM,data:x] # new\n{kept}")),
            (0, 1)
        );
        assert_eq!(
            told(&format!("a: ENC[AES256_GCM,data:z] # new\n{kept}")),
            (1, 1)
        );
        assert_eq!(told(&format!("a: ENC[AES256_GCM,data:z]\n{kept}")), (1, 0));
        let changed = "b: 'ENC[AES256_GCM,data:z]' # why\n";
        assert_eq!(
            told(&format!("a: ENC[AES256_GCM,data:x]\n{changed}")),
            (1, 0)
        );
        assert_eq!(told("a: ENC[AES256_GCM,data:x]\n"), (0, 1));
    }

    #[test]
    fn text_behind_the_sops_block_counts_again() {
        let old = "sops:\n  mac: x\n---\nb: 1\n";
        let new = "sops:\n  mac: y\n---\nb: 2\n";
        assert_eq!(
            effect(&diff::rows(old, new)),
            Effect {
                sealed: 0,
                clear: 1
            }
        );
    }

    #[test]
    fn the_sentence_names_what_happens_and_where() {
        let mut plan = Plan {
            files: 1,
            effect: Effect {
                sealed: 2,
                clear: 1,
            },
            organisation: "acme",
            recipient: "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
            branch: "main",
            remote: "https://github.com/acme/shop-gitops.git",
        };
        assert_eq!(
            plan.sentence(),
            "2 values sealed for acme (age1ql3…ac8p), 1 line changed in clear, commit of 1 file to main of acme/shop-gitops."
        );
        plan.effect = Effect::default();
        assert_eq!(
            plan.sentence(),
            "commit of 1 file to main of acme/shop-gitops."
        );
    }

    #[test]
    fn repositories_are_named_shortly() {
        assert_eq!(repository("file:///var/lib/stackseal/remote.git"), "remote");
        assert_eq!(repository("https://git.example/team/app"), "team/app");
    }
}
