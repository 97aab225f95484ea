//! Ordering and looking up, through one instance of the standard library's sort and without its trees, whose code
//! comes once for each type of key: together a tenth of the codec as the page loads it.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// The items by ascending key; those of equal keys stay as they were.
pub(crate) fn by_key<T>(items: Vec<T>, key: impl Fn(&T) -> (usize, usize)) -> Vec<T> {
    sorted(items, |one, other| key(one).cmp(&key(other)))
}

/// Entries that are gathered first and then looked up; a key may have several.
#[derive(Clone)]
pub(crate) struct Table<K, V>(Vec<(K, V)>);

impl<K: Ord, V> Table<K, V> {
    /// Entries of one key stay in their order.
    pub(crate) fn new(entries: Vec<(K, V)>) -> Self {
        Self(sorted(entries, |(one, _), (other, _)| one.cmp(other)))
    }

    /// All entries, by key.
    pub(crate) fn entries(&self) -> &[(K, V)] {
        &self.0
    }

    /// The entries of a key, which is told by how a key in the table compares with it.
    pub(crate) fn get(&self, key: impl Fn(&K) -> Ordering) -> &[(K, V)] {
        let from = self.0.partition_point(|(at, _)| key(at).is_lt());
        let rest = self.0.get(from..).unwrap_or_default();
        let count = rest.partition_point(|(at, _)| key(at).is_eq());
        rest.get(..count).unwrap_or_default()
    }

    /// Whether a key has an entry.
    pub(crate) fn holds(&self, key: impl Fn(&K) -> Ordering) -> bool {
        !self.get(key).is_empty()
    }
}

fn sorted<T>(items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if items.is_sorted_by(|one, other| compare(one, other).is_le()) {
        return items;
    }
    let order = permutation(
        items.len(),
        &|one, other| match (items.get(one), items.get(other)) {
            (Some(one), Some(other)) => compare(one, other),
            _ => Ordering::Equal,
        },
    );
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|at| items.get_mut(at).and_then(Option::take))
        .collect()
}

/// The one instance.
fn permutation(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_unstable_by(|one, other| compare(*one, *other).then(one.cmp(other)));
    order
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn equal_keys_keep_their_order() {
        let items = vec![(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')];
        let sorted = by_key(items, |(key, _)| (*key, 0));
        assert_eq!(sorted, [(0, 'd'), (1, 'b'), (1, 'e'), (2, 'a'), (2, 'c')]);
        assert!(by_key(Vec::<u8>::new(), |_| (0, 0)).is_empty());
    }

    #[test]
    fn a_table_gives_all_entries_of_a_key() {
        let table = Table::new(vec![("b", 1), ("a", 2), ("c", 3), ("b", 4)]);
        let of = |key: &str| table.get(|at| (*at).cmp(key)).to_vec();
        assert_eq!(of("b"), [("b", 1), ("b", 4)]);
        assert_eq!(of("a"), [("a", 2)]);
        assert_eq!(of("c"), [("c", 3)]);
        assert!(of("").is_empty() && of("aa").is_empty() && of("d").is_empty());
        assert!(table.holds(|at| (*at).cmp("c")) && !table.holds(|at| (*at).cmp("x")));
    }
}
