//! The page for people: one table of stations, and what needs a person above it. Plain HTML that loads nothing.

use std::fmt::Write as _;

use schemas::time::rfc3339;

use super::figures::ZONE_MS;
use super::seen::Alert;
use super::view::{LogView, UnknownView, View};
use super::{page_office, texts};

const STYLE: &str = "
body{font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:1.5rem auto;max-width:78rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}small{color:#5a5a5a;font-weight:normal}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid #d0d0d0}
th{background:#f2f4f7;font-weight:600}th,td.n{white-space:nowrap}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
code{font:13px ui-monospace,monospace;word-break:break-all}ul{margin:0;padding:0;list-style:none}
.bad td{background:#fdecea}.bad strong,.red{color:#a30000}.ok{color:#0b6b2e}.note{background:#fff6dc;padding:.5rem .8rem;border-left:4px solid #d59b00}
.alarm{background:#fdecea;padding:.5rem .8rem;border-left:4px solid #a30000}";

/// Alerts of a station that are shown; `/stations` has more.
const ALERTS_LEN_MAX: usize = 8;

/// The page.
pub(super) fn html(view: &View) -> String {
    let mut page = String::with_capacity(16 * 1024);
    head(&mut page, view);
    notices(&mut page, view);
    alerts(&mut page, view);
    stations(&mut page, view);
    page_office::applications(&mut page, view);
    unknown(&mut page, view);
    foot(&mut page, view);
    page
}

/// Appends to the page. Writing into a string does not fail.
macro_rules! put {
    ($page:expr, $($text:tt)+) => {
        write!($page, $($text)+).unwrap_or_default()
    };
}

fn head(page: &mut String, view: &View) {
    let province = escaped(&view.province);
    put!(
        page,
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"3\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>省级中心 Centre {province}</title><style>{STYLE}</style></head>\
         <body><h1>省级中心 <small>Centre {province}</small></h1>"
    );
}

fn notices(page: &mut String, view: &View) {
    let store = escaped(&view.store);
    match &view.trouble {
        None => put!(
            page,
            "<p class=\"ok\">● 事件存储已连接 <small>Event store {store} answers</small></p>"
        ),
        Some(why) => put!(
            page,
            "<p class=\"alarm\"><strong>事件存储无应答，正在重试</strong> <small>Event store {store}: {}; trying again</small></p>",
            escaped(why)
        ),
    }
    if view.is_blind {
        put!(
            page,
            "<p class=\"note\">无权查看全部数据流：只能读取已登记的站点。<small>The store does not let the centre look for streams; only registered ones are read.</small></p>"
        );
    }
    if view.accept_unknown {
        put!(
            page,
            "<p class=\"note\"><strong>演示模式：未知站点自动登记。</strong> <small>Demonstration: unknown stations that offer a fitting key are registered without asking anybody.</small></p>"
        );
    }
    for (stream, log) in &view.logs {
        if let Some(fault) = &log.fault {
            put!(
                page,
                "<p class=\"alarm\"><strong>{} 第 {} 条：{}</strong><br><small>{}, revision {}: {}. Nothing more of this log is acknowledged.</small></p>",
                escaped(stream),
                fault.revision,
                fault.fault.zh(),
                escaped(stream),
                fault.revision,
                escaped(&fault.fault.to_string())
            );
        }
    }
}

fn stations(page: &mut String, view: &View) {
    put!(
        page,
        "<h2>站点 <small>Stations</small></h2><table><tr><th>站点<br><small>Station</small></th><th class=\"n\">已验证<br><small>Verified</small></th>\
         <th class=\"n\">已确认<br><small>Acknowledged</small></th><th class=\"n\">待传<br><small>Lag</small></th><th>最近事件<br><small>Last event, Beijing</small></th>\
         <th>服务<br><small>Service</small></th><th>证件位置<br><small>Cards</small></th><th>领证 今日／累计<br><small>Pickups today / total</small></th></tr>"
    );
    if view.logs.is_empty() {
        put!(
            page,
            "<tr><td colspan=\"8\">尚无登记的站点 <small>No station is registered</small></td></tr>"
        );
    }
    for log in view.logs.values() {
        station(page, log);
    }
    put!(page, "</table>");
}

fn station(page: &mut String, log: &LogView) {
    let class = if log.fault.is_some() {
        " class=\"bad\""
    } else {
        ""
    };
    put!(
        page,
        "<tr{class}><td><strong>{}</strong><br><small>{}</small></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>",
        escaped(&log.station),
        escaped(&log.origin),
        log.size,
        log.acknowledged,
        log.lag,
        log.last_event_ms.map_or_else(|| "—".to_owned(), in_beijing)
    );
    service(page, log);
    put!(page, "</td><td>");
    let custody = log.custody.iter();
    list(page, custody.map(|(place, n)| (texts::place(*place), *n)));
    put!(page, "</td><td>{}／{}", log.collected_today, log.collected);
    let ended = log.pickups.iter();
    let not_begun = log.refused.iter();
    let ended = ended.map(|(outcome, n)| (texts::outcome(*outcome), *n));
    let not_begun = not_begun.map(|(reason, n)| (texts::refusal(*reason), *n));
    list(page, ended.chain(not_begun));
    put!(page, "</td></tr>");
}

fn service(page: &mut String, log: &LogView) {
    if log.fault.is_some() {
        put!(page, "<strong>已停止确认 stopped</strong>");
    } else if log.in_service == Some(false) {
        let reasons = log.out_of_service.iter();
        let reasons: Vec<&str> = reasons.map(|reason| texts::service(*reason)).collect();
        put!(
            page,
            "<span class=\"red\">暂停服务 out of service</span><br><small>{}</small>",
            reasons.join("<br>")
        );
    } else {
        put!(page, "<span class=\"ok\">正常 in service</span>");
    }
    if let Some(trouble) = &log.trouble {
        put!(
            page,
            "<br><small class=\"red\">{}</small>",
            escaped(trouble)
        );
    }
    if log.blobs_missing > 0 {
        put!(
            page,
            "<br><small>缺照片 photos missing: {}</small>",
            log.blobs_missing
        );
    }
    if log.unknown_types > 0 {
        put!(
            page,
            "<br><small>未知类型 unknown types: {}</small>",
            log.unknown_types
        );
    }
}

fn list<'a>(page: &mut String, lines: impl Iterator<Item = (&'a str, u64)>) {
    put!(page, "<ul>");
    for (what, n) in lines {
        put!(page, "<li><small>{what}</small> {n}</li>");
    }
    put!(page, "</ul>");
}

fn unknown(page: &mut String, view: &View) {
    if view.unknown.is_empty() {
        return;
    }
    put!(
        page,
        "<h2>未登记的数据流 <small>Streams that are not registered; nothing of them is acknowledged</small></h2>\
         <table><tr><th>数据流<br><small>Stream</small></th><th>自称<br><small>Says it is</small></th><th>密钥指纹<br><small>Key fingerprint</small></th>\
         <th class=\"n\">事件<br><small>Events</small></th><th></th></tr>"
    );
    for (stream, unknown) in &view.unknown {
        stranger(page, stream, unknown);
    }
    put!(page, "</table>");
}

fn stranger(page: &mut String, stream: &str, shown: &UnknownView) {
    let said = |text: &Option<String>| escaped(text.as_deref().unwrap_or("—"));
    let offered = if shown.is_offered {
        "登记文件已就绪，核对指纹后登记<br><small>A registration that fits lies ready: compare the fingerprint, then register it</small>"
    } else {
        ""
    };
    put!(
        page,
        "<tr><td><code>{}</code></td><td><code>{}</code></td><td><code>{}</code></td><td class=\"n\">{}</td><td>{offered}</td></tr>",
        escaped(stream),
        said(&shown.unknown.origin),
        said(&shown.unknown.fingerprint),
        shown.unknown.events
    );
}

fn alerts(page: &mut String, view: &View) {
    if view.alerts.values().all(Vec::is_empty) {
        return;
    }
    put!(
        page,
        "<h2>警报 <small>Alerts, the newest first</small></h2><table><tr><th>站点<br><small>Station</small></th><th>时间<br><small>Time, UTC</small></th>\
         <th>事件<br><small>Event</small></th><th>对象<br><small>About</small></th><th>签名<br><small>Signature</small></th></tr>"
    );
    for (station, alerts) in &view.alerts {
        for alert in alerts.iter().rev().take(ALERTS_LEN_MAX) {
            line(page, station, alert);
        }
    }
    put!(page, "</table>");
}

fn line(page: &mut String, station: &str, alert: &Alert) {
    let said = |text: &Option<String>| escaped(text.as_deref().unwrap_or("—"));
    let genuine = if alert.genuine {
        "<span class=\"ok\">真实 genuine</span>"
    } else {
        "<span class=\"red\">未能核实 not verified</span>"
    };
    let index = alert
        .index
        .map_or_else(String::new, |index| format!(" #{index}"));
    put!(
        page,
        "<tr><td>{}</td><td>{}</td><td><code>{}</code>{index}</td><td>{}</td><td>{genuine}</td></tr>",
        escaped(station),
        said(&alert.time),
        escaped(&alert.event_type),
        said(&alert.subject)
    );
}

fn foot(page: &mut String, view: &View) {
    put!(
        page,
        "<h2>中心公钥 <small>The centre's key, for the configuration of stations</small></h2><p><code>{}</code></p>\
         <p><small>/stations (JSON) · /metrics (Prometheus) · /healthz</small></p></body></html>",
        escaped(&view.vkey)
    );
}

/// Date and time as people in Beijing write it.
fn in_beijing(wall_ms: u64) -> String {
    let shifted = rfc3339(wall_ms.saturating_add(ZONE_MS));
    let seconds = shifted.get(..19).unwrap_or_default();
    seconds.replace('T', " ")
}

/// What stands in the store may have been written by anybody.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}
