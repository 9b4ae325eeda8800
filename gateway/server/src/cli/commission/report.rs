//! The report as text.

use std::fmt::Write as _;

use schemas::words::CommissionResult;

use super::words;
use crate::admin::Recorded;

/// How often each result is there: passed, failed, skipped.
pub(super) fn counts(recorded: &Recorded) -> [usize; 3] {
    let count = |wanted| {
        let steps = recorded.event.steps.iter();
        steps.filter(|step| step.result == wanted).count()
    };
    [
        CommissionResult::Passed,
        CommissionResult::Failed,
        CommissionResult::Skipped,
    ]
    .map(count)
}

/// How the record is proven, Chinese and English.
pub(super) fn proof(recorded: &Recorded, covered: bool) -> [String; 2] {
    let index = recorded.index;
    if covered {
        [
            format!("事件 {index} 已由检查点覆盖,证明方法: gateway prove {index}"),
            format!(
                "Event {index} is covered by a checkpoint; it is proven by: gateway prove {index}"
            ),
        ]
    } else {
        [
            format!("事件 {index} 尚未被检查点覆盖;稍后证明: gateway prove {index}"),
            format!(
                "No checkpoint covers event {index} yet; later it is proven by: gateway prove {index}"
            ),
        ]
    }
}

/// The whole report.
pub(super) fn text(recorded: &Recorded, covered: bool) -> String {
    let event = &recorded.event;
    let [passed, failed, skipped] = counts(recorded);
    let mut text = format!(
        "调试报告 Commissioning report\n机器 machine: {}\n操作员 operator: {}\n会话 session: {}\n\
         程序版本 software: {}\n配置 configuration (SHA-256): {}\n\
         通过 passed {passed}, 未通过 failed {failed}, 已跳过 skipped {skipped}\n\n",
        event.machine, event.operator, event.session, event.software, event.configuration_sha256
    );
    for step in &event.steps {
        // A String takes whatever is written to it.
        writeln!(text, "{}", words::line(step)).ok();
    }
    let [zh, en] = proof(recorded, covered);
    writeln!(text, "\n{zh}\n{en}").ok();
    text
}
