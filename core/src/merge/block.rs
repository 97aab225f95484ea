//! The `sops` block of a merge: fields that one side changed are taken from it, recipients are merged as sets, and the
//! data key is one that nobody knows who was removed.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Act, Conflict, Version, Versions};
use crate::data_key::DataKey;
use crate::error::Error;
use crate::metadata::{AgeEntry, Foreign, Metadata};
use crate::open::Opened;
use crate::random::Random;
use crate::recipient::{Recipient, is_same_recipient};
use crate::seal;
use crate::tree::{Entry, Node};

/// The block with its data key.
pub(super) struct Block<'a> {
    pub(super) metadata: Metadata,
    pub(super) data_key: DataKey,
    /// The side that the data key is of, or ours.
    pub(super) home: &'a Opened,
}

/// What the block says about what is sealed, and for whom.
pub(super) struct Rules {
    keys: Keys,
    /// All fields but the keys.
    rest: Metadata,
}

/// Who can open a document.
#[derive(Clone, PartialEq)]
struct Keys {
    /// The names of the age recipients, group by group.
    groups: Vec<Vec<String>>,
    threshold: Option<usize>,
    /// Keys of other kinds, with the number of their group and without what is wrapped.
    foreign: Vec<(usize, String, Node)>,
}

impl Keys {
    fn of(metadata: &Metadata) -> Self {
        let names = |entries: &[AgeEntry]| {
            let mut names: Vec<String> = Vec::new();
            for entry in entries {
                let name = entry.recipient.trim();
                if !names.iter().any(|known| is_same_recipient(known, name)) {
                    names.push(name.to_owned());
                }
            }
            names
        };
        let mut foreign = bare_keys(0, &metadata.foreign);
        for (at, group) in metadata.key_groups.iter().enumerate() {
            foreign.extend(bare_keys(at, &group.foreign));
        }
        let groups = match metadata.key_groups.as_slice() {
            [] => Vec::from([names(&metadata.age)]),
            groups => groups.iter().map(|group| names(&group.age)).collect(),
        };
        Self {
            groups,
            threshold: metadata.shamir_threshold.filter(|threshold| *threshold > 0),
            foreign,
        }
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().flatten()
    }

    /// Whether all who can open a document by these keys can by others, too.
    fn are_among(&self, others: &Self) -> bool {
        let is_named = |name: &String| others.names().any(|other| is_same_recipient(other, name));
        let is_known = |key: &(usize, String, Node)| {
            let mut known = others.foreign.iter();
            known.any(|other| key.1 == other.1 && key.2 == other.2)
        };
        self.names().all(is_named) && self.foreign.iter().all(is_known)
    }
}

/// Keys of other kinds without what they wrap and when they did.
fn bare_keys(group: usize, foreign: &[Foreign]) -> Vec<(usize, String, Node)> {
    let lasting = |entry: &&Entry| {
        let passing = ["enc", "created_at"];
        !matches!(entry, Entry::Item { key: Some(key), .. } if passing.contains(&key.as_ref()))
    };
    let keys = foreign.iter().flat_map(|(kind, keys)| {
        let keys = keys
            .items()
            .map(|(_, key)| key.entries().iter().filter(lasting));
        keys.map(move |key| (group, kind.clone(), Node::Mapping(key.cloned().collect())))
    });
    keys.collect()
}

