//! Mutated input into everything that reads what others wrote: nothing panics, overflows or hangs, and what is sealed
//! comes back to the byte. `make fuzz MINUTES=10` builds it with overflow checks and runs every target that long.
//!
//! usage: `fuzz MINUTES [TARGET [SEED [NUMBER]]]`, or `fuzz --list` for their names. Input follows from seed and number, so that one of them can be run
//! alone; whoever ends without a word (a stack overflow) was at the number printed last, or at most a hundred later.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::consts::U32;
use aes_gcm::{AeadInOut as _, AesGcm, KeyInit as _};
use base64ct::{Base64, Encoding as _};
use stackseal_core::convert::Indentation;
use stackseal_core::selector::Pattern;
use stackseal_core::tree::Node;
use stackseal_core::tree::at::TreePath;
use stackseal_core::value::Value;
use stackseal_core::{
    Document, Encrypted, Error, ErrorCode, Format, Identity, Limits, Mark, Options, Plain,
    RandomFailed, Sealing, Selector, Timestamp, age, edit, guard, is_sealed, marks,
};
use stackseal_tests::chance::{self, Chance};
use stackseal_tests::data::without_comments;
use stackseal_tests::keys;

#[path = "fuzz/corpus.rs"]
mod corpus;
#[path = "fuzz/mutate.rs"]
mod mutate;

/// An input that takes longer is reported. Generous, since others may use the machine.
const SLOW: Duration = Duration::from_secs(10);

/// A target: what it is called, what it starts from, and what it does. The answer is what is wrong, if anything.
struct Target {
    name: &'static str,
    seeds: fn() -> Vec<Vec<u8>>,
    run: fn(&[u8]) -> Option<String>,
}

const TARGETS: &[Target] = &[
    Target {
        name: "plain-yaml",
        seeds: || corpus::plain("yaml"),
        run: |input| plain(Format::Yaml, input),
    },
    Target {
        name: "plain-json",
        seeds: || corpus::plain("json"),
        run: |input| plain(Format::Json, input),
    },
    Target {
        name: "plain-dotenv",
        seeds: || corpus::plain("env"),
        run: |input| plain(Format::Dotenv, input),
    },
    Target {
        name: "plain-ini",
        seeds: || corpus::plain("ini"),
        run: |input| plain(Format::Ini, input),
    },
    Target {
        name: "sealed-yaml",
        seeds: || sealed_seeds("yaml"),
        run: |input| sealed(Format::Yaml, input),
    },
    Target {
        name: "sealed-json",
        seeds: || sealed_seeds("json"),
        run: |input| sealed(Format::Json, input),
    },
    Target {
        name: "sealed-dotenv",
        seeds: || sealed_seeds("env"),
        run: |input| sealed(Format::Dotenv, input),
    },
    Target {
        name: "sealed-ini",
        seeds: || sealed_seeds("ini"),
        run: |input| sealed(Format::Ini, input),
    },
    Target {
        name: "sealed-binary",
        seeds: || sealed_seeds("bin"),
        run: |input| sealed(Format::Binary, input),
    },
    Target {
        name: "metadata",
        seeds: || corpus::blocks(),
        run: metadata,
    },
    Target {
        name: "selectors",
        seeds: corpus::patterns,
        run: selectors,
    },
    Target {
        name: "paths",
        seeds: corpus::paths,
        run: paths,
    },
    Target {
        name: "edits",
        seeds: || corpus::plain("yaml"),
        run: edits,
    },
    Target {
        name: "marks",
        seeds: || corpus::plain("yaml"),
        run: marked,
    },
    Target {
        name: "layouts",
        seeds: layout_seeds,
        run: layouts,
    },
    Target {
        name: "age-files",
        seeds: corpus::age_files,
        run: age_files,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--list") {
        TARGETS
            .iter()
            .for_each(|target| println!("{}", target.name));
        return ExitCode::SUCCESS;
    }
    let minutes: f64 = arguments
        .first()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10.0);
    let only = arguments.get(1).map_or("", String::as_str);
    let seed = arguments
        .get(2)
        .map_or_else(chance::seed, |text| text.parse().unwrap());
    let number = arguments.get(3).map(|text| text.parse().unwrap());
    // what is wrong is told once, below
    std::panic::set_hook(Box::new(|_| {}));
    let (mut ran, mut wrong) = (0, 0);
    for target in TARGETS.iter().filter(|target| target.name.contains(only)) {
        ran += 1;
        wrong += run(target, minutes, seed, number);
    }
    if ran == 0 {
        eprintln!("no target is called {only:?}; --list tells their names");
    }
    if ran > 0 && wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs a target, or one input of it. Gives how many inputs went wrong.
