//! A persistent ordered map: a B+tree whose nodes are shared copy-on-write (Rodeh, "B-trees, Shadowing, and Clones",
//! 2008). A clone costs one reference count; an edit of a map that shares nothing happens in place. Nodes are dropped
//! when they are empty and are not merged otherwise.

use std::borrow::Borrow;
use std::sync::Arc;

const WIDTH: usize = 64;

/// An ordered map that is cheap to clone.
#[derive(Debug)]
pub struct CowMap<K, V> {
    root: Arc<Node<K, V>>,
    len: usize,
}

#[derive(Clone, Debug)]
enum Node<K, V> {
    Leaf {
        keys: Vec<K>,
        values: Vec<V>,
    },
    /// `bounds[i]` is at most every key of `children[i]` and above every key of `children[i - 1]`.
    Inner {
        bounds: Vec<K>,
        children: Vec<Arc<Node<K, V>>>,
    },
}

/// What an insertion into a node leaves behind: the replaced value, and a new right neighbour when the node overflowed.
struct Inserted<K, V> {
    replaced: Option<V>,
    split: Option<(K, Arc<Node<K, V>>)>,
}

impl<K, V> Clone for CowMap<K, V> {
    fn clone(&self) -> Self {
        CowMap { root: Arc::clone(&self.root), len: self.len }
    }
}

impl<K, V> Default for CowMap<K, V> {
    fn default() -> Self {
        CowMap { root: Arc::new(Node::Leaf { keys: Vec::new(), values: Vec::new() }), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> CowMap<K, V> {
    /// An empty map.
    pub fn new() -> CowMap<K, V> {
        CowMap::default()
    }

    /// A map of entries that come in ascending order of distinct keys.
    pub fn from_sorted(entries: Vec<(K, V)>) -> CowMap<K, V> {
        let len = entries.len();
        let mut level: Vec<(K, Arc<Node<K, V>>)> = Vec::with_capacity(len / WIDTH + 1);
        let mut entries = entries.into_iter().peekable();
        while let Some((bound, _)) = entries.peek() {
            let bound = bound.clone();
            let (keys, values) = entries.by_ref().take(WIDTH).unzip();
            level.push((bound, Arc::new(Node::Leaf { keys, values })));
        }
        while level.len() > 1 {
            let mut above = Vec::with_capacity(level.len() / WIDTH + 1);
            let mut nodes = level.into_iter().peekable();
            while let Some((bound, _)) = nodes.peek() {
                let bound = bound.clone();
                let (bounds, children) = nodes.by_ref().take(WIDTH).unzip();
                above.push((bound, Arc::new(Node::Inner { bounds, children })));
            }
            level = above;
        }
        match level.pop() {
            Some((_, root)) => CowMap { root, len },
            None => CowMap::default(),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether both are the very same tree.
    pub fn ptr_eq(&self, other: &CowMap<K, V>) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf { keys, values } => {
                    return keys.binary_search_by(|k| k.borrow().cmp(key)).ok().map(|i| &values[i]);
                }
                Node::Inner { bounds, children } => node = &children[child_for(bounds, key)],
            }
        }
    }

    /// The entry with the greatest key that is at most `key`.
    pub fn floor(&self, key: &K) -> Option<(&K, &V)> {
        floor_in(&self.root, key)
    }

    /// The value of a key that is there, for changing it in place.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let mut node = Arc::make_mut(&mut self.root);
        loop {
            match node {
                Node::Leaf { keys, values } => {
                    let index = keys.binary_search(key).ok()?;
                    return Some(&mut values[index]);
                }
                Node::Inner { bounds, children } => {
                    let child = child_for(bounds, key);
                    node = Arc::make_mut(&mut children[child]);
                }
            }
        }
    }

    /// Sets the value of a key and gives the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Inserted { replaced, split } = insert_into(Arc::make_mut(&mut self.root), key, value);
        if let Some((bound, right)) = split {
            let left = Arc::clone(&self.root);
            let bounds = vec![first_bound(&left).clone(), bound];
            self.root = Arc::new(Node::Inner { bounds, children: vec![left, right] });
        }
        if replaced.is_none() {
            self.len += 1;
        }
        replaced
    }

