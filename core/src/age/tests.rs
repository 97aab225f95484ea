//! The age module against the CCTV and Wycheproof vectors, and against damage to its own files.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _, Nonce};
use hmac::{Hmac, Mac as _};
use sha2::Digest as _;

use super::*;
use crate::vectors;

/// One file of the CCTV set.
struct Case {
    fields: BTreeMap<String, Vec<String>>,
    file: Vec<u8>,
}

impl Case {
    fn read(name: &str) -> Self {
        let bytes = vectors::read(&format!("age/cctv/{name}"));
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let mut fields = BTreeMap::<String, Vec<String>>::new();
        for line in core::str::from_utf8(&bytes[..end]).unwrap().lines() {
            let (key, value) = line.split_once(": ").unwrap();
            assert!(KEYS.contains(&key), "{name}: unknown key {key}");
            fields
                .entry(key.to_owned())
                .or_default()
                .push(value.to_owned());
        }
        let case = Self {
            fields,
            file: bytes[end + 2..].to_vec(),
        };
        let file = match case.one("compressed") {
            None => case.file,
            Some("zlib") => miniz_oxide::inflate::decompress_to_vec_zlib(&case.file).unwrap(),
            Some(other) => panic!("{name}: unknown compression {other}"),
        };
        Self {
            fields: case.fields,
            file,
        }
    }

    fn all(&self, key: &str) -> &[String] {
        self.fields.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    fn one(&self, key: &str) -> Option<&str> {
        assert!(self.all(key).len() <= 1, "{key} is repeated");
        self.all(key).first().map(String::as_str)
    }

    /// What keeps a case from applying in full.
    fn foreign_kind(&self) -> Option<&'static str> {
        if !self.all("passphrase").is_empty() {
            Some("passphrase")
        } else if !self.all("identity").iter().all(|text| is_known(text)) {
            Some("post-quantum")
        } else {
            None
        }
    }

    fn binary(&self) -> Result<Vec<u8>, Error> {
        match self.one("armored") {
            None => Ok(self.file.clone()),
            Some("yes") => armor::decode(core::str::from_utf8(&self.file).unwrap()),
            Some(other) => panic!("unknown armor {other}"),
        }
    }

    fn decrypt(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let known = self.all("identity").iter().filter(|text| is_known(text));
        let identities: Vec<_> = known.map(|text| Identity::parse(text).unwrap()).collect();
        decrypt(&self.binary()?, &identities)
    }

    fn file_key(&self) -> FileKey {
        let bytes = vectors::hex(&self.one("file key").unwrap().into());
        FileKey::new(bytes.try_into().unwrap())
    }
}

fn is_known(identity: &str) -> bool {
    cfg!(feature = "hybrid") || !identity.starts_with("AGE-SECRET-KEY-PQ-1")
}

/// A count that is larger where post-quantum keys are known.
fn with_hybrid(count: usize, more: usize) -> usize {
    count + if cfg!(feature = "hybrid") { more } else { 0 }
}

/// An outcome in the words of the vectors.
fn outcome(result: &Result<Zeroizing<Vec<u8>>, Error>) -> &'static str {
    let Err(error) = result else { return "success" };
    let message = error.to_string();
    match error.code() {
        ErrorCode::NoMatchingIdentity => "no match",
        ErrorCode::AgeFileInvalid if message.starts_with("the age header is malformed") => {
            "header failure"
        }
        ErrorCode::AgeFileInvalid if message.starts_with("the age armor is malformed") => {
            "armor failure"
        }
        ErrorCode::AgeFileInvalid if message.starts_with("the age payload is damaged") => {
            "payload failure"
        }
        ErrorCode::AgeFileInvalid if message.starts_with("the age header was altered") => {
            "HMAC failure"
        }
        other => panic!("{other:?}: {message}"),
    }
}

