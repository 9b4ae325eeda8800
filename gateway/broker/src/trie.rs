//! Subscriptions by topic level, so that a publish visits only what can match.
//!
//! Owns who subscribed to what; must never decide who may.

use std::collections::HashMap;
use std::sync::Arc;

use crate::message::Qos;
use crate::topic::{Filter, levels};

/// A session, by a number that is never reused.
pub(crate) type SessionKey = u64;

/// Subscription options (MQTT 5, section 3.8.3.1) and identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) qos: Qos,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) id: Option<u32>,
}

/// One session's subscription at one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub(crate) session: SessionKey,
    pub(crate) options: Options,
}

/// What matched a topic.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    /// Each of these gets the message.
    pub(crate) direct: Vec<Subscriber>,
    /// Of each of these groups one member gets it.
    pub(crate) groups: Vec<Vec<Subscriber>>,
}

#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<str>, Node>,
    direct: Vec<Subscriber>,
    groups: Vec<(Arc<str>, Vec<Subscriber>)>,
}

/// All subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Trie {
    root: Node,
    len: usize,
}

impl Trie {
    /// Number of subscriptions.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds or replaces a session's subscription. True when it is new.
    pub(crate) fn insert(&mut self, filter: Filter<'_>, subscriber: Subscriber) -> bool {
        let mut node = &mut self.root;
        for level in levels(filter.filter) {
            if !node.children.contains_key(level) {
                node.children.insert(level.into(), Node::default());
            }
            let Some(next) = node.children.get_mut(level) else {
                return false;
            };
            node = next;
        }
        let list = match filter.share {
            None => &mut node.direct,
            Some(share) => node.group(share),
        };
        if let Some(old) = list.iter_mut().find(|s| s.session == subscriber.session) {
            *old = subscriber;
            return false;
        }
        list.push(subscriber);
        self.len += 1;
        true
    }

    /// Removes a session's subscription. True when there was one.
    pub(crate) fn remove(&mut self, filter: Filter<'_>, session: SessionKey) -> bool {
        let path: Vec<&str> = levels(filter.filter).collect();
        let removed = self.root.remove(&path, filter.share, session);
        if removed {
            self.len = self.len.saturating_sub(1);
        }
        removed
    }

    /// Everyone whose filter matches `topic`. Filters that begin with a wildcard do not match topics
    /// that begin with `$` (section 4.7.2).
    pub(crate) fn matches(&self, topic: &str) -> Matches {
        let mut found = Matches::default();
        let path: Vec<&str> = levels(topic).collect();
        self.root.collect(&path, topic.starts_with('$'), &mut found);
        found
    }
}

