//! Which collection a comment belongs to, and between which of its entries: the reference takes the path of the collection
//! as additional data, and rules that go by comments ask for the order.
//!
//! go-yaml decides that from the layout alone, so this follows it over the whole text: `scan` finds the comments between
//! tokens, `events` hands them to what takes them, `seats` files them as the reference does (SOPS 3.11 with go-yaml 3.0.4).
//! Linear; a text without `#` pays one search for it.

mod events;
mod scan;
mod seats;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use crate::format::parts::{Collection, Comment, Item, Root, Seat, small};
use crate::order;

/// Gives each comment its seat, in the document that it belongs to. One that no reader asks for stays in the document whose
/// text it stands in.
pub(super) fn file(text: &str, documents: &mut [Root]) {
    let found = seats::of_text(text).filter(|found| {
        let counts = documents.iter().map(|root| root.collections.len());
        found.collections.iter().copied().eq(counts)
    });
    let found = found.map(|found| found.seats).unwrap_or_default();
    let seat_of = |comment: &Comment| {
        let at = found.binary_search_by_key(&comment.span.start(), |seat| seat.at);
        at.ok().and_then(|at| found.get(at)).copied()
    };
    let mut moved: Vec<(seats::Seat, Comment)> = Vec::new();
    for (number, root) in documents.iter_mut().enumerate() {
        let is_here =
            |comment: &Comment| seat_of(comment).is_none_or(|seat| seat.document == number);
        let mut all_here = true;
        for item in &mut root.items {
            if let Item::Comment(comment) = item {
                all_here &= is_here(comment);
                sit(comment, seat_of(comment), &root.collections);
            }
        }
        if all_here {
            continue;
        }
        // Comments around a marker may belong to the document on its other side.
        for item in core::mem::take(&mut root.items) {
            match item {
                Item::Comment(comment) if !is_here(&comment) => {
                    moved.extend(seat_of(&comment).map(|seat| (seat, comment)));
                }
                item => root.items.push(item),
            }
        }
    }
    let moved = order::by_key(moved, |(seat, _)| (seat.document, 0));
    for (number, root) in documents.iter_mut().enumerate() {
        let from = moved.partition_point(|(seat, _)| seat.document < number);
        let to = moved.partition_point(|(seat, _)| seat.document <= number);
        let here = moved.get(from..to).unwrap_or_default();
        if here.is_empty() {
            continue;
        }
        for (seat, comment) in here {
            let mut comment = comment.clone();
            sit(&mut comment, Some(*seat), &root.collections);
            root.items.push(Item::Comment(comment));
        }
        root.items = order::by_key(core::mem::take(&mut root.items), |item| (item.start(), 0));
    }
}

fn sit(comment: &mut Comment, seat: Option<seats::Seat>, collections: &[Collection]) {
    let around = || {
        let begun = collections.partition_point(|it| it.start < comment.span.start());
        begun.saturating_sub(1)
    };
    let collection = seat.map_or_else(around, |seat| seat.collection);
    if let Some(collection) = collections.get(collection) {
        comment.path = collection.path.clone();
    }
    comment.seat = Some(Seat {
        collection: small(collection),
        before: small(seat.map_or(0, |seat| seat.before)),
        rank: small(seat.map_or(0, |seat| seat.rank)),
        dropped: seat.is_none_or(|seat| seat.dropped),
    });
}
