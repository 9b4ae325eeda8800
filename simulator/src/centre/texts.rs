//! The words of the page: Chinese first (zh-CN), English second.

use schemas::words::{PickupOutcome, RefusalReason, ServiceReason};

use super::figures::Whereabouts;

/// Where cards are.
pub(super) const fn place(place: Whereabouts) -> &'static str {
    match place {
        Whereabouts::MakerTransit => "制证在途 on its way",
        Whereabouts::Safe => "保险柜 safe",
        Whereabouts::Slot => "卡槽 slot",
        Whereabouts::Transport => "传送 transport",
        Whereabouts::Exit => "出证口 outlet",
        Whereabouts::RetractBin => "回收箱 retract bin",
        Whereabouts::Quarantine => "隔离 quarantine",
        Whereabouts::HandedOver => "已领取 handed over",
        Whereabouts::Courier => "快递 courier",
        Whereabouts::Returned => "已退回 returned",
    }
}

/// How a pickup ended.
pub(super) const fn outcome(outcome: PickupOutcome) -> &'static str {
    use PickupOutcome as O;
    match outcome {
        O::Collected => "已领取 collected",
        O::NotTaken => "未取走 not taken",
        O::Cancelled => "已取消 cancelled",
        O::TimedOut => "超时 timed out",
        O::IdentityFailed => "指纹不符 identity failed",
        O::CardMismatch => "证件不符 card mismatch",
        O::CardUnreadable => "证件无法读取 card unreadable",
        O::NoFingerprints => "证件无指纹 no fingerprints",
        O::CardMissing => "卡槽无证 card missing",
        O::OldCardMissing => "未交旧证 old card missing",
        O::NoPhoto => "无照片 no photo",
        O::DeviceFailed => "设备故障 device failed",
        O::Interrupted => "中断 interrupted",
    }
}

/// Why a pickup did not begin.
pub(super) const fn refusal(reason: RefusalReason) -> &'static str {
    use RefusalReason as R;
    match reason {
        R::NoRecord => "无记录 no record",
        R::NotYetArrived => "未到达 not yet arrived",
        R::Held => "暂扣 held",
        R::AlreadyCollected => "已被领取 already collected",
        R::NotEligible => "不符合条件 not eligible",
        R::OutOfService => "暂停服务 out of service",
        R::MachineBlocked => "设备锁定 machine blocked",
        R::MachineBusy => "设备占用 machine busy",
        R::DeviceOffline => "设备离线 device offline",
        R::OtherMachine => "在另一设备 other machine",
        R::Expired => "请求过期 expired",
        R::Maintenance => "维护中 maintenance",
        R::DeviceContradicted => "设备待核查 device contradicted",
        R::NotAKiosk
        | R::NoApplications
        | R::OutOfStep
        | R::NumberInvalid
        | R::PhoneInvalid
        | R::PhonesDiffer
        | R::CodeWrong
        | R::CodeExpired
        | R::BlobMissing
        | R::PictureUnusable
        | R::PictureDamaged
        | R::NotAChoice
        | R::NotOffered
        | R::DocumentsFull
        | R::NoSuchSession
        | R::PapersGone
        | R::SessionOpen
        | R::NotServing
        | R::TooLate
        | R::OperatorUnknown
        | R::OperatorLocked
        | R::ManifestUnreadable
        | R::BatchKnown
        | R::BatchUnknown
        | R::CardUnknown
        | R::CardElsewhere
        | R::SlotUnusable
        | R::NothingToResolve
        | R::TargetUnknown
        | R::AlreadySo
        | R::NothingToAccept
        | R::NotAsConfigured
        | R::TicketUnknown
        | R::TicketClosed
        | R::MessageIdReused
        | R::Unreadable
        | R::Unknown => "其他 other",
    }
}

/// Why a station takes no new sessions.
pub(super) const fn service(reason: ServiceReason) -> &'static str {
    match reason {
        ServiceReason::StorageLow => "存储不足 storage low",
        ServiceReason::LogBehindWitness => "日志被回退 log behind witness",
        ServiceReason::LogForked => "日志分叉 log forked",
    }
}
