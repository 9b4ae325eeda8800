//! What can be wrong with a log as it stands in the store. Each stops its station: nothing more of it is acknowledged until
//! a person has looked.

use serde::{Deserialize, Serialize};

/// A fault, without its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    tag = "fault"
)]
pub enum Fault {
    /// Events are missing before it.
    #[error("the stream goes on with revision {found}: events before it are missing")]
    Gap {
        /// The revision that came instead.
        found: u64,
    },
    /// Data and metadata make no signed event.
    #[error("not a signed event: {why}")]
    NotAnEvent {
        /// Why not.
        why: String,
    },
    /// Signed for another log.
    #[error("it is signed for another log: {origin}")]
    OtherOrigin {
        /// The log it names.
        origin: String,
    },
    /// A genuine event in a wrong place: repeated, swapped or moved.
    #[error("it is signed for place {index}: repeated, swapped or moved")]
    OtherPlace {
        /// The place under the signature.
        index: u64,
    },
    /// Not by the key in force at its place.
    #[error("it names the key {key}, which is not the log's key there")]
    OtherKey {
        /// The id of the key it names: 16 hexadecimal digits.
        key: String,
    },
    /// The signature does not fit: data or signature were changed.
    #[error("its signature does not fit: it was changed, or is a forgery")]
    Signature,
    /// The id in the store is not derived from the event.
    #[error("its id in the store is {id}, which is not derived from the event")]
    OtherId {
        /// The id in the store.
        id: String,
    },
    /// The type in the store is not the event's own.
    #[error("its type in the store is {found}, which is not the event's own")]
    OtherType {
        /// The type in the store.
        found: String,
    },
    /// Signed, but not an event of the contract.
    #[error("signed, but not readable: {why}")]
    Unreadable {
        /// Why not.
        why: String,
    },
    /// A rotation of the key that is not genuine.
    #[error("{why}")]
    Rotation {
        /// Why.
        why: String,
    },
    /// The first event of a later incarnation does not say what it follows.
    #[error("the log does not begin by naming the log that it follows")]
    Beginning,
    /// A checkpoint beside the event is none, or not signed by the log's key.
    #[error("the checkpoint over {size} events beside it: {why}")]
    Checkpoint {
        /// The size that it claims; 0 where it cannot be read.
        size: u64,
        /// What is wrong.
        why: String,
    },
    /// The station signed another root than the events here have: a fork.
    #[error(
        "the station signed a checkpoint over {size} events with another root than these events have"
    )]
    OtherRoot {
        /// The size.
        size: u64,
    },
    /// The station signed two roots for one size: a fork.
    #[error("the station signed two checkpoints over {size} events that contradict each other")]
    TwoRoots {
        /// The size.
        size: u64,
    },
    /// The stream was deleted.
    #[error("the stream was deleted")]
    Deleted,
    /// The store has fewer events than the centre has verified.
    #[error("the store ends before it: it was set back, and the centre has verified more")]
    StoreBehind,
    /// The store has another event where the centre has verified one.
    #[error("the store has another event here than the one that the centre verified")]
    OtherHistory,
}

impl Fault {
    /// In Chinese.
    pub const fn zh(&self) -> &'static str {
        match self {
            Self::Gap { .. } => "事件缺失",
            Self::NotAnEvent { .. } => "不是签名事件",
            Self::OtherOrigin { .. } => "属于其他站点的日志",
            Self::OtherPlace { .. } => "事件重复、调换或移位",
            Self::OtherKey { .. } => "签名密钥不符",
            Self::Signature => "签名不符：事件被改动或伪造",
            Self::OtherId { .. } => "事件编号不符",
            Self::OtherType { .. } => "事件类型不符",
            Self::Unreadable { .. } => "事件内容无法读取",
            Self::Rotation { .. } => "密钥更换不真实",
            Self::Beginning => "新日志未说明其前身",
            Self::Checkpoint { .. } => "检查点无效",
            Self::OtherRoot { .. } | Self::TwoRoots { .. } => "日志分叉：同一站点签出两种内容",
            Self::Deleted => "数据流已被删除",
            Self::StoreBehind => "存储被回退：已验证的事件缺失",
            Self::OtherHistory => "存储内容与已验证的不一致",
        }
    }
}

/// A fault and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{stream}, revision {revision}: {fault}")]
pub struct Located {
    /// The stream.
    pub stream: String,
    /// The revision.
    pub revision: u64,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}