#[test]
fn every_vector_that_applies_has_the_outcome_it_names() {
    let mut counts = BTreeMap::new();
    for name in vectors::names("age/cctv") {
        let case = Case::read(&name);
        if case.foreign_kind().is_some() {
            continue;
        }
        let result = case.decrypt();
        let expected = case.one("expect").unwrap();
        assert_eq!(outcome(&result), expected, "{name}: {result:?}");
        if let Ok(payload) = &result {
            let digest = Sha256::digest(payload.as_slice());
            assert_eq!(
                digest.as_slice(),
                vectors::hex(&case.one("payload").unwrap().into()),
                "{name}"
            );
        }
        *counts.entry(expected.to_owned()).or_insert(0) += 1;
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(outcome, count)| (outcome.as_str(), *count))
        .collect();
    assert_eq!(
        counts,
        [
            ("HMAC failure", 1),
            ("armor failure", 22),
            ("header failure", with_hybrid(33, 9)),
            ("no match", with_hybrid(4, 5)),
            ("payload failure", 19),
            ("success", with_hybrid(19, 5)),
        ]
    );
}

#[test]
fn vectors_for_passphrases_and_post_quantum_keys_never_open() {
    let mut counts = BTreeMap::new();
    for name in vectors::names("age/cctv") {
        let case = Case::read(&name);
        let Some(kind) = case.foreign_kind() else {
            continue;
        };
        let outcome = outcome(&case.decrypt());
        // What is wrong within a foreign stanza stays unknown; what is wrong around it does not.
        let expected = case.one("expect").unwrap();
        assert!(
            outcome == "no match" || (outcome, expected) == ("header failure", expected),
            "{name}: {outcome}"
        );
        for text in case.all("identity").iter().filter(|text| !is_known(text)) {
            assert_eq!(
                Identity::parse(text).unwrap_err().code(),
                ErrorCode::InvalidIdentity,
                "{name}"
            );
        }
        *counts.entry((kind, outcome)).or_insert(0) += 1;
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let expected = [
        (("passphrase", "header failure"), 3),
        (("passphrase", "no match"), 23),
        (("post-quantum", "header failure"), 2),
        (("post-quantum", "no match"), 17),
    ];
    let apply = if cfg!(feature = "hybrid") { 2 } else { 4 };
    assert_eq!(counts, expected[..apply]);
}

#[test]
fn well_formed_headers_are_written_as_they_were_read() {
    let mut count = 0;
    for name in vectors::names("age/cctv") {
        let case = Case::read(&name);
        let Ok(file) = case.binary() else { continue };
        let Ok((header, payload)) = Header::parse(&file) else {
            continue;
        };
        // One vector has a file key of another length, one a MAC that is wrong on purpose.
        if case.one("file key").map(str::len) != Some(32)
            || case.one("expect") == Some("HMAC failure")
        {
            continue;
        }
        let written = header::encode(&header.stanzas, &case.file_key());
        assert_eq!(written, file[..file.len() - payload.len()], "{name}");
        count += 1;
    }
    assert_eq!(count, 89);
}

#[test]
fn payloads_are_written_as_they_were_read() {
    let mut count = 0;
    for name in vectors::names("age/cctv") {
        let case = Case::read(&name);
        let Ok(payload) = case.decrypt() else {
            continue;
        };
        let file = case.binary().unwrap();
        let (_, sealed) = Header::parse(&file).unwrap();
        let mut written = Vec::new();
        stream::encrypt(
            &case.file_key(),
            sealed.first_chunk().unwrap(),
            &payload,
            &mut written,
        );
        assert!(written == sealed, "{name}");
        count += 1;
    }
    assert_eq!(count, with_hybrid(19, 5));
}

#[test]
fn armor_is_written_as_it_was_read_but_for_line_ends() {
    let mut count = 0;
    for name in vectors::names("age/cctv") {
        let case = Case::read(&name);
        if case.one("armored").is_none()
            || !matches!(case.one("expect"), Some("success" | "no match"))
        {
            continue;
        }
        let text = core::str::from_utf8(&case.file).unwrap();
        let plain = text.replace("\r\n", "\n");
        assert_eq!(
            armor::encode(&case.binary().unwrap()).trim(),
            plain.trim(),
            "{name}"
        );
        count += 1;
    }
    assert_eq!(count, 8);
}

#[test]
fn payloads_of_every_size_around_a_chunk_come_back() {
    let mut random = vectors::repeatable(1);
    let identity = Identity::generate(&mut random).unwrap();
    for size in [
        0, 1, 31, 32, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073,
    ] {
        let payload = vec![0x5a; size];
        let file = encrypt(&payload, &[identity.recipient()], &mut random).unwrap();
        assert_eq!(
            decrypt(&file, core::slice::from_ref(&identity))
                .unwrap()
                .as_slice(),
            payload
        );
    }
}

#[test]
fn each_of_several_recipients_opens_the_file_and_a_stranger_does_not() {
    let mut random = vectors::repeatable(2);
    let identities: Vec<_> = (0..5)
        .map(|_| Identity::generate(&mut random).unwrap())
        .collect();
    let recipients: Vec<_> = identities.iter().map(Identity::recipient).collect();
    let stranger = Identity::generate(&mut random).unwrap();
    let file = encrypt(b"payload", &recipients, &mut random).unwrap();
    for identity in identities {
        assert_eq!(decrypt(&file, &[identity]).unwrap().as_slice(), b"payload");
    }
    let error = decrypt(&file, &[stranger]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoMatchingIdentity);
    assert_eq!(
        decrypt(&file, &[]).unwrap_err().code(),
        ErrorCode::NoMatchingIdentity
    );
}

#[test]
fn stanzas_of_unknown_kinds_are_skipped() {
    let mut random = vectors::repeatable(3);
    let identity = Identity::generate(&mut random).unwrap();
    let file_key = FileKey::new([9; 16]);
    let foreign = |kind: &str| Stanza {
        arguments: vec![kind.to_owned(), "Zm9v".to_owned()],
        body: vec![1; 48],
    };
    let own = x25519::wrap(&file_key, &identity.recipient(), &mut random).unwrap();
    let stanzas = [
        foreign("ssh-ed25519"),
        foreign("piv-p256"),
        own,
        foreign("mlkem768x25519"),
    ];
    let mut file = header::encode(&stanzas, &file_key);
    stream::encrypt(&file_key, &[0; stream::NONCE], b"payload", &mut file);
    assert_eq!(decrypt(&file, &[identity]).unwrap().as_slice(), b"payload");
}

#[cfg(feature = "hybrid")]
#[test]
fn a_file_for_post_quantum_recipients_opens_for_each_and_for_nobody_else() {
    let mut random = vectors::repeatable(11);
    let [one, other, stranger] = [(); 3].map(|()| Identity::generate_hybrid(&mut random).unwrap());
    let native = Identity::generate(&mut random).unwrap();
    let recipients = [one.recipient(), other.recipient()];
    let file = encrypt(b"payload", &recipients, &mut random).unwrap();
    let kinds: Vec<_> = Envelope::parse(&file)
        .unwrap()
        .stanzas()
        .iter()
        .map(|stanza| stanza.kind().to_owned())
        .collect();
    assert_eq!(kinds, ["mlkem768x25519"; 2]);
    for identity in [one, other] {
        assert_eq!(decrypt(&file, &[identity]).unwrap().as_slice(), b"payload");
    }
    let error = decrypt(&file, &[native, stranger]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoMatchingIdentity);
}

#[cfg(feature = "hybrid")]
#[test]
fn post_quantum_recipients_share_no_file_with_others() {
    let mut random = vectors::repeatable(12);
    let hybrid = Identity::generate_hybrid(&mut random).unwrap().recipient();
    let native = Identity::generate(&mut random).unwrap().recipient();
    let error = encrypt(b"payload", &[native, hybrid], &mut random).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRecipient);
}

