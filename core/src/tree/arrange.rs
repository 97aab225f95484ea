//! Which part of a text stands in which collection, and in which order the reference walks them.
//!
//! The parts come in file order. A comment goes where its seat is; without one it belongs where its path says, and when
//! it stands before its collection begins it waits for it.

use alloc::vec::Vec;
use core::iter::Peekable;

use super::{Entry, Node};
use crate::error::{Error, ErrorCode};
use crate::format::parts::{Alias, Collection, Comment, Item, Root, Seat};
use crate::order::{self, Table};
use crate::path::{Path, Segment};
use crate::text::Text;

/// The collections of a document; the first is the top.
pub(crate) struct Arranged<'a> {
    pub(crate) items: Vec<&'a Item>,
    pub(crate) branches: Vec<Branch<'a>>,
    aliases: &'a [Alias],
    /// The anchors' numbers and where what they name begins, by number.
    anchors: Table<usize, usize>,
    /// The numbers of the branches, as they end.
    ended: Vec<usize>,
}

/// One collection.
pub(crate) struct Branch<'a> {
    path: &'a Path,
    start: usize,
    is_list: bool,
    pub(crate) parts: Vec<Part>,
    parent: usize,
}

/// What stands in a collection.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// Number of the alias.
    Alias(usize),
    /// Number of the branch.
    Branch(usize),
    /// Number of the item.
    Comment(usize),
    /// Number of a comment that the reference drops.
    Dropped(usize),
    /// Number of the item.
    Leaf(usize),
}

/// Arranges one document. Both lists are in file order; collections come with their numbers, which those of the `sops`
/// block may be missing of. `block` is its place among the entries at the top.
pub(crate) fn arrange<'a>(
    items: Vec<&'a Item>,
    collections: impl Iterator<Item = (usize, &'a Collection)>,
    root: &'a Root,
    block: Option<usize>,
) -> Arranged<'a> {
    let mut builder = Builder {
        branches: Vec::new(),
        numbers: Vec::new(),
        open: 0,
        waiting: Vec::new(),
        seated: Vec::new(),
        ended: Vec::new(),
    };
    let mut collections = collections.peekable();
    let mut aliases = root.aliases.iter().enumerate().peekable();
    for (number, item) in items.iter().enumerate() {
        builder.up_to(item.start(), &mut collections, &mut aliases);
        match item {
            Item::Comment(comment) => match comment.seat {
                Some(seat) => builder.seated.push((number, seat)),
                None => builder.comment(comment, number),
            },
            Item::Scalar(scalar) => {
                let parent = builder.parent(scalar.path.depth());
                builder.put(parent, Part::Leaf(number));
            }
        }
    }
    builder.up_to(usize::MAX, &mut collections, &mut aliases);
    builder.parent(0);
    if builder.branches.is_empty() {
        // Comments alone have a mapping around them all the same.
        builder.branches.push(Branch {
            path: &TOP,
            start: 0,
            is_list: false,
            parts: Vec::new(),
            parent: 0,
        });
    }
    // What belongs nowhere is kept at the top.
    for (number, _) in core::mem::take(&mut builder.waiting) {
        builder.put(0, Part::Comment(number));
    }
    builder.take_seats(block);
    builder.ended.push(0);
    Arranged {
        items,
        branches: builder.branches,
        aliases: &root.aliases,
        anchors: Table::new(root.anchors.clone()),
        ended: builder.ended,
    }
}

static TOP: Path = Path::top();

struct Builder<'a> {
    branches: Vec<Branch<'a>>,
    /// For each branch, which collection it is.
    numbers: Vec<usize>,
    /// The innermost branch that is open.
    open: usize,
    /// Comments whose collection has not begun yet.
    waiting: Vec<(usize, &'a Comment)>,
    /// Comments whose seat is known.
    seated: Vec<(usize, Seat)>,
    ended: Vec<usize>,
}

