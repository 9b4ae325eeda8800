//! What the kiosk says at the end of each way, by the catalogue, in both languages.

use schemas::message::kiosk::Text;
use texts::Message;

use super::*;

/// Where the window is.
const ADDRESS: [&str; 2] = ["三号窗口", "window 3"];

fn window() -> Text {
    let [zh, en] = ADDRESS.map(str::to_owned);
    Text { zh, en }
}

fn said(hall: &Hall) -> Text {
    let view = hall.view("kiosk-1");
    texts::application(&view.application.unwrap(), None, None, &window())
}

/// A3: in the words of the requirement, and back to the choice of kind.
pub(super) fn unreadable(hall: &Hall, prompt: &ApplicationPrompt) {
    let said = said(hall);
    let unreadable = texts::text(&Message::ApplyCardUnreadable);
    assert_eq!(unreadable.en, "Unable to read, please contact the staff");
    assert!(said.en.starts_with(&unreadable.en), "{said:?}");
    assert!(said.zh.starts_with(&unreadable.zh), "{said:?}");
    assert_eq!(prompt.step, Some(S::ChooseKind));
}

/// A5, A9, A12, A13, A15: the last page says how it ended, what is due, and what becomes of the papers.
pub(super) fn last_page(hall: &Hall, row: &Row, end: &End, prompt: &ApplicationPrompt) {
    let said = said(hall);
    let lines = match end {
        End::Accepted => accepted(row, Message::ApplyDone),
        End::Provisional => accepted(row, Message::ApplyDoneProvisional),
        End::Window(reason) => at_window(*reason, prompt),
        End::Refused(reason) => vec![refused(*reason, row.case.kind)],
        End::Back => vec![texts::text(&Message::ApplyCancelled)],
    };
    let joined = |of: fn(&Text) -> &str| lines.iter().map(of).collect::<Vec<_>>().join("\n");
    let wanted = [joined(|text| &text.zh), joined(|text| &text.en)];
    assert_eq!([said.zh, said.en], wanted, "{row:?}");
}

fn accepted(row: &Row, done: Message<'static>) -> Vec<Text> {
    let amount = match row.case.kind {
        Kind::Renewal => "20.00",
        _ => "40.00",
    };
    let due = match row.case.fault {
        _ if row.is_paid() => Message::ApplyPaid { amount },
        Fault::PaymentNever => Message::ApplyPayLater { amount },
        _ => Message::ApplyPayCash { amount },
    };
    let lines = [done, due, Message::ApplyPrinting];
    lines.iter().map(texts::text).collect()
}

fn at_window(reason: Window, prompt: &ApplicationPrompt) -> Vec<Text> {
    let why = texts::window_reason(reason);
    if reason == Window::FingersNotCaptured {
        let required = "fingerprint information collection failed, please go to the household administration window";
        assert_eq!(why.en, required);
    }
    let failed = (reason == Window::PortraitFailed).then(|| failed(prompt));
    let to_window = in_both(|address| texts::text(&Message::ApplyToWindow { address }));
    let ends = [to_window, texts::text(&Message::ApplyPrinting)];
    [Some(why), failed]
        .into_iter()
        .flatten()
        .chain(ends)
        .collect()
}

/// A text that names the window, as it is in each language.
fn in_both(of: impl Fn(&'static str) -> Text) -> Text {
    let [zh, en] = ADDRESS.map(of);
    Text {
        zh: zh.zh,
        en: en.en,
    }
}

/// A6: the check that the portraits of these cases fail is named.
fn failed(prompt: &ApplicationPrompt) -> Text {
    use schemas::words::application::PortraitCheck::EyesOpen;
    assert_eq!(prompt.failed_checks, [EyesOpen]);
    let [zh, en] = [("双眼睁开", true), ("open eyes", false)].map(|(checks, is_zh)| {
        let said = texts::text(&Message::ApplyPortraitFailed { checks });
        if is_zh { said.zh } else { said.en }
    });
    Text { zh, en }
}

fn refused(reason: Refusal, kind: Kind) -> Text {
    let at = |address| match kind {
        Kind::Temporary => texts::text(&Message::ApplyTemporaryAtWindow { address }),
        _ => texts::text(&Message::ApplyFirstIssueAtWindow { address }),
    };
    match reason {
        Refusal::KindAtWindow => in_both(at),
        // Six months before and after the last day of the cards of these cases.
        Refusal::RenewalTooEarly => texts::text(&Message::ApplyRenewalEarly {
            opens: "2029-07-01",
        }),
        Refusal::RenewalTooLate => texts::text(&Message::ApplyRenewalLate {
            closes: "2020-07-01",
        }),
        Refusal::CardLongTerm => texts::text(&Message::ApplyRenewalNever),
        Refusal::ResidenceNotAccepted
        | Refusal::UnderAge
        | Refusal::Flagged
        | Refusal::NotInScope => {
            let said = texts::text(&Message::ApplyOutOfScope);
            assert_eq!(
                said.en,
                "Your resident ID card is not within the self-service acceptance scope. If you need help, please contact the staff."
            );
            said
        }
        other => panic!("{other:?} is in no case of this table"),
    }
}
