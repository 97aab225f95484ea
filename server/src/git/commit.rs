//! The commit message, from a template only: no text of a person enters it.

use stackseal_model::name::StackName;

/// The message of a save's commit: a subject and the trailers `Stack`, `Actor`, `Save-Id`.
pub(crate) fn message(stack: &StackName, files: usize, actor: &str, save: &str) -> String {
    // A stack name is a DNS label, so it cannot hold a line break or start a trailer. The actor comes
    // from the session; what is not plain is replaced.
    let actor: String = actor
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || " .-_@+".contains(c) {
                c
            } else {
                '?'
            }
        })
        .take(128)
        .collect();
    let what = match files {
        0 => "add the stack".to_owned(),
        1 => "save 1 file".to_owned(),
        n => format!("save {n} files"),
    };
    format!("{stack}: {what}\n\nStack: {stack}\nActor: {actor}\nSave-Id: {save}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_three_trailers_whatever_the_actor_is_called() {
        let stack = StackName::parse("database").unwrap();
        for actor in [
            "owner",
            "a\nSigned-off-by: b",
            "x\r\u{2028}[skip ci]\u{1b}[31m",
            "ä",
        ] {
            let text = message(&stack, 2, actor, "0123");
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines.len(), 5, "{text:?}");
            assert_eq!(lines[0], "database: save 2 files");
            assert!(lines[3].starts_with("Actor: ") && lines[4] == "Save-Id: 0123");
            assert!(!text.contains(['[', '\u{1b}', '\u{2028}', '\r']));
        }
    }
}
