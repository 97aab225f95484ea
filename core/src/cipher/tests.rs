//! The leaf cipher against real sops, OpenSSL and Wycheproof, and against damage.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;

use super::*;
use crate::random::RandomFailed;
use crate::vectors;

fn key_of(bytes: &[u8]) -> DataKey {
    DataKey::generate(&mut |out: &mut [u8]| -> Result<(), RandomFailed> {
        out.copy_from_slice(bytes);
        Ok(())
    })
    .unwrap()
}

fn parse(text: &str) -> SealedValue<'_> {
    SealedValue::parse(text).unwrap().unwrap()
}

#[test]
fn values_sealed_by_sops_and_openssl_open() {
    let file = vectors::json("aes-gcm-256-nonce/vectors.json");
    for (maker, count) in [("sops", 23), ("openssl", 29)] {
        let cases = file[maker].as_array().unwrap();
        assert_eq!(cases.len(), count);
        for case in cases {
            let key = key_of(&vectors::hex(&case["key"]));
            let aad = case["aad"].as_str().unwrap().as_bytes();
            let sealed = parse(case["text"].as_str().unwrap());
            assert_eq!(
                open(&key, sealed.clone(), aad).unwrap().as_slice(),
                vectors::hex(&case["plaintext"])
            );
            assert_eq!(sealed.kind, case["kind"].as_str().unwrap());
            let error = open(&key, sealed.clone(), b"elsewhere:").unwrap_err();
            assert_eq!(error.code(), ErrorCode::LeafTampered);
        }
    }
}

#[test]
fn values_of_others_are_sealed_again_to_the_same_text() {
    let file = vectors::json("aes-gcm-256-nonce/vectors.json");
    let mut count = 0;
    for case in file["sops"]
        .as_array()
        .unwrap()
        .iter()
        .chain(file["openssl"].as_array().unwrap())
    {
        let key = key_of(&vectors::hex(&case["key"]));
        let text = case["text"].as_str().unwrap();
        let (sealed, aad) = (parse(text), case["aad"].as_str().unwrap().as_bytes());
        if sealed.nonce.len() != 32 {
            continue;
        }
        let mut nonce = |out: &mut [u8]| -> Result<(), RandomFailed> {
            out.copy_from_slice(&sealed.nonce);
            Ok(())
        };
        let again = seal(
            &key,
            &vectors::hex(&case["plaintext"]),
            aad,
            sealed.kind,
            &mut nonce,
        )
        .unwrap();
        assert_eq!(again, text);
        count += 1;
    }
    assert_eq!(count, 35);
}

#[test]
fn aes_gcm_agrees_with_wycheproof_for_every_nonce_length() {
    let mut counts = [0, 0];
    for (group, case) in vectors::wycheproof("aes_gcm") {
        if group["keySize"] != 256 {
            continue;
        }
        let [key, nonce, aad, message, data, tag] =
            ["key", "iv", "aad", "msg", "ct", "tag"].map(|field| vectors::hex(&case[field]));
        let valid = case["result"] == "valid";
        if nonce.is_empty() {
            // Such a text is not well formed.
            assert!(!valid, "{case}");
            let text = format!("{PREFIX}data:AA==,iv:,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]");
            assert!(SealedValue::parse(&text).unwrap().is_err());
        } else {
            let sealed = SealedValue {
                data,
                nonce,
                tag: tag.try_into().unwrap(),
                kind: "str",
            };
            let opened = open(&key_of(&key), sealed, &aad);
            assert_eq!(opened.is_ok(), valid, "{case}");
            assert!(
                opened.is_err() || opened.unwrap().as_slice() == message,
                "{case}"
            );
        }
        counts[usize::from(!valid)] += 1;
    }
    assert_eq!(counts, [76, 29]);
}

#[test]
fn both_decryptions_agree_on_nonces_of_32_bytes() {
    let mut random = vectors::repeatable(1);
    let key = DataKey::generate(&mut random).unwrap();
    for length in [1, 15, 16, 17, 100] {
        let text = seal(&key, &vec![0xa5; length], b"a:b:", "str", &mut random).unwrap();
        let sealed = parse(&text);
        let mut data = sealed.data.clone();
        assert!(any_nonce::decrypt(
            key.expose(),
            &sealed.nonce,
            b"a:b:",
            &mut data,
            &sealed.tag
        ));
        assert_eq!(data, vec![0xa5; length]);
        let mut untouched = sealed.data.clone();
        assert!(!any_nonce::decrypt(
            key.expose(),
            &sealed.nonce,
            b"a:",
            &mut untouched,
            &sealed.tag
        ));
        assert_eq!(untouched, sealed.data);
    }
}

