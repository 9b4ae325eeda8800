//! The names of steps and results, and what to do when one failed: Chinese first.

use schemas::event::commission::CommissionStep;
use schemas::words::{CommissionReason as Why, CommissionResult, CommissionStepName as Step};
use serde::Serialize;

/// Chinese, then English.
pub(super) type Both = (&'static str, &'static str);

/// The word of the contract: `intake-card`.
pub(super) fn word(word: impl Serialize) -> String {
    let value = serde_json::to_value(word).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) const fn step(step: Step) -> Both {
    match step {
        Step::Broker => ("消息代理", "broker"),
        Step::Kiosk => ("自助终端", "kiosk"),
        Step::Dispenser => ("发卡机", "dispenser"),
        Step::Inventory => ("卡槽清点", "inventory"),
        Step::Motion => ("走卡测试", "test motion"),
        Step::Reader => ("机内读卡器", "reader inside"),
        Step::IntakeReader => ("旧证读卡器", "intake's reader"),
        Step::IntakeCard => ("旧证读卡", "card on the intake's reader"),
        Step::Scanner => ("指纹仪", "scanner"),
        Step::Finger => ("指纹采集", "finger"),
        Step::Matcher => ("指纹比对服务", "matcher"),
        Step::Camera => ("摄像头", "camera"),
        Step::Centre => ("中心链路", "link to the centre"),
        Step::Clock => ("时钟", "clock"),
        Step::Disk => ("磁盘空间", "disk room"),
        Step::Keys => ("密钥", "keys"),
    }
}

pub(super) const fn result(result: CommissionResult) -> Both {
    match result {
        CommissionResult::Passed => ("通过", "passed"),
        CommissionResult::Failed => ("未通过", "failed"),
        CommissionResult::Skipped => ("已跳过", "skipped"),
    }
}

/// Why, and what to do.
pub(super) const fn reason(why: Why) -> Both {
    match why {
        Why::Declined => (
            "操作员未同意;需要时重新调试",
            "the operator declined; commission again when somebody can help",
        ),
        Why::LeftOut => ("开始时已选择跳过", "left out from the beginning (--skip)"),
        Why::NotConfigured => (
            "未配置;如需要请在 station.toml 中配置",
            "not configured; if it should be there, write it into station.toml",
        ),
        Why::Unsupported => ("设备不支持此功能", "the device cannot do this"),
        Why::NoCardLoaded => (
            "卡槽中无卡;装卡后重试",
            "no card is loaded; load one and commission again",
        ),
        Why::Offline => (
            "设备离线;检查电源、线路和地址",
            "not online; check power, line and address (runbook device-offline)",
        ),
        Why::NotUsable => (
            "设备在线但报告故障;查看其状态",
            "online, but it reports a fault; see its status (topic state)",
        ),
        Why::TimedOut => (
            "超时无应答;检查设备或重试",
            "nothing came in time; check the device, or try again",
        ),
        Why::DeviceFailed => (
            "设备报告失败;查看设备日志",
            "the device reports that it failed; see its own display or log",
        ),
        Why::CountDiffers => (
            "清点与记录不符;请盘点",
            "slots and records differ; take stock (request stock-take)",
        ),
        Why::CardUnread => (
            "芯片未能读出;检查机内读卡器",
            "the chip was not read; check the reader inside the machine",
        ),
        Why::CardDiffers => (
            "卡与记录不符;请取出核对",
            "another card than recorded; unload it and compare",
        ),
        Why::MachineBlocked => (
            "机器已锁定;请按手册处理",
            "the machine is blocked; an operator has to look (runbook machine-blocked)",
        ),
        Why::Unreachable => (
            "无法连接;检查网络和服务",
            "no answer; check network and service (runbook link)",
        ),
        Why::NotTrusted => (
            "时钟未同步;检查授时",
            "the clock is not synchronised; check the time service (runbook clock)",
        ),
        Why::TooLittle => (
            "空间不足;请清理磁盘",
            "too little room; see runbook disk-full",
        ),
        Why::WrongKey => (
            "密钥缺失或不符;请检查",
            "a key is missing or is not the one named (runbook keys)",
        ),
        Why::NotFree => (
            "机器当时不空闲;稍后重试",
            "the machine was not free; try again",
        ),
    }
}

/// One line of the report.
pub(super) fn line(done: &CommissionStep) -> String {
    let mark = match done.result {
        CommissionResult::Passed => '✓',
        CommissionResult::Failed => '✗',
        CommissionResult::Skipped => '-',
    };
    let ((zh, en), (result_zh, result_en)) = (step(done.step), result(done.result));
    let device = done
        .device
        .as_ref()
        .map_or_else(String::new, |id| format!(" {id}"));
    let why = done.reason.map(reason);
    let why = why.map_or_else(String::new, |(zh, en)| format!(" — {zh} / {en}"));
    format!("{mark} {zh} {en}{device}: {result_zh} {result_en}{why}")
}
