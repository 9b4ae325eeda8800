//! Applications on the centre's page: how each stands, and what of its payment is known. Nothing personal.

use std::fmt::Write as _;

use schemas::words::application::{ApplicationKind, RejectionReason};

use super::office::{CaseShown, CaseStanding, FeeStanding, OfficeShown, Sums};
use super::page::escaped;
use super::view::View;

/// Applications that are shown; `/stations` has all.
const CASES_MAX: usize = 20;
/// Days that are shown; there too.
const DAYS_MAX: usize = 10;

/// The section; nothing where the centre decides no applications.
pub(super) fn applications(page: &mut String, view: &View) {
    let Some(office) = &view.applications else {
        return;
    };
    page.push_str(
        "<h2>自助受理 <small>Applications, the newest first</small></h2><table><tr><th>站点<br><small>Station</small></th><th>业务<br><small>Session</small></th>\
         <th>类别<br><small>Kind</small></th><th>中心意见<br><small>Decision</small></th><th>缴费<br><small>Payment</small></th><th>新证<br><small>Card</small></th></tr>",
    );
    for case in office.cases.iter().rev().take(CASES_MAX) {
        row(page, case);
    }
    page.push_str("</table>");
    sums(page, office);
    days(page, office);
}

/// Each day's payments, as the station has them and as the centre has them (A12).
fn days(page: &mut String, office: &OfficeShown) {
    if office.days.is_empty() {
        return;
    }
    page.push_str(
        "<h2>缴费对账 <small>Payments by day, the newest first</small></h2><table><tr><th>站点<br><small>Station</small></th><th>日期<br><small>Day</small></th>\
         <th>站点收款<br><small>The station has</small></th><th>中心收款<br><small>The centre has</small></th><th>差额<br><small>Difference</small></th>\
         <th>补发<br><small>Told again</small></th></tr>",
    );
    for day in office.days.iter().rev().take(DAYS_MAX) {
        write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(day.station.as_str()),
            day.day,
            took(day.station_has),
            took(day.centre_has),
            yuan(day.difference_fen()),
            day.told_again
        )
        .unwrap_or_default();
    }
    page.push_str("</table><p><small>累计差额 all days together:");
    for (station, fen) in &office.differences_fen {
        let (station, sum) = (escaped(station.as_str()), yuan(*fen));
        write!(page, " {station} {sum}").unwrap_or_default();
    }
    page.push_str("</small></p>");
}

fn took(sums: Sums) -> String {
    let fen = i64::try_from(sums.fen).unwrap_or(i64::MAX);
    format!("{}／{}", sums.count, yuan(fen))
}

/// An amount that may be less than nothing.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "−" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

fn row(page: &mut String, case: &CaseShown) {
    let provisional = if case.provisional {
        "<br><small>预受理 provisional</small>"
    } else {
        ""
    };
    let paid = fee(case.fee);
    let order = case
        .order
        .as_ref()
        .map_or_else(|| "—".to_owned(), ToString::to_string);
    let card = case
        .card
        .as_ref()
        .map_or_else(|| "—".to_owned(), ToString::to_string);
    write!(
        page,
        "<tr><td>{}</td><td>{}</td><td>{}{provisional}</td><td>{}</td><td>{paid}<br><small>{}</small></td><td><code>{}</code></td></tr>",
        escaped(&case.station),
        escaped(&case.session),
        case.kind.map_or("—", kind),
        decision(case),
        escaped(&order),
        escaped(&card)
    )
    .unwrap_or_default();
}

fn sums(page: &mut String, office: &OfficeShown) {
    write!(
        page,
        "<p><small>待答 questions: {} · 待发 letters: {} · 订单 orders: {}／{} · 退款 refunds: {}，已退 done: {} · 通知 notices: {}，待发 waiting: {} · 人工窗口 tickets: {}</small></p>",
        office.questions, office.letters, office.paid, office.orders, office.refunds, office.refunded, office.notices, office.notices_waiting, office.tickets
    )
    .unwrap_or_default();
}

const fn fee(fee: FeeStanding) -> &'static str {
    match fee {
        FeeStanding::Free => "免费 free",
        FeeStanding::Open => "未缴 open",
        FeeStanding::Paid => "已缴 paid",
        FeeStanding::Refunding => "退款中 to be given back",
        FeeStanding::Refunded => "已退 given back",
    }
}

const fn kind(kind: ApplicationKind) -> &'static str {
    match kind {
        ApplicationKind::Renewal => "到期换领 renewal",
        ApplicationKind::Lost => "丢失补领 lost",
        ApplicationKind::Damaged => "损坏换领 damaged",
        ApplicationKind::FirstIssue => "首次申领 first issue",
        ApplicationKind::Temporary => "临时身份证 temporary",
    }
}

const fn decision(case: &CaseShown) -> &'static str {
    match (case.standing, case.rejected) {
        (_, Some(reason)) => rejection(reason),
        (CaseStanding::Arrived, None) => "待审 to be read",
        (CaseStanding::Confirmed, None) => "同意 confirmed",
        (CaseStanding::Rejected, None) => "不予受理 rejected",
        (CaseStanding::Lapsed, None) => "逾期未缴费，已作废 lapsed, not paid",
        (CaseStanding::Made, None) => "已制证 made",
    }
}

const fn rejection(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::AlreadyAppliedElsewhere => {
            "不予受理：已在别处受理 already applied elsewhere"
        }
        RejectionReason::NotEligible => "不予受理：不符合条件 not eligible",
        RejectionReason::Portrait => "不予受理：相片 portrait",
        RejectionReason::Fingerprints => "不予受理：指纹 fingerprints",
        RejectionReason::Documents => "不予受理：材料 documents",
        RejectionReason::Identity => "不予受理：身份 identity",
        RejectionReason::NotPaid => "不予受理：逾期未缴费 not paid",
        RejectionReason::Other => "不予受理 rejected",
    }
}
