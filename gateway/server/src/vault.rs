//! The session vault: fingerprint templates read from a card's chip, in memory for the comparisons of one session.
//!
//! It must never be written to disk or printed. A session's templates are wiped when the session ends, when they are
//! replaced, and when the program ends; after a restart there are none, and the session is ended by the rules.

use std::collections::BTreeMap;

use schemas::ids::SessionId;
use schemas::message::Template;
use schemas::message::command::FingerTemplate;
use schemas::words::Hand;

/// Sessions at once; a station has a handful of machines.
const SESSIONS_MAX: usize = 64;
/// Templates of one card: two fingers of each hand is what a chip holds (GA 450).
pub const TEMPLATES_MAX: usize = 10;

/// Templates by session. Template values wipe themselves when dropped.
#[derive(Debug, Default)]
pub struct Vault(BTreeMap<SessionId, Vec<FingerTemplate>>);

impl Vault {
    /// Keeps a session's templates, replacing earlier ones. When too many sessions are open a new one's are not kept: it
    /// then fails as a session without fingerprints, never as somebody else's.
    pub fn put(&mut self, session: SessionId, mut templates: Vec<FingerTemplate>) {
        templates.truncate(TEMPLATES_MAX);
        if self.0.len() >= SESSIONS_MAX && !self.0.contains_key(&session) {
            return;
        }
        drop(self.0.insert(session, templates));
    }

    /// The templates of one hand of a session; empty when there are none.
    pub fn templates(&self, session: &SessionId, hand: Hand) -> Vec<Template> {
        self.0
            .get(session)
            .into_iter()
            .flatten()
            .filter(|finger| finger.hand == hand)
            .map(|finger| finger.template.clone())
            .collect()
    }

    /// The session is over.
    pub fn forget(&mut self, session: &SessionId) {
        drop(self.0.remove(session));
    }

    /// Sessions with templates.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// No session has any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn finger(hand: Hand, byte: u8) -> FingerTemplate {
        FingerTemplate {
            position: None,
            hand,
            template: Template::new(vec![byte; 8]).unwrap(),
        }
    }

    /// P4, G7: templates are there for their session and hand only, and gone at its end.
    #[test]
    fn templates_belong_to_one_session() {
        let mut vault = Vault::default();
        let (one, two) = (SessionId::from_index(1), SessionId::from_index(2));
        vault.put(
            one.clone(),
            vec![finger(Hand::Right, 1), finger(Hand::Left, 2)],
        );
        assert_eq!(
            vault.templates(&one, Hand::Right),
            vec![Template::new(vec![1; 8]).unwrap()]
        );
        assert!(vault.templates(&two, Hand::Right).is_empty());
        assert!(!format!("{vault:?}").contains("[1, 1"));
        vault.forget(&one);
        assert!(vault.is_empty());
    }
}