    /// Removes a key and gives its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get(key)?;
        let removed = remove_from(Arc::make_mut(&mut self.root), key);
        self.len -= 1;
        while let Node::Inner { children, .. } = &*self.root {
            match children.len() {
                0 => self.root = Arc::new(Node::Leaf { keys: Vec::new(), values: Vec::new() }),
                1 => self.root = Arc::clone(&children[0]),
                _ => break,
            }
        }
        removed
    }

    /// All entries in ascending order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { stack: Vec::new() };
        iter.stack.push((&self.root, 0));
        iter
    }

    /// The entries from `key` on, in ascending order.
    pub fn iter_from(&self, key: &K) -> Iter<'_, K, V> {
        let mut iter = Iter { stack: Vec::new() };
        // Many maps stay empty, and the way into them takes an allocation.
        if self.is_empty() {
            return iter;
        }
        let mut node: &Node<K, V> = &self.root;
        loop {
            match node {
                Node::Leaf { keys, .. } => {
                    let index = keys.partition_point(|k| k < key);
                    iter.stack.push((node, index));
                    return iter;
                }
                Node::Inner { bounds, children } => {
                    let child = child_for(bounds, key);
                    iter.stack.push((node, child + 1));
                    node = &children[child];
                }
            }
        }
    }

    /// All values in ascending order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

/// Iterates in ascending order.
#[derive(Debug)]
pub struct Iter<'a, K, V> {
    stack: Vec<(&'a Node<K, V>, usize)>,
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (node, index) = self.stack.last_mut()?;
            let position = *index;
            *index += 1;
            match node {
                Node::Leaf { keys, values } => match keys.get(position) {
                    Some(key) => return Some((key, &values[position])),
                    None => {
                        self.stack.pop();
                    }
                },
                Node::Inner { children, .. } => match children.get(position) {
                    Some(child) => self.stack.push((child, 0)),
                    None => {
                        self.stack.pop();
                    }
                },
            }
        }
    }
}

fn child_for<K: Borrow<Q>, Q: Ord + ?Sized>(bounds: &[K], key: &Q) -> usize {
    bounds.partition_point(|bound| bound.borrow() <= key).saturating_sub(1)
}

fn first_bound<K, V>(node: &Node<K, V>) -> &K {
    match node {
        Node::Leaf { keys, .. } => &keys[0],
        Node::Inner { bounds, .. } => &bounds[0],
    }
}

fn floor_in<'a, K: Ord, V>(node: &'a Node<K, V>, key: &K) -> Option<(&'a K, &'a V)> {
    match node {
        Node::Leaf { keys, values } => {
            let above = keys.partition_point(|k| k <= key);
            above.checked_sub(1).map(|i| (&keys[i], &values[i]))
        }
        Node::Inner { bounds, children } => {
            let child = child_for(bounds, key);
            let found = floor_in(&children[child], key);
            match (found, child.checked_sub(1)) {
                (None, Some(left)) => last_of(&children[left]),
                (found, _) => found,
            }
        }
    }
}

fn last_of<K, V>(node: &Node<K, V>) -> Option<(&K, &V)> {
    match node {
        Node::Leaf { keys, values } => Some((keys.last()?, values.last()?)),
        Node::Inner { children, .. } => last_of(children.last()?),
    }
}

fn insert_into<K: Ord + Clone, V: Clone>(node: &mut Node<K, V>, key: K, value: V) -> Inserted<K, V> {
    match node {
        Node::Leaf { keys, values } => match keys.binary_search(&key) {
            Ok(index) => Inserted { replaced: Some(std::mem::replace(&mut values[index], value)), split: None },
            Err(index) => {
                keys.insert(index, key);
                values.insert(index, value);
                let split = split_point(keys.len(), index).map(|at| {
                    let (keys, values) = (keys.split_off(at), values.split_off(at));
                    (keys[0].clone(), Arc::new(Node::Leaf { keys, values }))
                });
                Inserted { replaced: None, split }
            }
        },
        Node::Inner { bounds, children } => {
            let child = child_for(bounds, &key);
            if key < bounds[child] {
                bounds[child] = key.clone();
            }
            let mut inserted = insert_into(Arc::make_mut(&mut children[child]), key, value);
            if let Some((bound, right)) = inserted.split.take() {
                bounds.insert(child + 1, bound);
                children.insert(child + 1, right);
                inserted.split = split_point(bounds.len(), child + 1).map(|at| {
                    let (bounds, children) = (bounds.split_off(at), children.split_off(at));
                    (bounds[0].clone(), Arc::new(Node::Inner { bounds, children }))
                });
            }
            inserted
        }
    }
}

