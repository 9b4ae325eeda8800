//! The words that kiosks show: Chinese first (zh-CN), English second. Data, without a rule in it. Personal data only
//! masked: what a prompt says of a person comes from the view, not from here.

use schemas::message::kiosk::Text;
use schemas::words::{MachineReason, PickupOutcome, PromptCode, RefusalReason, ServiceReason};

/// Why a request was refused.
#[expect(
    clippy::too_many_lines,
    reason = "a table of words, one for each reason"
)]
pub fn refusal(reason: RefusalReason) -> Text {
    use RefusalReason as R;
    let (zh, en) = match reason {
        R::NotAKiosk => ("本设备不能办理业务", "This device cannot make requests"),
        R::Expired => (
            "操作超时，请重新开始",
            "The request came too late, please start again",
        ),
        R::OutOfService => ("本站暂停服务", "The station is out of service"),
        R::MachineBlocked => (
            "设备故障，请联系工作人员",
            "The machine is blocked, please contact the staff",
        ),
        R::MachineBusy => ("设备正在使用，请稍候", "The machine is in use, please wait"),
        R::DeviceOffline => (
            "设备离线，请联系工作人员",
            "A device is offline, please contact the staff",
        ),
        R::NoApplications => ("本设备不办理申领业务", "This kiosk takes no applications"),
        R::OutOfStep => ("请按当前页面操作", "Please answer what the screen asks now"),
        R::NumberInvalid => (
            "公民身份号码有误，请核对后重新输入",
            "This is not a citizen number, please check it and enter it again",
        ),
        R::PhoneInvalid => (
            "手机号码有误，请重新输入",
            "This is not a mobile number, please enter it again",
        ),
        R::PhonesDiffer => (
            "两次输入的手机号码不一致，请重新输入",
            "The two phone numbers differ, please enter both again",
        ),
        R::CodeWrong => (
            "验证码有误，请重新输入",
            "The code is wrong, please enter it again",
        ),
        R::CodeExpired => (
            "验证码已失效，请重新获取",
            "The code is no longer valid, please ask for another one",
        ),
        R::BlobMissing => (
            "图像未收到，请重试",
            "The picture did not arrive, please try again",
        ),
        R::NotAChoice => ("请从列表中选择", "Please choose from the list"),
        R::DocumentsFull => ("材料数量已达上限", "No more documents can be attached"),
        R::NoRecord => (
            "未查询到您的证件，请到人工窗口",
            "No card is recorded for you, please go to the window",
        ),
        R::NotYetArrived => (
            "您的证件尚未到达，请等候通知",
            "Your card has not arrived yet, please wait for the notice",
        ),
        R::Held => (
            "您的证件需到人工窗口领取",
            "Your card is held, please go to the window",
        ),
        R::AlreadyCollected => ("您的证件已被领取", "Your card has been collected already"),
        R::OtherMachine => (
            "您的证件在另一台设备，请到该设备领取",
            "Your card is in another machine of this station",
        ),
        R::NotEligible => (
            "您的证件不在自助领取范围内，请到人工窗口",
            "Your card is not within the scope of self-service pickup, please go to the window",
        ),
        R::NoSuchSession => ("没有这项业务", "There is no such session"),
        R::SessionOpen => (
            "业务尚未结束",
            "The session is still open; wait until it has ended",
        ),
        R::NotServing => (
            "设备当前没有业务，内容未保存",
            "The device serves no session, so this was not kept",
        ),
        R::TooLate => (
            "证件正在送出，无法取消",
            "Too late: the card is on its way out",
        ),
        R::OperatorUnknown => ("操作员或密码不正确", "Operator or PIN unknown"),
        R::OperatorLocked => (
            "密码错误次数过多，请稍后再试",
            "Too many wrong PINs, please wait",
        ),
        R::ManifestUnreadable => (
            "清单不存在或无法读取",
            "The manifest is missing or cannot be read",
        ),
        R::BatchKnown => ("该批次已登记", "The batch has been received before"),
        R::BatchUnknown => (
            "没有该批次或已关闭",
            "There is no such batch, or it is closed",
        ),
        R::CardUnknown => ("没有该证件的记录", "There is no such card"),
        R::CardElsewhere => ("该证件不在此处", "The card is not where this needs it"),
        R::SlotUnusable => ("该存证位不可用", "The slot is taken or does not exist"),
        R::NothingToResolve => (
            "没有需要处理的故障",
            "There is nothing to resolve at this machine",
        ),
        R::Maintenance => (
            "设备维护中，请使用其他设备或到人工窗口",
            "The machine is under maintenance, please use another one or go to the window",
        ),
        R::DeviceContradicted => (
            "设备需要核查，请联系工作人员",
            "A device has to be checked, please contact the staff",
        ),
        R::TargetUnknown => (
            "没有这台设备",
            "There is no such machine or device in the configuration",
        ),
        R::AlreadySo => (
            "已是该状态，未作更改",
            "It is so already, nothing was changed",
        ),
        R::NothingToAccept => (
            "该设备没有需要确认的内容",
            "The device says nothing that would have to be confirmed",
        ),
        R::NotAsConfigured => (
            "与配置不符，请先修改配置",
            "The device is not what the configuration says: change station.toml first, and restart",
        ),
        R::MessageIdReused => (
            "消息编号重复",
            "The message id was used before for other content",
        ),
        R::Unreadable => ("消息无法读取", "The message cannot be read"),
        R::Unknown => ("未知的请求", "Unknown request"),
    };
    text(zh, en)
}

