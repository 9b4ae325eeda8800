//! Retained messages by topic level: the last one of each topic, within a count and a byte limit.

use std::collections::HashMap;

use crate::message::Message;
use crate::topic::levels;

/// A retained message and when it runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retained {
    pub(crate) message: Message,
    pub(crate) expires_at_ms: Option<u64>,
}

#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<str>, Node>,
    value: Option<Retained>,
}

/// All retained messages.
#[derive(Debug, Default)]
pub(crate) struct RetainedTree {
    root: Node,
    len: usize,
    bytes: usize,
}

impl RetainedTree {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps `value` as its topic's retained message, unless a limit forbids it; then the older one, if
    /// any, stays and false is returned.
    pub(crate) fn insert(&mut self, value: Retained, count_max: usize, bytes_max: usize) -> bool {
        let added = value.message.bytes();
        let (old_len, old_bytes) = self
            .get(&value.message.topic)
            .map_or((0, 0), |old| (1, old.message.bytes()));
        let len = self.len - old_len + 1;
        let bytes = self.bytes - old_bytes + added;
        if len > count_max || bytes > bytes_max {
            return false;
        }
        let topic = std::sync::Arc::clone(&value.message.topic);
        let mut node = &mut self.root;
        for level in levels(&topic) {
            node = node.children.entry(level.into()).or_default();
        }
        node.value = Some(value);
        self.len = len;
        self.bytes = bytes;
        true
    }

    /// Removes a topic's retained message.
    pub(crate) fn remove(&mut self, topic: &str) -> Option<Retained> {
        let path: Vec<&str> = levels(topic).collect();
        let removed = self.root.remove(&path)?;
        self.len -= 1;
        self.bytes -= removed.message.bytes();
        Some(removed)
    }

    pub(crate) fn get(&self, topic: &str) -> Option<&Retained> {
        let mut node = &self.root;
        for level in levels(topic) {
            node = node.children.get(level)?;
        }
        node.value.as_ref()
    }

    /// Copies of all that match a filter.
    pub(crate) fn matching(&self, filter: &str) -> Vec<Retained> {
        let path: Vec<&str> = levels(filter).collect();
        let mut found = Vec::new();
        self.root.collect(&path, true, &mut found);
        found
    }

    /// Topics whose retained message ran out.
    pub(crate) fn expired(&self, now_ms: u64) -> Vec<Retained> {
        let mut found = self.matching("#");
        found.extend(
            self.root
                .children
                .iter()
                .filter(|(k, _)| k.starts_with('$'))
                .flat_map(|(_, n)| {
                    let mut below = Vec::new();
                    n.all(&mut below);
                    below
                }),
        );
        found.retain(|r| r.expires_at_ms.is_some_and(|at| at <= now_ms));
        found
    }
}

impl Node {
    fn remove(&mut self, path: &[&str]) -> Option<Retained> {
        let Some((level, rest)) = path.split_first() else {
            return self.value.take();
        };
        let child = self.children.get_mut(*level)?;
        let removed = child.remove(rest);
        if child.value.is_none() && child.children.is_empty() {
            self.children.remove(*level);
        }
        removed
    }

    fn collect(&self, path: &[&str], first: bool, found: &mut Vec<Retained>) {
        match path.split_first() {
            None => found.extend(self.value.clone()),
            Some((&"#", _)) => {
                if !first {
                    found.extend(self.value.clone());
                }
                for (_, child) in self.visible(first) {
                    child.all(found);
                }
            }
            Some((&"+", rest)) => {
                for (_, child) in self.visible(first) {
                    child.collect(rest, false, found);
                }
            }
            Some((level, rest)) => {
                if let Some(child) = self.children.get(*level) {
                    child.collect(rest, false, found);
                }
            }
        }
    }

    /// Children a wildcard may enter: at the first level not those that begin with `$`.
    fn visible(&self, first: bool) -> impl Iterator<Item = (&Box<str>, &Node)> {
        self.children
            .iter()
            .filter(move |(name, _)| !(first && name.starts_with('$')))
    }

    fn all(&self, found: &mut Vec<Retained>) {
        found.extend(self.value.clone());
        for child in self.children.values() {
            child.all(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retained(topic: &str) -> Retained {
        Retained {
            message: Message::new(topic, "x"),
            expires_at_ms: None,
        }
    }

    fn topics(tree: &RetainedTree, filter: &str) -> Vec<String> {
        let mut found: Vec<_> = tree
            .matching(filter)
            .iter()
            .map(|r| r.message.topic.to_string())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn wildcards_find_retained_messages_and_dollar_topics_stay_hidden() {
        let mut tree = RetainedTree::default();
        for topic in ["a", "a/b", "a/b/c", "/b", "$SYS/b"] {
            assert!(tree.insert(retained(topic), 10, 10_000));
        }
        let cases: [(&str, &[&str]); 7] = [
            ("#", &["/b", "a", "a/b", "a/b/c"]),
            ("+/b", &["/b", "a/b"]),
            ("a/#", &["a", "a/b", "a/b/c"]),
            ("a/+", &["a/b"]),
            ("a", &["a"]),
            ("$SYS/#", &["$SYS/b"]),
            ("+/+/+/+", &[]),
        ];
        for (filter, expected) in cases {
            assert_eq!(topics(&tree, filter), expected, "{filter}");
        }
    }

    #[test]
    fn limits_hold_and_replacing_is_not_adding() {
        let mut tree = RetainedTree::default();
        assert!(tree.insert(retained("a"), 1, 10_000));
        assert!(tree.insert(retained("a"), 1, 10_000));
        assert!(!tree.insert(retained("b"), 1, 10_000));
        assert!(!tree.insert(retained("b"), 2, 200));
        assert_eq!(tree.len(), 1);
        assert!(tree.remove("a").is_some());
        assert_eq!((tree.len(), tree.bytes()), (0, 0));
        assert!(tree.root.children.is_empty());
    }
}