impl Rules {
    /// What the versions say together, or the fields in which the sides contradict each other.
    pub(super) fn merged(versions: &Versions<'_>) -> Result<Self, Vec<Conflict>> {
        fn metadata(version: Version<'_>) -> Option<&Metadata> {
            version.opened().map(Opened::metadata)
        }

        let base = versions.base.and_then(metadata);
        let (ours, theirs) = match (metadata(versions.ours), metadata(versions.theirs)) {
            (Some(ours), Some(theirs)) => (ours, theirs),
            (Some(one), None) | (None, Some(one)) => (one, one),
            (None, None) => return Err(Vec::from([Conflict::whole(None)])),
        };
        let mut conflicts = Vec::new();
        let mut differs = |field: &str| {
            let act = match base {
                Some(_) => Act::Changed,
                None => Act::Added,
            };
            conflicts.push(Conflict::block(field, act, act));
        };
        let mut rest = Metadata {
            age: Vec::new(),
            key_groups: Vec::new(),
            shamir_threshold: None,
            foreign: Vec::new(),
            ..ours.clone()
        };
        match three_way(
            base.map(|it| &it.selector),
            &ours.selector,
            &theirs.selector,
        ) {
            Some(selector) => rest.selector = selector,
            None => differs(theirs.selector.field().0),
        }
        let mac_only = (&ours.mac_only_encrypted, &theirs.mac_only_encrypted);
        match three_way(
            base.map(|it| &it.mac_only_encrypted),
            mac_only.0,
            mac_only.1,
        ) {
            Some(mac_only) => rest.mac_only_encrypted = mac_only,
            None => differs("mac_only_encrypted"),
        }
        match three_way(base.map(|it| &it.extra), &ours.extra, &theirs.extra) {
            Some(extra) => {
                rest.unknown = !extra.is_empty();
                rest.groups_passed_over = false;
                rest.extra = extra;
            }
            None => {
                let mut names = ours.extra.iter().chain(&theirs.extra);
                differs(names.next().map_or("", |(name, _)| name));
            }
        }
        rest.version = newer(
            base.map(|it| it.version.as_str()),
            &ours.version,
            &theirs.version,
        )
        .to_owned();
        let keys = keys(
            base.map(Keys::of).as_ref(),
            &Keys::of(ours),
            &Keys::of(theirs),
            &mut differs,
        );
        match keys {
            Some(keys) if conflicts.is_empty() => Ok(Self { keys, rest }),
            _ => Err(conflicts),
        }
    }

    /// Whether a document has these rules.
    pub(super) fn are_those_of(&self, side: &Opened) -> bool {
        let metadata = side.metadata();
        Keys::of(metadata) == self.keys
            && metadata.selector == self.rest.selector
            && metadata.mac_only_encrypted == self.rest.mac_only_encrypted
            && metadata.extra == self.rest.extra
            && metadata.version == self.rest.version
    }

    /// The side whose data key the result has: one that nobody knows but who shall open it. `None` when there is none
    /// such, and when the versions have different ones: who made another may have shown it to anybody, and that it was
    /// a rotation nothing tells.
    pub(super) fn home<'a>(&self, versions: &Versions<'a>) -> Option<&'a Opened> {
        let (ours, theirs) = (versions.ours.opened(), versions.theirs.opened());
        let is_kept = |side: &&Opened| {
            let mut all = opened(versions);
            all.all(|other| {
                other.data_key() == side.data_key()
                    && Keys::of(other.metadata()).are_among(&self.keys)
            })
        };
        [ours, theirs].into_iter().flatten().find(is_kept)
    }

    /// The block, its data key wrapped for all who shall open it. The conflict when it cannot be.
    pub(super) fn with_keys<'a>(
        self,
        versions: &Versions<'a>,
        recipient: &mut dyn FnMut(&str) -> Option<Recipient>,
        random: &mut dyn Random,
    ) -> Result<Result<Block<'a>, Conflict>, Error> {
        let home = self.home(versions);
        let Some(first) = versions.ours.opened().or(versions.theirs.opened()) else {
            return Err(Error::bug("a merge of nothing"));
        };
        let data_key = match home {
            Some(home) => home.data_key().clone(),
            None => DataKey::generate(random)?,
        };
        let homes: Vec<&Opened> = opened(versions)
            .filter(|it| *it.data_key() == data_key)
            .collect();
        let Self { keys, mut rest } = self;
        if let Some(like) = homes.iter().find(|it| Keys::of(it.metadata()) == keys) {
            let like = like.metadata();
            rest.age.clone_from(&like.age);
            rest.key_groups.clone_from(&like.key_groups);
            rest.foreign.clone_from(&like.foreign);
            rest.shamir_threshold = like.shamir_threshold;
        } else {
            let foreign = homes
                .iter()
                .map(|it| it.metadata())
                .find(|it| it.key_groups.is_empty() && Keys::of(it).foreign == keys.foreign);
            match foreign {
                Some(like) if keys.groups.len() < 2 => rest.foreign.clone_from(&like.foreign),
                _ if keys.foreign.is_empty() => {}
                _ => {
                    // Only the tool that made them can wrap to them.
                    let kind = keys.foreign.first().map(|(_, kind, _)| kind.as_str());
                    let kind = kind.unwrap_or_default();
                    return Ok(Err(Conflict::block(kind, Act::Changed, Act::Changed)));
                }
            }
            rest.shamir_threshold = keys.threshold;
            let mut known: Vec<AgeEntry> = Vec::new();
            for home in &homes {
                known.extend(home.metadata().age.iter().cloned());
            }
            let mut groups = Vec::new();
            for names in &keys.groups {
                let mut group = Vec::new();
                for name in names {
                    let Some(recipient) = recipient(name) else {
                        return Ok(Err(Conflict::recipient(name)));
                    };
                    group.push(recipient);
                }
                groups.push(group);
            }
            seal::wrap_into(&mut rest, &data_key, &groups, &known, random)?;
        }
        let home = home.unwrap_or(first);
        rest.layout.clone_from(&home.metadata().layout);
        Ok(Ok(Block {
            metadata: rest,
            data_key,
            home,
        }))
    }
}