impl<'a> Builder<'a> {
    /// Opens what begins up to a place.
    fn up_to(
        &mut self,
        place: usize,
        collections: &mut Peekable<impl Iterator<Item = (usize, &'a Collection)>>,
        aliases: &mut Peekable<impl Iterator<Item = (usize, &'a Alias)>>,
    ) {
        loop {
            let alias = aliases.peek().map_or(usize::MAX, |(_, alias)| alias.start);
            if let Some((number, collection)) =
                collections.next_if(|(_, next)| next.start <= place && next.start <= alias)
            {
                self.numbers.push(number);
                self.open(collection);
            } else if let Some((number, alias)) = aliases.next_if(|(_, alias)| alias.start <= place)
            {
                let parent = self.parent(alias.path.depth());
                self.put(parent, Part::Alias(number));
            } else {
                return;
            }
        }
    }

    fn open(&mut self, collection: &'a Collection) {
        let number = self.branches.len();
        let parent = self.parent(collection.path.depth());
        if number > 0 {
            self.put(parent, Part::Branch(number));
        }
        self.branches.push(Branch {
            path: &collection.path,
            start: collection.start,
            is_list: collection.items.is_some(),
            parts: Vec::new(),
            parent,
        });
        self.open = number;
        let (here, later): (Vec<_>, Vec<_>) = core::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, comment)| comment.path == collection.path);
        self.waiting = later;
        for (comment, _) in here {
            self.put(number, Part::Comment(comment));
        }
    }

    fn comment(&mut self, comment: &'a Comment, number: usize) {
        let mut at = self.open;
        while let Some(branch) = self.branches.get(at) {
            if *branch.path == comment.path {
                self.put(at, Part::Comment(number));
                return;
            }
            if branch.parent == at {
                break;
            }
            at = branch.parent;
        }
        self.waiting.push((number, comment));
    }

    fn put(&mut self, branch: usize, part: Part) {
        if let Some(branch) = self.branches.get_mut(branch) {
            branch.parts.push(part);
        }
    }

    /// Puts the comments with seats between the other parts.
    fn take_seats(&mut self, block: Option<usize>) {
        let seated = core::mem::take(&mut self.seated).into_iter();
        let placed = seated.map(|(item, seat)| {
            let Ok(branch) = self.numbers.binary_search(&(seat.collection as usize)) else {
                // With the block it goes.
                let top = usize::from(seat.collection > 0);
                let dropped = top > 0 || seat.dropped;
                return (
                    0,
                    (seat.before as usize).max(top * usize::MAX),
                    seat.rank as usize,
                    item,
                    dropped,
                );
            };
            let behind = branch == 0 && block.is_some_and(|block| seat.before as usize > block);
            let before = seat.before as usize - usize::from(behind);
            (branch, before, seat.rank as usize, item, seat.dropped)
        });
        let placed = order::by_key(placed.collect(), |(_, before, rank, ..)| (*before, *rank));
        let mut placed = order::by_key(placed, |(branch, ..)| (*branch, 0))
            .into_iter()
            .peekable();
        while let Some((number, ..)) = placed.peek().copied() {
            let mut next = |before: usize| {
                let (.., item, dropped) =
                    placed.next_if(|(branch, at, ..)| *branch == number && *at <= before)?;
                Some(if dropped {
                    Part::Dropped(item)
                } else {
                    Part::Comment(item)
                })
            };
            let Some(branch) = self.branches.get_mut(number) else {
                return;
            };
            let old = core::mem::take(&mut branch.parts);
            for (before, part) in old.into_iter().enumerate() {
                branch.parts.extend(core::iter::from_fn(|| next(before)));
                branch.parts.push(part);
            }
            branch
                .parts
                .extend(core::iter::from_fn(|| next(usize::MAX)));
        }
    }

    /// The innermost open branch that something with so many steps in its path can stand in.
    fn parent(&mut self, depth: usize) -> usize {
        while let Some(branch) = self.branches.get(self.open) {
            if branch.path.depth() < depth || branch.parent == self.open {
                break;
            }
            self.ended.push(self.open);
            self.open = branch.parent;
        }
        self.open
    }
}

