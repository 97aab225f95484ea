//! The check without keys: what passes, and every trick that must not.

use stackseal_core::{ErrorCode, Limits, guard};

use crate::support::{parse_marks, recipients, seal};

fn check(text: &str, marks: &[&str], to: &[u64]) -> Result<usize, ErrorCode> {
    guard::check(
        text.as_bytes(),
        &parse_marks(marks),
        &recipients(to),
        &Limits::default(),
    )
    .map(|guarded| guarded.sealed_values)
    .map_err(|error| error.code())
}

const TEXT: &str = "auth:\n  password: x\n  user: y\nempty:\n  token: ''\nlist:\n- a\n";

#[test]
fn what_was_sealed_by_its_marks_passes() {
    let sealed = seal(TEXT, &["auth.password", "token", "list"]);
    assert_eq!(
        check(sealed.text(), &["auth.password", "token", "list"], &[1]),
        Ok(2)
    );
    assert_eq!(check(TEXT, &[], &[1]), Ok(0));
}

#[test]
fn half_sealed_and_declassified_texts_do_not() {
    let sealed = seal(TEXT, &["password", "user"]);
    let text = sealed.text();
    let marks = &["password", "user"][..];
    let line = |key: &str| {
        text.lines()
            .find(|line| line.trim_start().starts_with(key))
            .unwrap()
            .to_owned()
    };
    let code = |text: String, marks: &[&str]| check(&text, marks, &[1]).unwrap_err();

    assert_eq!(
        code(TEXT.into(), marks),
        ErrorCode::LeafNotSealed,
        "all in clear"
    );
    assert_eq!(
        code(text.replace(&line("password:"), "  password: x"), marks),
        ErrorCode::LeafNotSealed,
        "one in clear"
    );
    assert_eq!(
        code(
            text.replace(&line("password:"), "  password: ENC[AES256_GCM,data:x]"),
            marks
        ),
        ErrorCode::LeafMalformed
    );
    assert_eq!(
        code(
            text.replace(&line("password:"), &format!("{}x", line("password:"))),
            marks
        ),
        ErrorCode::LeafMalformed,
        "text behind the bracket"
    );
    assert_eq!(
        code(text.replace("^(password|user)$", "^(password)$"), marks),
        ErrorCode::InvalidSelector,
        "narrowed rule"
    );
    assert_eq!(
        code(
            text.replace("^(password|user)$", "^(password)$"),
            &["password"]
        ),
        ErrorCode::ValueLooksSealed,
        "ciphertext that nobody would open"
    );
    assert_eq!(
        code(text.replace("^(password|user)$", "("), marks),
        ErrorCode::InvalidSelector
    );
    assert_eq!(
        code(text.replace("encrypted_regex", "unencrypted_regex"), marks),
        ErrorCode::InvalidSelector
    );
    assert_eq!(
        code(text.replace("  password:", "  pass:"), marks),
        ErrorCode::MarkMatchesNothing,
        "renamed key"
    );
    assert_eq!(
        code(text.replace("empty:\n", "empty:\n  password: y\n"), marks),
        ErrorCode::LeafNotSealed,
        "added beside"
    );
    assert_eq!(
        code(
            text.replace("sops:\n", "sops:\n    mac_only_encrypted: true\n"),
            marks
        ),
        ErrorCode::MetadataInvalid
    );
    assert_eq!(
        code(format!("{text}---\npassword: x\n"), marks),
        ErrorCode::MetadataInvalid,
        "a second document"
    );
    assert_eq!(
        code(text.replace("    mac: ENC[", "    mac: XXX["), marks),
        ErrorCode::MacMismatch
    );
    assert_eq!(
        code(
            text.replace(
                "sops:\n",
                "sops:\n    pgp:\n        - fp: x\n          created_at: \"2026-01-31T12:00:00Z\"\n"
            ),
            marks
        ),
        ErrorCode::RecipientMismatch
    );
    assert_eq!(
        code(text.into(), &[]),
        ErrorCode::AlreadySealed,
        "no marks, yet sealed"
    );
    assert_eq!(
        code("a: ENC[AES256_GCM,data:x]\n".into(), &[]),
        ErrorCode::ValueLooksSealed
    );
    assert_eq!(
        code(
            text.replace("list:\n- a\n", "list: &l\n- a\nmore: *l\n"),
            marks
        ),
        ErrorCode::AliasInSealedDocument
    );
}

#[test]
fn recipients_are_exactly_those_registered() {
    let sealed = seal(TEXT, &["password"]);
    assert_eq!(
        check(sealed.text(), &["password"], &[2]),
        Err(ErrorCode::RecipientMismatch)
    );
    assert_eq!(
        check(sealed.text(), &["password"], &[1, 2]),
        Err(ErrorCode::RecipientMismatch)
    );
    assert_eq!(
        check(sealed.text(), &["password"], &[]),
        Err(ErrorCode::RecipientMismatch)
    );
    let twice = sealed.text().replace(
        "    lastmodified",
        &format!(
            "        - recipient: {}\n          enc: x\n    lastmodified",
            recipients(&[1])[0]
        ),
    );
    assert_eq!(
        check(&twice, &["password"], &[1]),
        Err(ErrorCode::RecipientMismatch)
    );
}