fn run(target: &Target, minutes: f64, seed: u64, number: Option<usize>) -> usize {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} starts from nothing", target.name);
    let (begun, mut kinds, mut wrong) = (Instant::now(), Vec::new(), 0);
    let mut at = number.unwrap_or(0);
    println!(
        "{}: seed {seed}, {} to start from",
        target.name,
        seeds.len()
    );
    while begun.elapsed().as_secs_f64() < minutes * 60.0 {
        if at.is_multiple_of(10_000) {
            println!("{}: at {at}", target.name);
        }
        let mut chance = Chance::new(seed, at);
        let input = mutate::mutated(&mut chance, &seeds);
        let since = Instant::now();
        let found = match catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
            Ok(found) => found,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                Some(
                    text.or_else(|| {
                        panic
                            .downcast_ref::<&str>()
                            .map(|text| format!("panic: {text}"))
                    })
                    .unwrap_or_default(),
                )
            }
        };
        let found = found
            .or_else(|| (since.elapsed() > SLOW).then(|| format!("slow: {:?}", since.elapsed())));
        if let Some(what) = found {
            wrong += 1;
            let kind: String = what
                .chars()
                .filter(|c| !c.is_ascii_digit())
                .take(60)
                .collect();
            if !kinds.contains(&kind) {
                kinds.push(kind);
                println!(
                    "{}: WRONG at {at} (seed {seed}): {what}\n  {:?}",
                    target.name,
                    String::from_utf8_lossy(&input)
                );
            }
        }
        at += 1;
        if number.is_some() {
            break;
        }
    }
    println!("{}: {at} inputs, {wrong} wrong", target.name);
    wrong
}

/// Known "random" bytes, so that the data key is known, too.
fn fixed(out: &mut [u8]) -> Result<(), RandomFailed> {
    out.fill(7);
    Ok(())
}

const DATA_KEY: [u8; 32] = [7; 32];

fn seal(document: &Document<Plain>) -> Result<Document<Encrypted>, Error> {
    let sealing = Sealing {
        recipients: &[identity().recipient()],
        selector: &Selector::default(),
        now: Timestamp::parse("2026-03-01T10:20:30Z")?,
        random: &mut fixed,
    };
    let options = Options {
        keep_layout: true,
        accept_nothing: true,
        ..Options::default()
    };
    document.seal_with(sealing, &options)
}

fn identity() -> &'static Identity {
    static IDENTITY: std::sync::OnceLock<Identity> = std::sync::OnceLock::new();
    IDENTITY.get_or_init(|| keys::identity("id1"))
}

/// What an error may be, and what may not: our own mistake.
fn mistake(error: &Error, what: &str) -> Option<String> {
    (error.code() == ErrorCode::Internal).then(|| format!("{what}: {error}"))
}

/// What parses can be sealed or is refused; what was sealed comes back.
fn plain(format: Format, input: &[u8]) -> Option<String> {
    let limits = if input.len().is_multiple_of(2) {
        Limits::default()
    } else {
        Limits::generous()
    };
    let _answer = is_sealed(input, &limits);
    let document = match Document::<Plain>::parse_as(format, input, &limits) {
        Ok(document) => document,
        Err(error) => return mistake(&error, "parsing"),
    };
    for other in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini] {
        if let Err(error) = document.converted(other, Indentation::default())
            && let Some(wrong) = mistake(&error, "converting")
        {
            return Some(wrong);
        }
    }
    let sealed = match seal(&document) {
        Ok(sealed) => sealed,
        Err(error) => return mistake(&error, "sealing"),
    };
    let again =
        Document::<Encrypted>::parse_as(format, sealed.text().as_bytes(), &Limits::generous());
    let opened =
        again.and_then(|sealed| sealed.open(&sealed.data_key(std::slice::from_ref(identity()))?));
    match opened {
        Ok(opened) if *opened.plain().content() == *input => None,
        Ok(_) => Some("other bytes come back".to_owned()),
        Err(error) => Some(format!("what was sealed does not open: {error}")),
    }
}