impl Arranged<'_> {
    /// The document as a tree, aliases replaced by what they stand for.
    ///
    /// # Errors
    /// `limit-exceeded` when those come to more than what is `left` of the nodes that aliases may stand for.
    pub(crate) fn tree(&self, left: &mut usize) -> Result<Node, Error> {
        let mut build = Build {
            document: self,
            done: Vec::new(),
            named: Vec::new(),
            left: *left,
        };
        build.done.resize_with(self.branches.len(), || None);
        let wanted = self.aliases.iter().filter_map(|alias| self.target(alias));
        let mut wanted: Vec<usize> = wanted.collect();
        wanted.sort_unstable();
        wanted.dedup();
        build.named = wanted.into_iter().map(|start| (start, None)).collect();
        for item in &self.items {
            if let Item::Scalar(scalar) = item {
                build.name(scalar.span.start(), || {
                    (Node::Leaf(scalar.value.clone()), 1)
                });
            }
        }
        for number in &self.ended {
            build.branch(*number)?;
        }
        *left = build.left;
        let top = build.done.into_iter().next().flatten();
        Ok(top.map_or(Node::Mapping(Vec::new()), |(node, _)| node))
    }

    /// Where what an alias names begins. A name may be given again: the last one before the alias counts, and the parser
    /// numbers each.
    fn target(&self, alias: &Alias) -> Option<usize> {
        let found = self.anchors.get(|number| number.cmp(&alias.anchor));
        found.first().map(|(_, start)| *start)
    }
}

/// Nodes with the number of nodes in them.
type Counted = (Node, usize);

struct Build<'a> {
    document: &'a Arranged<'a>,
    done: Vec<Option<Counted>>,
    /// Where something begins that an alias names, and what it is once it is known.
    named: Vec<(usize, Option<Counted>)>,
    /// How many nodes aliases may still add.
    left: usize,
}

impl Build<'_> {
    /// What stands in it has ended before.
    fn branch(&mut self, number: usize) -> Result<(), Error> {
        let document = self.document;
        let Some(branch) = document.branches.get(number) else {
            return Ok(());
        };
        let mut entries = Vec::with_capacity(branch.parts.len());
        let mut count = 1;
        for part in &branch.parts {
            let (path, node, more) = match part {
                Part::Alias(number) => {
                    let Some(alias) = document.aliases.get(*number) else {
                        continue;
                    };
                    let (node, more) = self.copy_of(alias)?;
                    (&alias.path, node, more)
                }
                Part::Branch(number) => {
                    let below = document.branches.get(*number);
                    let done = self.done.get_mut(*number).and_then(Option::take);
                    let (Some(below), Some((node, more))) = (below, done) else {
                        continue;
                    };
                    (below.path, node, more)
                }
                Part::Dropped(_) => continue,
                Part::Comment(number) | Part::Leaf(number) => match document.items.get(*number) {
                    Some(Item::Comment(comment)) => {
                        entries.push(Entry::Comment(comment.text.clone()));
                        continue;
                    }
                    Some(Item::Scalar(scalar)) => {
                        (&scalar.path, Node::Leaf(scalar.value.clone()), 1)
                    }
                    None => continue,
                },
            };
            count += more;
            entries.push(Entry::Item {
                key: key_of(path),
                node,
            });
        }
        let node = if branch.is_list {
            Node::List(entries)
        } else {
            Node::Mapping(entries)
        };
        self.name(branch.start, || (node.clone(), count));
        if let Some(place) = self.done.get_mut(number) {
            *place = Some((node, count));
        }
        Ok(())
    }

    /// Keeps what an alias will ask for.
    fn name(&mut self, start: usize, node: impl FnOnce() -> Counted) {
        if let Ok(at) = self.named.binary_search_by_key(&start, |(at, _)| *at)
            && let Some((_, place)) = self.named.get_mut(at)
        {
            *place = Some(node());
        }
    }

    fn copy_of(&mut self, alias: &Alias) -> Result<Counted, Error> {
        let start = self.document.target(alias);
        let found = start.and_then(|start| {
            let at = self
                .named
                .binary_search_by_key(&start, |(at, _)| *at)
                .ok()?;
            self.named.get(at)?.1.as_ref()
        });
        let Some((node, count)) = found else {
            return Err(Error::input(
                ErrorCode::AliasInSealedDocument,
                "an alias stands inside what it names, or names nothing that can stand again; write the value out",
            )
            .at_path(&alias.path));
        };
        self.left = self.left.checked_sub(*count).ok_or_else(|| {
            Error::input(
                ErrorCode::LimitExceeded,
                "the aliases of the text stand for more than a file may hold; write out less",
            )
            .at_path(&alias.path)
        })?;
        Ok((node.clone(), *count))
    }
}

fn key_of(path: &Path) -> Option<Text> {
    match path.last() {
        Some(Segment::Key(key)) => Some(key.clone()),
        _ => None,
    }
}