#[test]
fn texts_are_told_apart_into_plain_sealed_and_malformed() {
    let parts = [
        "data:AA==",
        "iv:AA==",
        "tag:AAAAAAAAAAAAAAAAAAAAAA==",
        "type:str",
    ];
    let good = format!("{PREFIX}{}]", parts.join(","));
    assert_eq!(parse(&good).kind, "str");
    for plain in [
        "",
        "x",
        "ENC",
        "ENC[",
        "ENC[PGP,data:AA==]",
        "enc[AES256_GCM,data:AA==]",
        &format!(" {good}"),
    ] {
        assert!(SealedValue::parse(plain).is_none(), "{plain}");
    }
    let malformed = [
        PREFIX.to_owned(),
        format!("{good} "),
        format!("{good}\n"),
        format!("{good}x"),
        format!("{good}]"),
        good.trim_end_matches("]").to_owned(),
        good.replace("data:AA==", "data:"),
        good.replace("data:AA==", "data:AB=="),
        good.replace("data:AA==", "data:AA"),
        good.replace("data:AA==", "data:A\rA=="),
        good.replace("data:AA==", "data:-_=="),
        good.replace("iv:AA==", "iv:"),
        good.replace("tag:AAAAAAAAAAAAAAAAAAAAAA==", "tag:AAAA"),
        good.replace("tag:AAAAAAAAAAAAAAAAAAAAAA==", "tag:"),
        good.replace("type:str", "type:"),
        good.replace("type:str", "type:Str"),
        good.replace("type:str", "type:s,iv:AA=="),
        good.replace(",iv:AA==", ""),
        format!(
            "{PREFIX}{},{},{},{}]",
            parts[1], parts[0], parts[2], parts[3]
        ),
        format!("{PREFIX}{},{}", good.trim_end_matches(']'), good),
    ];
    for text in malformed {
        let error = SealedValue::parse(&text)
            .unwrap()
            .err()
            .unwrap_or_else(|| panic!("{text}"));
        assert_eq!(error.code(), ErrorCode::LeafMalformed, "{text}");
        assert!(!error.to_string().contains("AA=="), "{text}");
    }
}

#[test]
fn any_flipped_bit_fails_but_for_the_label_that_nothing_authenticates() {
    let mut random = vectors::repeatable(2);
    let key = DataKey::generate(&mut random).unwrap();
    let text = seal(&key, b"hunter2", b"auth:password:", "str", &mut random).unwrap();
    let label = text.len() - "str]".len();
    let mut opened = 0;
    for at in 0..text.len() {
        for bit in 0..7 {
            let mut damaged = text.clone().into_bytes();
            damaged[at] ^= 1 << bit;
            let damaged = String::from_utf8(damaged).unwrap();
            // A damaged prefix makes it a plain text, for the caller to refuse where a sealed one is due.
            let Some(parsed) = SealedValue::parse(&damaged) else {
                assert!(at < PREFIX.len(), "bit {bit} of byte {at}");
                continue;
            };
            let result = parsed.and_then(|sealed| {
                let plain = open(&key, sealed.clone(), b"auth:password:")?;
                Ok((plain, sealed.kind.to_owned()))
            });
            if let Ok((plain, kind)) = result {
                assert!(
                    (label..text.len() - 1).contains(&at),
                    "bit {bit} of byte {at}"
                );
                assert_eq!(plain.as_slice(), b"hunter2");
                assert_ne!(kind, "str");
                opened += 1;
            }
        }
    }
    assert!(opened > 0);
}

#[test]
fn another_key_or_place_does_not_open_the_value() {
    let mut random = vectors::repeatable(3);
    let key = DataKey::generate(&mut random).unwrap();
    let other = DataKey::generate(&mut random).unwrap();
    let text = seal(&key, b"hunter2", b"a:", "str", &mut random).unwrap();
    assert_eq!(
        open(&key, parse(&text), b"a:").unwrap().as_slice(),
        b"hunter2"
    );
    for (key, aad) in [(&key, &b"b:"[..]), (&key, b""), (&other, b"a:")] {
        assert_eq!(
            open(key, parse(&text), aad).unwrap_err().code(),
            ErrorCode::LeafTampered
        );
    }
}

#[test]
fn every_sealing_takes_a_fresh_nonce() {
    let mut random = vectors::repeatable(4);
    let key = DataKey::generate(&mut random).unwrap();
    let texts: alloc::collections::BTreeSet<_> = (0..1000)
        .map(|_| parse(&seal(&key, b"x", b"a:", "str", &mut random).unwrap()).nonce)
        .collect();
    assert_eq!(texts.len(), 1000);
    assert!(texts.iter().all(|nonce| nonce.len() == 32));
}

#[test]
fn nothing_is_sealed_without_randomness_or_without_a_value() {
    let key = DataKey::generate(&mut vectors::repeatable(5)).unwrap();
    let result = seal(&key, b"x", b"a:", "str", &mut vectors::failing(0));
    assert!(matches!(result, Err(Error::RandomFailed)));
    let result = seal(&key, b"", b"a:", "str", &mut vectors::repeatable(6));
    assert_eq!(result.unwrap_err().code(), ErrorCode::Internal);
}
