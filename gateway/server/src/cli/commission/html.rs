//! The report as one page that needs nothing else: no script, no picture, no font.

use schemas::event::commission::CommissionStep;

use super::{report, words};
use crate::admin::Recorded;

const STYLE: &str = "body{font-family:sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#222}\
h1{font-size:1.4em}table{border-collapse:collapse;width:100%}td,th{border:1px solid #bbb;padding:.4em .6em;text-align:left;vertical-align:top}\
dt{font-weight:bold}dd{margin:0 0 .4em;overflow-wrap:anywhere}.passed{color:#06632b}.failed{color:#a40000;font-weight:bold}.skipped{color:#666}\
small{color:#555;display:block}";

/// The page, zh-CN first.
pub(super) fn page(recorded: &Recorded, covered: bool) -> String {
    let event = &recorded.event;
    let [passed, failed, skipped] = report::counts(recorded);
    let rows: String = event.steps.iter().map(row).collect();
    let facts: String = [
        ("机器", "machine", event.machine.to_string()),
        ("操作员", "operator", event.operator.to_string()),
        ("会话", "session", event.session.to_string()),
        ("事件", "event", recorded.index.to_string()),
        ("程序版本", "software", event.software.clone()),
        (
            "配置",
            "configuration (SHA-256)",
            event.configuration_sha256.clone(),
        ),
    ]
    .map(|(zh, en, value)| format!("<dt>{zh} {en}</dt><dd>{}</dd>", escaped(&value)))
    .concat();
    let [zh, en] = report::proof(recorded, covered).map(|line| escaped(&line));
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>调试报告 {machine}</title><style>{STYLE}</style></head><body>\n\
         <h1>调试报告 <span lang=\"en\">Commissioning report</span></h1>\n<dl>{facts}</dl>\n\
         <p>通过 {passed},未通过 {failed},已跳过 {skipped}<small lang=\"en\">{passed} passed, {failed} failed, {skipped} skipped</small></p>\n\
         <table><tr><th>项目 <span lang=\"en\">step</span></th><th>设备 <span lang=\"en\">device</span></th>\
         <th>结果 <span lang=\"en\">result</span></th><th>原因与处理 <span lang=\"en\">why, and what to do</span></th></tr>\n{rows}</table>\n\
         <p>{zh}<small lang=\"en\">{en}</small></p>\n</body></html>\n",
        machine = escaped(event.machine.as_str()),
    )
}

fn row(step: &CommissionStep) -> String {
    let ((zh, en), (result_zh, result_en)) = (words::step(step.step), words::result(step.result));
    let device = step
        .device
        .as_ref()
        .map_or_else(String::new, |id| escaped(id.as_str()));
    let why = step.reason.map(words::reason);
    let why = why.map_or_else(String::new, |(zh, en)| {
        format!("{}<small lang=\"en\">{}</small>", escaped(zh), escaped(en))
    });
    let class = words::word(step.result);
    format!(
        "<tr><td>{zh}<small lang=\"en\">{en}</small></td><td>{device}</td>\
         <td class=\"{class}\">{result_zh}<small lang=\"en\">{result_en}</small></td><td>{why}</td></tr>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