#[cfg(feature = "hybrid")]
#[test]
fn a_post_quantum_stanza_that_was_altered_anywhere_does_not_open() {
    let mut random = vectors::repeatable(13);
    let identities = [Identity::generate_hybrid(&mut random).unwrap()];
    let file = encrypt(&[7; 32], &[identities[0].recipient()], &mut random).unwrap();
    assert!(decrypt(&file, &identities).is_ok());
    for at in (0..file.len()).step_by(7) {
        let mut damaged = file.clone();
        damaged[at] ^= 1;
        assert!(decrypt(&damaged, &identities).is_err(), "byte {at}");
    }
}

#[test]
fn a_header_beyond_its_limits_is_refused() {
    let file_key = FileKey::new([9; 16]);
    let stanza = |body: usize| Stanza {
        arguments: vec!["kind".to_owned()],
        body: vec![0; body],
    };
    let stanzas = |count: usize| (0..count).map(|_| stanza(0)).collect::<Vec<_>>();
    assert!(Header::parse(&header::encode(&stanzas(64), &file_key)).is_ok());
    for file in [
        header::encode(&stanzas(65), &file_key),
        header::encode(&[stanza(60_000)], &file_key),
        header::encode(&[], &file_key),
        vec![b'a'; 100_000],
    ] {
        assert_eq!(
            Header::parse(&file).err().unwrap().code(),
            ErrorCode::AgeFileInvalid
        );
    }
    let recipient = Identity::generate(&mut vectors::repeatable(4))
        .unwrap()
        .recipient();
    let many = vec![recipient; 65];
    let error = encrypt(b"", &many, &mut vectors::repeatable(5)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::LimitExceeded);
    let error = encrypt(b"", &[], &mut vectors::repeatable(5)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::RecipientMissing);
}