fn sealed_seeds(ending: &str) -> Vec<Vec<u8>> {
    let mut seeds = corpus::sealed(ending);
    let format = Format::of_name(&format!("x.{ending}"));
    for plain in corpus::plain(ending) {
        let sealed = Document::<Plain>::parse_as(format, &plain, &Limits::generous())
            .and_then(|plain| seal(&plain));
        seeds.extend(sealed.map(|sealed| sealed.text().as_bytes().to_vec()));
    }
    seeds
}

/// A sealed file that opens can be sealed again without a change, to the same text.
fn sealed(format: Format, input: &[u8]) -> Option<String> {
    let document = match Document::<Encrypted>::parse_as(format, input, &Limits::default()) {
        Ok(document) => document,
        Err(error) => return mistake(&error, "parsing"),
    };
    let key = document.data_key(std::slice::from_ref(identity())).ok()?;
    let _unchecked = document.open_without_mac(&key);
    let opened = match document.open(&key) {
        Ok(opened) => opened,
        Err(error) => return mistake(&error, "opening"),
    };
    let _answer = guard::check(input, &[], &[identity().recipient()], &Limits::default());
    for other in [Format::Yaml, Format::Json] {
        let _converted = opened.plain().converted(other, Indentation::default());
    }
    None
}

/// A block, in a file that is otherwise whole.
fn metadata(input: &[u8]) -> Option<String> {
    sealed(Format::Yaml, &[b"a: x\n", input].concat())
}

fn selectors(input: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(input).ok()?;
    let pattern = Pattern::parse(text).ok()?;
    if pattern.compiles() {
        for subject in [
            "",
            "password",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
            "ключ_漢",
            "a\nb",
            text,
        ] {
            let _matches = pattern.is_match(subject);
        }
    }
    for rule in [
        Selector::encrypted_comment_regex(text),
        Selector::unencrypted_regex(text),
    ]
    .into_iter()
    .flatten()
    {
        let _field = rule.field();
    }
    None
}

fn text_node(text: &str) -> Node {
    Node::Leaf(Value::String(text.to_owned().into()))
}

fn paths(input: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(input).ok()?;
    let path = TreePath::parse(text).ok()?;
    let document = Document::<Plain>::parse(
        b"a:\n- x\n- {b: 1}\nc: {d: e}\n\"k y\": z\n",
        &Limits::default(),
    )
    .ok()?;
    for format in [Format::Yaml, Format::Json, Format::Dotenv] {
        let _part = document.extracted(&path, format);
    }
    let value = text_node("new");
    let set = edit::set(&document, &path, &value);
    let unset = edit::unset(&document, &path);
    [set, unset]
        .iter()
        .find_map(|edited| mistake(edited.as_ref().err()?, "editing"))
}

/// Setting and taking away at every path of a document. What is set is there afterwards.
fn edits(input: &[u8]) -> Option<String> {
    let document = Document::<Plain>::parse(input, &Limits::default()).ok()?;
    let tree = document.trees().ok()?.into_iter().next()?;
    let (name, _) = tree.items().next()?;
    let name = name
        .filter(|name| !name.contains(['"', '[', ']']))?
        .to_owned();
    for text in [
        format!("[\"{name}\"]"),
        format!("[\"{name}\"][0]"),
        format!("[\"{name}\"][\"new\"][3]"),
        "[\"added\"]".to_owned(),
    ] {
        let Ok(path) = TreePath::parse(&text) else {
            continue;
        };
        let value = text_node("n: #\n'w");
        for edited in [
            edit::set(&document, &path, &value),
            edit::unset(&document, &path),
        ] {
            match edited {
                Err(error) => {
                    if let Some(wrong) = mistake(&error, "editing") {
                        return Some(wrong);
                    }
                }
                Ok(text) => {
                    if let Err(error) =
                        Document::<Plain>::parse(text.as_bytes(), &Limits::generous())
                    {
                        return Some(format!("the edited text does not parse: {error}"));
                    }
                }
            }
        }
    }
    None
}

