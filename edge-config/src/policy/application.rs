//! `[application]`: the figures of an application (A1 to A17).

use schemas::event::application::ApplicationPolicy;
use schemas::fee::FeeTable;
use schemas::message::peripheral::Fen;
use schemas::words::Residence;
use schemas::words::application::{PaymentWay, PortraitCheck};

use crate::reader::Section;

/// Of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The values that a session runs under, as the event that opens it records them.
    pub session: ApplicationPolicy,
    /// How long a window ticket is held, in hours (A15).
    pub ticket_held_h: u16,
    /// Where the window is and when it is open, in Chinese: as a refusal, a last page and papers say it.
    pub window_zh: String,
    /// The same in English.
    pub window_en: String,
    /// How long a kiosk may ask for the papers of a session again, in s from the session's end.
    pub papers_held_s: u16,
    /// Within how many days a card is made, as the certificate says it (T4).
    pub card_days: u16,
}

/// What every module that takes a portrait measures.
const PORTRAIT_CHECKS: [PortraitCheck; 10] = [
    PortraitCheck::OneFace,
    PortraitCheck::Size,
    PortraitCheck::FaceSize,
    PortraitCheck::Centred,
    PortraitCheck::HeadUpright,
    PortraitCheck::LooksAhead,
    PortraitCheck::EyesOpen,
    PortraitCheck::MouthClosed,
    PortraitCheck::Background,
    PortraitCheck::Sharpness,
];
/// Longest address, so that it fits a screen and a ticket.
const ADDRESS_LEN_MAX: usize = 120;
/// The window of the shipped station.
const WINDOW_ZH: &str = "示例市朝阳区建国路 1 号户政大厅 3 号窗口（工作日 09:00-17:00）";
const WINDOW_EN: &str = "window 3 of the household administration hall, 1 Jianguo Road, Chaoyang (workdays 09:00-17:00)";
/// The shipped fees, in fen: renewal, loss, damage.
const FEES_FEN: [u32; 3] = [2_000, 4_000, 4_000];

impl Default for Application {
    fn default() -> Self {
        let [renewal, loss, damage] = FEES_FEN.map(|fen| Fen::new(fen).ok());
        Self {
            session: ApplicationPolicy {
                residences: Residence::ALL.to_vec(),
                renewal_months_before: 6,
                renewal_months_after: 6,
                age_min: 16,
                portrait_score_min: 95,
                live_score_min: 60,
                finger_quality_min: 50,
                finger_score_min: 60,
                portrait_checks: PORTRAIT_CHECKS.to_vec(),
                number_attempts_max: 3,
                portrait_attempts_max: 3,
                live_attempts_max: 3,
                phone_attempts_max: 3,
                sms_attempts_max: 3,
                finger_attempts_max: 3,
                documents_max: 8,
                sms: true,
                step_timeout_s: 90,
                command_timeout_s: 20,
                centre_wait_s: 5,
                sms_wait_s: 20,
                payment_wait_s: 120,
                order_hours: 72,
                provisional_max: 200,
                payments: PaymentWay::ALL.to_vec(),
                fees: FeeTable {
                    renewal,
                    loss,
                    damage,
                },
            },
            ticket_held_h: 72,
            window_zh: WINDOW_ZH.to_owned(),
            window_en: WINDOW_EN.to_owned(),
            papers_held_s: 120,
            card_days: 60,
        }
    }
}

pub(super) fn read(s: &mut Section<'_>, shipped: &Application) -> Application {
    let p = &shipped.session;
    let session = ApplicationPolicy {
        residences: listed(s, "residences", super::RESIDENCES, &p.residences),
        renewal_months_before: s.number("renewal_months_before", 0..=120, p.renewal_months_before),
        renewal_months_after: s.number("renewal_months_after", 0..=120, p.renewal_months_after),
        age_min: s.number("age_min", 0..=120, p.age_min),
        portrait_score_min: s.number("portrait_score_min", 1..=100, p.portrait_score_min),
        live_score_min: s.number("live_score_min", 1..=100, p.live_score_min),
        finger_quality_min: s.number("finger_quality_min", 1..=100, p.finger_quality_min),
        finger_score_min: s.number("finger_score_min", 1..=100, p.finger_score_min),
        portrait_checks: checks(s, &p.portrait_checks),
        number_attempts_max: s.number("number_attempts_max", 1..=10, p.number_attempts_max),
        portrait_attempts_max: s.number("portrait_attempts_max", 1..=10, p.portrait_attempts_max),
        live_attempts_max: s.number("live_attempts_max", 1..=10, p.live_attempts_max),
        phone_attempts_max: s.number("phone_attempts_max", 1..=10, p.phone_attempts_max),
        sms_attempts_max: s.number("sms_attempts_max", 1..=10, p.sms_attempts_max),
        finger_attempts_max: s.number("finger_attempts_max", 1..=10, p.finger_attempts_max),
        // Their hashes stand in one event, which stays under 6 KB.
        documents_max: s.number("documents_max", 0..=8, p.documents_max),
        sms: s.flag("sms", p.sms),
        step_timeout_s: s.number("step_timeout_s", 5..=600, p.step_timeout_s),
        command_timeout_s: s.number("command_timeout_s", 2..=120, p.command_timeout_s),
        centre_wait_s: s.number("centre_wait_s", 1..=120, p.centre_wait_s),
        sms_wait_s: s.number("sms_wait_s", 1..=120, p.sms_wait_s),
        payment_wait_s: s.number("payment_wait_s", 5..=600, p.payment_wait_s),
        order_hours: s.number("order_hours", 1..=720, p.order_hours),
        provisional_max: s.number("provisional_max", 0..=100_000, p.provisional_max),
        payments: listed(s, "payments", PAYMENTS, &p.payments),
        fees: fees(s),
    };
    let ticket_held_h = s.number("ticket_held_h", 1..=720, shipped.ticket_held_h);
    let window_zh = address(s, "window_zh", &shipped.window_zh);
    let window_en = address(s, "window_en", &shipped.window_en);
    let papers_held_s = s.number("papers_held_s", 10..=600, shipped.papers_held_s);
    let card_days = s.number("card_days", 1..=90, shipped.card_days);
    Application {
        session,
        ticket_held_h,
        window_zh,
        window_en,
        papers_held_s,
        card_days,
    }
}