#[test]
fn any_flipped_bit_and_any_cut_makes_the_file_fail() {
    let mut random = vectors::repeatable(6);
    let identities = [Identity::generate(&mut random).unwrap()];
    let file = encrypt(&[7; 32], &[identities[0].recipient()], &mut random).unwrap();
    assert!(decrypt(&file, &identities).is_ok());
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            assert!(
                decrypt(&damaged, &identities).is_err(),
                "bit {bit} of byte {at}"
            );
        }
        assert!(decrypt(&file[..at], &identities).is_err(), "cut at {at}");
    }
    let longer = [file.as_slice(), b"\n"].concat();
    assert!(decrypt(&longer, &identities).is_err());
}

#[test]
fn any_flipped_bit_and_any_cut_makes_the_armored_file_fail() {
    let mut random = vectors::repeatable(7);
    let identities = [Identity::generate(&mut random).unwrap()];
    let text =
        armor::encode(&encrypt(&[7; 32], &[identities[0].recipient()], &mut random).unwrap());
    let open = |text: &str| armor::decode(text).and_then(|file| decrypt(&file, &identities));
    assert!(open(&text).is_ok());
    for at in 0..text.len() {
        // The highest bit would make it no text at all.
        for bit in 0..7 {
            let mut damaged = text.clone().into_bytes();
            damaged[at] ^= 1 << bit;
            let damaged = String::from_utf8(damaged).unwrap();
            assert!(open(&damaged).is_err(), "bit {bit} of byte {at}");
        }
        // The last newline may go.
        if at < text.len() - 1 {
            assert!(open(&text[..at]).is_err(), "cut at {at}");
        }
    }
}

#[test]
fn white_space_around_the_armor_is_limited() {
    let text = armor::encode(b"anything");
    for (blank, accepted) in [(0, true), (1000, true), (2000, false)] {
        let blank = "\n".repeat(blank);
        assert_eq!(armor::decode(&format!("{blank}{text}")).is_ok(), accepted);
        assert_eq!(armor::decode(&format!("{text}{blank}")).is_ok(), accepted);
    }
}

#[test]
fn a_failing_generator_leaves_no_file() {
    let recipient = Identity::generate(&mut vectors::repeatable(8))
        .unwrap()
        .recipient();
    // One call each for the file key, the share and the nonce.
    for calls in 0..3 {
        let result = encrypt(
            b"payload",
            core::slice::from_ref(&recipient),
            &mut vectors::failing(calls),
        );
        assert!(matches!(result, Err(Error::RandomFailed)), "{calls}");
    }
    assert!(encrypt(b"payload", &[recipient], &mut vectors::failing(3)).is_ok());
}

#[test]
fn errors_name_no_key() {
    let mut random = vectors::repeatable(9);
    let identity = Identity::generate(&mut random).unwrap();
    let other = Identity::generate(&mut random).unwrap();
    let file = encrypt(b"payload", &[other.recipient()], &mut random).unwrap();
    let text = identity.to_text();
    let error = decrypt(&file, &[identity]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(text.as_str()));
}