impl Node {
    fn group(&mut self, share: &str) -> &mut Vec<Subscriber> {
        let at = self
            .groups
            .iter()
            .position(|(name, _)| &**name == share)
            .unwrap_or_else(|| {
                self.groups.push((share.into(), Vec::new()));
                self.groups.len() - 1
            });
        #[expect(
            clippy::indexing_slicing,
            reason = "the position was found or made one line above"
        )]
        &mut self.groups[at].1
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.direct.is_empty() && self.groups.is_empty()
    }

    fn remove(&mut self, path: &[&str], share: Option<&str>, session: SessionKey) -> bool {
        let Some((level, rest)) = path.split_first() else {
            return self.remove_here(share, session);
        };
        let Some(child) = self.children.get_mut(*level) else {
            return false;
        };
        let removed = child.remove(rest, share, session);
        if child.is_empty() {
            self.children.remove(*level);
        }
        removed
    }

    fn remove_here(&mut self, share: Option<&str>, session: SessionKey) -> bool {
        let Some(share) = share else {
            let before = self.direct.len();
            self.direct.retain(|s| s.session != session);
            return self.direct.len() < before;
        };
        let mut removed = false;
        for (_, members) in self.groups.iter_mut().filter(|(name, _)| &**name == share) {
            let before = members.len();
            members.retain(|s| s.session != session);
            removed |= members.len() < before;
        }
        self.groups.retain(|(_, members)| !members.is_empty());
        removed
    }

    fn collect(&self, path: &[&str], skip_wildcards: bool, found: &mut Matches) {
        if !skip_wildcards && let Some(hash) = self.children.get("#") {
            hash.take(found);
        }
        let Some((level, rest)) = path.split_first() else {
            self.take(found);
            return;
        };
        if let Some(child) = self.children.get(*level) {
            child.collect(rest, false, found);
        }
        if !skip_wildcards && let Some(plus) = self.children.get("+") {
            plus.collect(rest, false, found);
        }
    }

    fn take(&self, found: &mut Matches) {
        found.direct.extend_from_slice(&self.direct);
        found
            .groups
            .extend(self.groups.iter().map(|(_, members)| members.clone()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;
    use crate::config::Limits;
    use crate::topic::parse_filter;

    fn subscriber(session: SessionKey) -> Subscriber {
        let options = Options {
            qos: Qos::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            id: None,
        };
        Subscriber { session, options }
    }

    /// The specification's rule, written as directly as can be.
    fn matches_by_definition(filter: &[&str], topic: &[&str], first: bool) -> bool {
        match (filter.split_first(), topic.split_first()) {
            (None, None) => true,
            (Some((&"#", _)), None) => !first,
            (Some((&"#", _)), Some((t, _))) => !(first && t.starts_with('$')),
            (Some((&"+", f)), Some((t, rest))) => {
                !(first && t.starts_with('$')) && matches_by_definition(f, rest, false)
            }
            (Some((a, f)), Some((b, rest))) => a == b && matches_by_definition(f, rest, false),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    fn filter() -> impl Strategy<Value = String> {
        (
            prop::collection::vec(prop::sample::select(vec!["a", "b", "", "+", "$x"]), 1..5),
            any::<bool>(),
        )
            .prop_map(|(mut levels, hash)| {
                if hash {
                    levels.push("#");
                }
                levels.join("/")
            })
    }

    fn topic() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "", "$x"]), 1..5)
            .prop_map(|levels| levels.join("/"))
            .prop_filter("a topic has a character", |t| !t.is_empty())
    }

    proptest! {
        #[test]
        fn trie_matches_as_the_specification_defines(
            filters in prop::collection::vec(filter(), 1..20),
            gone in prop::collection::vec(any::<bool>(), 20),
            name in topic(),
        ) {
            let limits = Limits::default();
            let mut trie = Trie::default();
            let mut kept = Vec::new();
            let parsed: Vec<_> = (1u64..).zip(&filters)
                .filter_map(|(key, text)| Some((key, parse_filter(text, &limits)?)))
                .collect();
            for (key, f) in &parsed {
                prop_assert!(trie.insert(*f, subscriber(*key)));
            }
            for ((key, f), gone) in parsed.iter().zip(&gone) {
                if *gone {
                    prop_assert!(trie.remove(*f, *key));
                    prop_assert!(!trie.remove(*f, *key));
                } else {
                    kept.push((*key, *f));
                }
            }
            prop_assert_eq!(trie.len(), kept.len());
            let path: Vec<_> = levels(&name).collect();
            let mut expected: Vec<_> = kept.iter()
                .filter(|(_, f)| matches_by_definition(&levels(f.filter).collect::<Vec<_>>(), &path, true))
                .map(|(key, _)| *key)
                .collect();
            let mut found: Vec<_> = trie.matches(&name).direct.iter().map(|s| s.session).collect();
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn an_emptied_trie_holds_no_node() {
        let mut trie = Trie::default();
        let limits = Limits::default();
        for text in ["a/b/c", "a/#", "$share/g/a/b/+"] {
            trie.insert(parse_filter(text, &limits).unwrap(), subscriber(1));
        }
        for text in ["a/b/c", "a/#", "$share/g/a/b/+"] {
            assert!(trie.remove(parse_filter(text, &limits).unwrap(), 1));
        }
        assert!(trie.root.is_empty());
    }
}