/// Where to split a node of `len` entries, the newest of which is at `index`: near the end when it grew at the end, so
/// that ascending insertion leaves full nodes behind.
fn split_point(len: usize, index: usize) -> Option<usize> {
    if len <= WIDTH {
        None
    } else if index + 1 == len {
        Some(len - 1)
    } else {
        Some(len / 2)
    }
}

fn remove_from<K: Ord + Clone + Borrow<Q>, V: Clone, Q: Ord + ?Sized>(node: &mut Node<K, V>, key: &Q) -> Option<V> {
    match node {
        Node::Leaf { keys, values } => {
            let index = keys.binary_search_by(|k| k.borrow().cmp(key)).ok()?;
            keys.remove(index);
            Some(values.remove(index))
        }
        Node::Inner { bounds, children } => {
            let child = child_for(bounds, key);
            let removed = remove_from(Arc::make_mut(&mut children[child]), key);
            let empty = match &*children[child] {
                Node::Leaf { keys, .. } => keys.is_empty(),
                Node::Inner { children, .. } => children.is_empty(),
            };
            if empty {
                bounds.remove(child);
                children.remove(child);
            }
            removed
        }
    }
}

impl<V: Clone> CowMap<i64, V> {
    /// The value of a key: like `get`, but where the key would be if all were spread evenly is looked at first, as ints that
    /// count up are.
    pub fn get_int(&self, key: i64) -> Option<&V> {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf { keys, values } => {
                    let guess = even_place(keys, key);
                    if keys.get(guess) == Some(&key) {
                        return values.get(guess);
                    }
                    return keys.binary_search(&key).ok().map(|index| &values[index]);
                }
                Node::Inner { bounds, children } => {
                    let guess = even_place(bounds, key);
                    let is_right = bounds[guess] <= key && bounds.get(guess + 1).is_none_or(|next| key < *next);
                    node = &children[if is_right { guess } else { child_for(bounds, &key) }];
                }
            }
        }
    }
}

/// Where a key would be among ascending ones if these were spread evenly.
fn even_place(keys: &[i64], key: i64) -> usize {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return 0 };
    if key <= *first {
        return 0;
    }
    if key >= *last {
        return keys.len() - 1;
    }
    let part = key.wrapping_sub(*first) as u64 as f64 / last.wrapping_sub(*first) as u64 as f64;
    (part * (keys.len() - 1) as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn behaves_like_a_btree_map_and_clones_do_not_see_later_edits(
            edits in prop::collection::vec((any::<bool>(), 0u16..400, any::<u8>()), 0..1500),
            probes in prop::collection::vec(0u16..400, 20),
        ) {
            let mut map = CowMap::new();
            let mut model = BTreeMap::new();
            let mut kept = (map.clone(), model.clone());
            for (index, (insert, key, value)) in edits.iter().enumerate() {
                if *insert {
                    prop_assert_eq!(map.insert(*key, *value), model.insert(*key, *value));
                } else {
                    prop_assert_eq!(map.remove(key), model.remove(key));
                }
                if index == edits.len() / 2 {
                    kept = (map.clone(), model.clone());
                }
            }
            for (map, model) in [&(map, model), &kept] {
                prop_assert_eq!(map.len(), model.len());
                prop_assert!(map.iter().eq(model.iter()));
                for probe in &probes {
                    prop_assert_eq!(map.get(probe), model.get(probe));
                    prop_assert_eq!(map.floor(probe), model.range(..=probe).next_back());
                    prop_assert!(map.iter_from(probe).eq(model.range(probe..)));
                }
            }
        }

        #[test]
        fn ints_are_found_however_they_are_spread(
            keys in prop::collection::btree_set(prop_oneof![0i64..5000, any::<i64>()], 0..3000),
            strangers in prop::collection::vec(prop_oneof![0i64..5000, any::<i64>()], 50),
        ) {
            let map = CowMap::from_sorted(keys.iter().map(|key| (*key, *key)).collect());
            for key in keys.iter().chain(&strangers) {
                prop_assert_eq!(map.get_int(*key), keys.get(key));
            }
        }

        #[test]
        fn building_from_sorted_entries_equals_inserting_them(keys in prop::collection::btree_set(any::<u32>(), 0..3000)) {
            let entries: Vec<_> = keys.iter().map(|k| (*k, *k)).collect();
            let built = CowMap::from_sorted(entries.clone());
            prop_assert_eq!(built.len(), entries.len());
            prop_assert!(built.iter().map(|(k, v)| (*k, *v)).eq(entries.iter().copied()));
            for key in keys.iter().take(50) {
                prop_assert_eq!(built.get(key), Some(key));
            }
        }
    }
}