/// Where the window is, in words, and when it is open.
fn address(s: &mut Section<'_>, key: &'static str, shipped: &str) -> String {
    let Some(text) = s.optional::<String>(key, "\"Window 3, ground floor\"") else {
        return shipped.to_owned();
    };
    let len = text.chars().count();
    if !(1..=ADDRESS_LEN_MAX).contains(&len) || text.chars().any(char::is_control) {
        let what =
            format!("has {len} characters; write 1 to {ADDRESS_LEN_MAX} of them, in one line");
        s.refuse(key, what);
    }
    text
}

fn fees(s: &mut Section<'_>) -> FeeTable {
    let [renewal, loss, damage] = FEES_FEN;
    let mut fee = |key, shipped| Fen::new(s.number(key, 0..=i64::from(Fen::MAX), shipped)).ok();
    FeeTable {
        renewal: fee("renewal_fee_fen", renewal),
        loss: fee("loss_fee_fen", loss),
        damage: fee("damage_fee_fen", damage),
    }
}

/// Words of a set, each once; an empty list would leave no choice.
fn listed<T: Copy + PartialEq>(
    s: &mut Section<'_>,
    key: &'static str,
    words: &'static [(&'static str, T)],
    shipped: &[T],
) -> Vec<T> {
    words_of(s, key, words, shipped, "so nobody could go on")
}

fn checks(s: &mut Section<'_>, shipped: &[PortraitCheck]) -> Vec<PortraitCheck> {
    let why = "so any picture would do";
    words_of(s, "portrait_checks", CHECKS, shipped, why)
}

/// The same; `why` says what an empty list would mean.
fn words_of<T: Copy + PartialEq>(
    s: &mut Section<'_>,
    key: &'static str,
    words: &'static [(&'static str, T)],
    shipped: &[T],
    why: &str,
) -> Vec<T> {
    let Some(given) = s.words(key, words) else {
        return shipped.to_vec();
    };
    let all: Vec<T> = given.into_iter().collect();
    let mut once: Vec<T> = Vec::new();
    for word in all {
        if !once.contains(&word) {
            once.push(word);
        }
    }
    if once.is_empty() {
        let (example, _) = words.first().copied().unzip();
        let example = example.unwrap_or_default();
        s.refuse(
            key,
            format!("is empty, {why}; write {key} = [\"{example}\"]"),
        );
    }
    once
}

const CHECKS: &[(&str, PortraitCheck)] = &[
    ("one-face", PortraitCheck::OneFace),
    ("size", PortraitCheck::Size),
    ("face-size", PortraitCheck::FaceSize),
    ("centred", PortraitCheck::Centred),
    ("head-upright", PortraitCheck::HeadUpright),
    ("looks-ahead", PortraitCheck::LooksAhead),
    ("eyes-open", PortraitCheck::EyesOpen),
    ("mouth-closed", PortraitCheck::MouthClosed),
    ("eyes-visible", PortraitCheck::EyesVisible),
    ("uncovered", PortraitCheck::Uncovered),
    ("ears-visible", PortraitCheck::EarsVisible),
    ("background", PortraitCheck::Background),
    ("lighting", PortraitCheck::Lighting),
    ("sharpness", PortraitCheck::Sharpness),
];

const PAYMENTS: &[(&str, PaymentWay)] = &[
    ("wechat", PaymentWay::Wechat),
    ("alipay", PaymentWay::Alipay),
    ("unionpay-card", PaymentWay::UnionpayCard),
    ("quickpass", PaymentWay::Quickpass),
    ("cash-at-window", PaymentWay::CashAtWindow),
];