fn opened<'a>(versions: &Versions<'a>) -> impl Iterator<Item = &'a Opened> + use<'a> {
    let all = [Some(versions.ours), Some(versions.theirs), versions.base];
    all.into_iter().flatten().filter_map(Version::opened)
}

/// Who shall be able to open the document.
fn keys(
    base: Option<&Keys>,
    ours: &Keys,
    theirs: &Keys,
    differs: &mut dyn FnMut(&str),
) -> Option<Keys> {
    let threshold = three_way(
        base.map(|it| &it.threshold),
        &ours.threshold,
        &theirs.threshold,
    );
    if threshold.is_none() {
        differs("shamir_threshold");
    }
    let foreign = three_way(base.map(|it| &it.foreign), &ours.foreign, &theirs.foreign);
    if foreign.is_none() {
        let mut kinds = ours.foreign.iter().chain(&theirs.foreign);
        differs(kinds.next().map_or("", |(_, kind, _)| kind));
    }
    let several = ours.groups.len() > 1 || theirs.groups.len() > 1;
    let field = if several { "key_groups" } else { "age" };
    let groups = match base {
        Some(base)
            if base.groups.len() == ours.groups.len()
                && base.groups.len() == theirs.groups.len() =>
        {
            let pairs = base.groups.iter().zip(&ours.groups).zip(&theirs.groups);
            Some(
                pairs
                    .map(|((base, ours), theirs)| union(base, ours, theirs))
                    .collect(),
            )
        }
        _ => three_way(base.map(|it| &it.groups), &ours.groups, &theirs.groups),
    };
    let foreign_ones = foreign.as_ref().is_some_and(|foreign| !foreign.is_empty());
    let nobody = |groups: &Vec<Vec<String>>| groups.iter().any(Vec::is_empty) && !foreign_ones;
    let groups = groups.filter(|groups| !nobody(groups));
    if groups.is_none() {
        differs(field);
    }
    Some(Keys {
        groups: groups?,
        threshold: threshold?,
        foreign: foreign?,
    })
}

/// Ours without who went on their side, and with who came there.
pub(super) fn union(base: &[String], ours: &[String], theirs: &[String]) -> Vec<String> {
    let has = |names: &[String], name: &String| names.iter().any(|it| is_same_recipient(it, name));
    let goes = |name: &&String| has(base, name) && !has(theirs, name);
    let comes = |name: &&String| !has(base, name) && !has(ours, name);
    let stay = ours.iter().filter(|name| !goes(name));
    stay.chain(theirs.iter().filter(comes)).cloned().collect()
}

fn three_way<T: Clone + PartialEq>(base: Option<&T>, ours: &T, theirs: &T) -> Option<T> {
    if ours == theirs || base == Some(theirs) {
        Some(ours.clone())
    } else if base == Some(ours) {
        Some(theirs.clone())
    } else {
        None
    }
}

/// The version of the side that changed it; of two, the later one.
fn newer<'a>(base: Option<&str>, ours: &'a str, theirs: &'a str) -> &'a str {
    if base == Some(ours) {
        return theirs;
    }
    let numbers = |text: &str| -> Vec<u32> {
        let numbers = text.split(['.', '-', '+']).take(3);
        numbers.map(|number| number.parse().unwrap_or(0)).collect()
    };
    if base != Some(theirs) && numbers(theirs) > numbers(ours) {
        theirs
    } else {
        ours
    }
}