fn marked(input: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(input);
    let document = Document::<Plain>::parse(input, &Limits::default());
    let marks: Vec<Mark> = text
        .split_whitespace()
        .take(5)
        .filter_map(|word| Mark::parse(word.trim_end_matches(':')).ok())
        .collect();
    let analysis = marks::analyse(&document.ok()?, &marks);
    let _rule = analysis.rule();
    let _answer = guard::check(input, &marks, &[identity().recipient()], &Limits::default());
    None
}

/// A document whose layout is kept beside it, and that layout.
fn with_layout() -> (String, String) {
    let text = "# head\r\na: 0x1F   # beside\nb: 'quoted'\nc: &x [1, 2]\nd: *x\ne: >-\n  folded\n  text\nlast: end";
    let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap();
    let sealed = seal(&document).unwrap().text().to_owned();
    let start = sealed
        .find("stackseal_layout: ")
        .expect("the layout is kept")
        + "stackseal_layout: ".len();
    let end = start + sealed[start..].find('\n').unwrap();
    let field = sealed[start..end].to_owned();
    (sealed, field)
}

const PURPOSE: &[u8] = b"stackseal layout 1";

/// The layout as it stands in the field, opened, and what is no layout of it.
fn layout_seeds() -> Vec<Vec<u8>> {
    let (_, field) = with_layout();
    let part = |name: &str| {
        let rest = field.split_once(&format!("{name}:")).unwrap().1;
        Base64::decode_vec(rest.split([',', ']']).next().unwrap()).unwrap()
    };
    let (mut data, nonce, tag) = (
        part("data"),
        <[u8; 32]>::try_from(part("iv")).unwrap(),
        <[u8; 16]>::try_from(part("tag")).unwrap(),
    );
    let cipher = AesGcm::<Aes256, U32>::new(&DATA_KEY.into());
    cipher
        .decrypt_inout_detached(
            &nonce.into(),
            PURPOSE,
            data.as_mut_slice().into(),
            &tag.into(),
        )
        .unwrap();
    // the digest of no line
    let insertions = b"@0 0 4 e3b0c44298fc1c14\n# x\n\n@2 0 5 e3b0c44298fc1c14\nx: y\n\n".to_vec();
    vec![
        data,
        insertions,
        b"@0 0 0 \n\n@18446744073709551615 18446744073709551615 1 x\n\n".to_vec(),
    ]
}

/// A layout that someone with the data key wrote: the document opens to the same data. Comments may be others.
fn layouts(input: &[u8]) -> Option<String> {
    static BASE: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();
    let (sealed, field) = BASE.get_or_init(with_layout);
    let (mut data, nonce) = (input.to_vec(), [7; 32]);
    let cipher = AesGcm::<Aes256, U32>::new(&DATA_KEY.into());
    let tag = cipher
        .encrypt_inout_detached(&nonce.into(), PURPOSE, data.as_mut_slice().into())
        .ok()?;
    let [data, nonce, tag] = [data.as_slice(), &nonce, &tag].map(Base64::encode_string);
    let other = sealed.replace(
        field.as_str(),
        &format!("ENC[AES256_GCM,data:{data},iv:{nonce},tag:{tag},type:str]"),
    );
    let document = Document::<Encrypted>::parse(other.as_bytes(), &Limits::default()).ok()?;
    let key = document.data_key(std::slice::from_ref(identity())).ok()?;
    match document.open(&key) {
        Ok(opened) => {
            let without = Document::<Encrypted>::parse(sealed.as_bytes(), &Limits::default())
                .ok()?
                .open(&key)
                .ok()?;
            let data = |plain: &Document<Plain>| -> Option<Vec<Node>> {
                Some(plain.trees().ok()?.iter().map(without_comments).collect())
            };
            let same = data(opened.plain())? == data(without.plain())?;
            (!same).then(|| {
                format!(
                    "a layout changed what the document says: {:?}",
                    opened.plain().text()
                )
            })
        }
        Err(error) => Some(format!("a layout keeps the document from opening: {error}")),
    }
}

fn age_files(input: &[u8]) -> Option<String> {
    let _opened = age::decrypt(input, std::slice::from_ref(identity()));
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(file) = age::armor::decode(text)
    {
        let _opened = age::decrypt(&file, std::slice::from_ref(identity()));
        let _key = stackseal_core::DataKey::unwrap(text, std::slice::from_ref(identity()));
    }
    None
}
