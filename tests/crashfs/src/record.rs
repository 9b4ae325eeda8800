//! The record: every operation that changes what a disk may hold, in order.
//!
//! Owns: the operations, their sequence numbers and the nodes they speak of. A node is one file or
//! folder for its whole life, whatever its names. The tree that was there at the start stands at the
//! head of the record as operations that are all synced, so that a crash image needs nothing else.
//! It must never forget or reorder an operation.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;

use crate::payload::{Payload, PayloadLog};

/// Position in the record: the number of operations recorded so far. A crash *at* `Seq` n is one
/// after the n-th operation and before the next.
pub type Seq = u64;

/// One file or folder, from its creation on; never used again after its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) u64);

/// The mounted folder itself. Its number is the one that the kernel uses for the root.
pub(crate) const ROOT: NodeId = NodeId(1);

/// One recorded operation.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Write {
        node: NodeId,
        offset: u64,
        payload: Payload,
    },
    SetSize {
        node: NodeId,
        size: u64,
    },
    Zero {
        node: NodeId,
        offset: u64,
        len: u64,
        keep_size: bool,
    },
    /// create, mkdir, link.
    Enter {
        dir: NodeId,
        name: OsString,
        node: NodeId,
    },
    /// unlink, rmdir.
    Remove {
        dir: NodeId,
        name: OsString,
    },
    Rename {
        node: NodeId,
        from: (NodeId, OsString),
        to: (NodeId, OsString),
    },
    /// fsync or fdatasync of a file: both make its size and its data durable. fsync of a folder.
    Sync {
        node: NodeId,
    },
}

/// What a node is, apart from its content and names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeMeta {
    pub(crate) directory: bool,
    /// Permission bits, the latest ones: their history is not recorded.
    pub(crate) mode: u32,
}

/// All that happened, from the start on.
#[derive(Debug)]
pub(crate) struct Record {
    ops: Vec<Op>,
    nodes: BTreeMap<NodeId, NodeMeta>,
    payloads: PayloadLog,
    start: Seq,
}

impl Record {
    pub(crate) fn create() -> io::Result<Self> {
        let root = NodeMeta {
            directory: true,
            mode: 0o755,
        };
        Ok(Self {
            ops: Vec::new(),
            nodes: BTreeMap::from([(ROOT, root)]),
            payloads: PayloadLog::create()?,
            start: 0,
        })
    }

    /// Ends the description of the tree that was there at the start.
    pub(crate) fn start_here(&mut self) {
        self.start = self.seq();
    }

    /// The first position at which a crash image can be built.
    pub(crate) fn start(&self) -> Seq {
        self.start
    }

    pub(crate) fn seq(&self) -> Seq {
        // A vector's length always fits: there is no platform with more than 64 bits of address.
        Seq::try_from(self.ops.len()).unwrap_or(Seq::MAX)
    }

    pub(crate) fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Keeps the bytes of a write that is about to be tried; the caller records it if it succeeds.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> io::Result<Payload> {
        self.payloads.push(bytes)
    }

    pub(crate) fn payload(&self, payload: Payload) -> io::Result<Vec<u8>> {
        self.payloads.read(payload)
    }

    pub(crate) fn add_node(&mut self, node: NodeId, meta: NodeMeta) {
        self.nodes.insert(node, meta);
    }

    pub(crate) fn set_mode(&mut self, node: NodeId, mode: u32) {
        if let Some(meta) = self.nodes.get_mut(&node) {
            meta.mode = mode;
        }
    }

    pub(crate) fn node(&self, node: NodeId) -> Option<NodeMeta> {
        self.nodes.get(&node).copied()
    }

    /// The operations up to and with position `at`, each with its own position.
    pub(crate) fn until(&self, at: Seq) -> impl Iterator<Item = (Seq, &Op)> {
        (1..=at).zip(self.ops.iter())
    }
}