#[test]
fn chacha20_poly1305_agrees_with_wycheproof() {
    let mut counts = [0, 0, 0];
    for (_, case) in vectors::wycheproof("chacha20_poly1305") {
        let [key, nonce, aad, message, sealed, tag] =
            ["key", "iv", "aad", "msg", "ct", "tag"].map(|field| vectors::hex(&case[field]));
        let valid = case["result"] == "valid";
        let Ok(nonce) = <[u8; 12]>::try_from(nonce) else {
            assert!(!valid, "{case}");
            counts[2] += 1;
            continue;
        };
        let cipher = ChaCha20Poly1305::new(key.as_slice().try_into().unwrap());
        let mut text = sealed.clone();
        let tag = tag.as_slice().try_into().unwrap();
        let opened = cipher.decrypt_inout_detached(
            &Nonce::from(nonce),
            &aad,
            text.as_mut_slice().into(),
            tag,
        );
        assert_eq!(opened.is_ok(), valid, "{case}");
        if valid {
            assert_eq!(text, message, "{case}");
            let made = cipher.encrypt_inout_detached(
                &Nonce::from(nonce),
                &aad,
                text.as_mut_slice().into(),
            );
            assert_eq!((text, made.unwrap()), (sealed, *tag), "{case}");
        }
        counts[usize::from(!valid)] += 1;
    }
    assert_eq!(counts, [256, 60, 9]);
}

#[test]
fn hkdf_agrees_with_wycheproof() {
    let mut counts = [0, 0, 0];
    for (_, case) in vectors::wycheproof("hkdf_sha256") {
        let [secret, salt, info, expected] =
            ["ikm", "salt", "info", "okm"].map(|field| vectors::hex(&case[field]));
        let size = usize::try_from(case["size"].as_u64().unwrap()).unwrap();
        let mut key = vec![0; size];
        let made = Hkdf::<Sha256>::new(Some(&salt), &secret).expand(&info, &mut key);
        assert_eq!(made.is_ok(), case["result"] == "valid", "{case}");
        if made.is_err() {
            counts[2] += 1;
            continue;
        }
        assert_eq!(key, expected, "{case}");
        counts[0] += 1;
        // Our own derivation is the same, for the one length that we use.
        if size == 32 {
            assert_eq!(derive(&salt, &secret, &info).as_slice(), expected, "{case}");
            counts[1] += 1;
        }
    }
    assert_eq!([counts[0], counts[2]], [83, 3]);
    assert!(counts[1] > 0);
}

#[test]
fn hmac_agrees_with_wycheproof() {
    let mut counts = [0, 0];
    for (_, case) in vectors::wycheproof("hmac_sha256") {
        let [key, message, tag] = ["key", "msg", "tag"].map(|field| vectors::hex(&case[field]));
        let mut hmac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        hmac.update(&message);
        let valid = case["result"] == "valid";
        assert_eq!(hmac.verify_truncated_left(&tag).is_ok(), valid, "{case}");
        counts[usize::from(!valid)] += 1;
    }
    assert_eq!(counts, [66, 108]);
}

#[test]
fn a_file_is_taken_apart_and_put_together_by_its_file_key() {
    let mut random = vectors::repeatable(1);
    let identities = [Identity::generate(&mut random).unwrap()];
    let recipients = [identities[0].recipient()];
    let file = encrypt(b"payload", &recipients, &mut random).unwrap();
    let envelope = Envelope::parse(&file).unwrap();
    let kinds: Vec<_> = envelope.stanzas().iter().map(Stanza::kind).collect();
    assert_eq!(kinds, ["X25519"]);

    let file_key = FileKey::new([7; 16]);
    let error = envelope.open(&file_key).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AgeFileInvalid);
    let foreign = Stanza {
        arguments: vec!["other".to_owned(), "argument".to_owned()],
        body: vec![1; 48],
    };
    let stanzas = [foreign, envelope.stanzas()[0].clone()];
    let file = assemble(b"another", &stanzas, &file_key, &mut random).unwrap();
    let envelope = Envelope::parse(&file).unwrap();
    assert_eq!(envelope.stanzas(), stanzas);
    assert_eq!(envelope.open(&file_key).unwrap().as_slice(), b"another");
}

#[test]
fn the_share_in_a_stanza_is_unpadded_base64_of_32_bytes() {
    let mut random = vectors::repeatable(10);
    let recipient = Identity::generate(&mut random).unwrap().recipient();
    let stanza = x25519::wrap(&FileKey::new([1; 16]), &recipient, &mut random).unwrap();
    assert_eq!(stanza.arguments[0], "X25519");
    assert_eq!(
        STANDARD_NO_PAD.decode(&stanza.arguments[1]).unwrap().len(),
        32
    );
    assert_eq!(stanza.body.len(), 32);
}

const KEYS: [&str; 8] = [
    "armored",
    "comment",
    "compressed",
    "expect",
    "file key",
    "identity",
    "passphrase",
    "payload",
];
