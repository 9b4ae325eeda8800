//! The last commands and their replies. A command seen twice acts once and is answered again with the
//! same message.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use schemas::ids::MessageId;
use schemas::message::command::CommandId;

/// A reply as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) topic: String,
    pub(super) payload: Bytes,
    pub(super) message_id: MessageId,
}

/// What is known of a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Not seen before; remembered from now on.
    New,
    /// Being carried out; its reply will come.
    Working,
    /// Carried out.
    Answered(Reply),
}

/// The last commands, at most `len_max` of them.
#[derive(Debug)]
pub(super) struct CommandMemory {
    len_max: usize,
    order: VecDeque<CommandId>,
    known: HashMap<CommandId, Option<Reply>>,
}

impl CommandMemory {
    pub(super) fn new(len_max: usize) -> Self {
        Self {
            len_max,
            order: VecDeque::new(),
            known: HashMap::new(),
        }
    }

    /// Looks a command up, and remembers it when it is new.
    pub(super) fn look_up(&mut self, id: &CommandId) -> Seen {
        match self.known.get(id) {
            Some(None) => Seen::Working,
            Some(Some(reply)) => Seen::Answered(reply.clone()),
            None => {
                while self.order.len() >= self.len_max.max(1) {
                    if let Some(oldest) = self.order.pop_front() {
                        self.known.remove(&oldest);
                    }
                }
                self.order.push_back(id.clone());
                self.known.insert(id.clone(), None);
                Seen::New
            }
        }
    }

    pub(super) fn answered(&mut self, id: &CommandId, reply: Reply) {
        if let Some(known) = self.known.get_mut(id) {
            *known = Some(reply);
        }
    }

    pub(super) fn forget(&mut self, id: &CommandId) {
        self.known.remove(id);
        self.order.retain(|known| known != id);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G1: a command that comes twice is carried out once and answered with the same message.
    #[test]
    fn a_command_is_new_once() {
        let mut memory = CommandMemory::new(2);
        let id = CommandId::of(1, 7, 0);
        let reply = Reply {
            topic: "t".into(),
            payload: Bytes::from_static(b"{}"),
            message_id: super::super::new_message_id(),
        };
        assert_eq!(memory.look_up(&id), Seen::New);
        assert_eq!(memory.look_up(&id), Seen::Working);
        memory.answered(&id, reply.clone());
        assert_eq!(memory.look_up(&id), Seen::Answered(reply));
        memory.forget(&id);
        assert_eq!(memory.look_up(&id), Seen::New);
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut memory = CommandMemory::new(2);
        for index in 0..3 {
            assert_eq!(memory.look_up(&CommandId::of(1, index, 0)), Seen::New);
        }
        assert_eq!(memory.look_up(&CommandId::of(1, 2, 0)), Seen::Working);
        assert_eq!(memory.look_up(&CommandId::of(1, 0, 0)), Seen::New);
    }
}