/// What a kiosk shows, with the reason where it is out of service and the outcome where a session ended.
pub fn prompt(
    code: PromptCode,
    outcome: Option<PickupOutcome>,
    reasons: &[ServiceReason],
    machine: Option<MachineReason>,
) -> Text {
    use PromptCode as P;
    let (zh, en) = match code {
        P::Idle => (
            "请扫描领证凭证条码或输入公民身份号码",
            "Scan the voucher's barcode or key in the citizen number",
        ),
        P::Fetching => (
            "正在取证并核验，请稍候",
            "Your card is being fetched and checked, please wait",
        ),
        P::RightFinger => (
            "请将右手手指放在指纹仪上",
            "Put a finger of your right hand on the scanner",
        ),
        P::LeftFinger => (
            "请将左手手指放在指纹仪上",
            "Put a finger of your left hand on the scanner",
        ),
        P::LookAtCamera => ("请正视摄像头", "Look into the camera"),
        P::OldCard => ("请将旧证放在读卡器上", "Put your old card on the reader"),
        P::OldCardTaken => ("旧证已回收", "Your old card has been taken in"),
        P::Presenting => ("证件正在送出", "Your card is on its way to the outlet"),
        P::TakeCard => ("请取走您的证件", "Please take your card"),
        P::TakingBack => ("证件正在收回", "The card goes back"),
        P::Application => ("自助申领办理中", "Your application is under way"),
        P::OperatorAct => ("工作人员正在操作", "The staff are at work at this machine"),
        // Without an outcome it was an operator's act.
        P::Done if outcome.is_none() => ("操作完成", "Done"),
        P::Done => ("领取完成，谢谢", "Done, thank you"),
        P::Ended => {
            return outcome.map_or_else(|| text("业务结束", "The session has ended"), ended);
        }
        P::OutOfService => return out_of_service(reasons, machine),
    };
    text(zh, en)
}

fn ended(outcome: PickupOutcome) -> Text {
    use PickupOutcome as O;
    let (zh, en) = match outcome {
        O::Collected => ("证件已领取", "The card was collected"),
        O::NotTaken => (
            "证件未取走，已收回，可重新领取",
            "The card was not taken and is back in the machine; you may start again",
        ),
        O::Cancelled => ("已取消", "Cancelled"),
        O::TimedOut => ("操作超时，请重新开始", "Out of time, please start again"),
        O::IdentityFailed => (
            "指纹核验未通过，请到人工窗口",
            "The fingerprints did not match, please go to the window",
        ),
        O::CardMismatch => (
            "证件信息不符，请到人工窗口",
            "The card does not agree with its record, please go to the window",
        ),
        O::CardUnreadable => (
            "证件无法读取，请到人工窗口",
            "The card cannot be read, please go to the window",
        ),
        O::NoFingerprints => (
            "证件内无指纹信息，请到人工窗口",
            "The card holds no fingerprints, please go to the window",
        ),
        O::CardMissing => (
            "未找到证件，请到人工窗口",
            "The card was not found, please go to the window",
        ),
        O::OldCardMissing => (
            "未收到旧证，请到人工窗口",
            "No old card was handed in, please go to the window",
        ),
        O::NoPhoto => (
            "拍照失败，请到人工窗口",
            "No photo could be taken, please go to the window",
        ),
        O::DeviceFailed => (
            "设备故障，请到人工窗口",
            "A device failed, please go to the window",
        ),
        O::Interrupted => (
            "业务中断，请重新开始",
            "The session was interrupted, please start again",
        ),
    };
    text(zh, en)
}

fn out_of_service(reasons: &[ServiceReason], machine: Option<MachineReason>) -> Text {
    match reasons.first() {
        Some(ServiceReason::StorageLow) => text(
            "本站暂停服务：存储空间不足",
            "Out of service: the station's storage is nearly full",
        ),
        Some(ServiceReason::LogBehindWitness | ServiceReason::LogForked) => text(
            "本站暂停服务：记录需要核查",
            "Out of service: the station's records must be checked",
        ),
        None if machine == Some(MachineReason::Maintenance) => text(
            "设备维护中，请使用其他设备或到人工窗口",
            "Under maintenance: please use another machine, or go to the window",
        ),
        None => text(
            "设备暂停服务，请联系工作人员",
            "The machine is out of service, please contact the staff",
        ),
    }
}

fn text(zh: &str, en: &str) -> Text {
    Text {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// What a slip of a pickup says.
pub fn slip() -> Text {
    text(
        "领证回执：证件已领取。扫描二维码可查验本次领取的记录。",
        "Receipt of pickup: the card was collected. The code proves the record of it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P2: each answer has words of its own, in both languages.
    #[test]
    fn every_word_has_its_own_text_in_both_languages() {
        let mut seen = std::collections::BTreeSet::new();
        for reason in RefusalReason::ALL {
            let text = refusal(*reason);
            assert!(!text.zh.is_ascii() && text.en.is_ascii(), "{reason:?}");
            assert!(seen.insert(text.en), "{reason:?}");
        }
        for code in PromptCode::ALL {
            assert!(!prompt(*code, None, &[], None).zh.is_empty(), "{code:?}");
        }
        let ended: std::collections::BTreeSet<_> = PickupOutcome::ALL
            .iter()
            .map(|o| prompt(PromptCode::Ended, Some(*o), &[], None).en)
            .collect();
        assert_eq!(ended.len(), PickupOutcome::ALL.len());
    }
}
