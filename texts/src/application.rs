//! What a kiosk says of an application. Which text belongs to which step is decided here and nowhere else.

use schemas::citizen::{MaskedName, NumberTail};
use schemas::message::application::{ApplicationPrompt, StepName};
use schemas::message::kiosk::Text;
use schemas::message::peripheral::Fen;
use schemas::words::application::{
    ApplicationKind, ApplicationOutcome, ApplicationRefusal, FingerPosition, InputFault,
    PaymentWay, PortraitCheck, WindowReason,
};
use schemas::words::paper::PaperState;

use crate::catalogue::{both, text};
use crate::message::Message;
use crate::words::key;

/// What a page of an application says: what was wrong with the last entry, then what is asked, or how it ended. `window` says
/// where the window is.
pub fn application(
    prompt: &ApplicationPrompt,
    name: Option<&MaskedName>,
    tail: Option<&NumberTail>,
    window: &Text,
) -> Text {
    let asked = match (prompt.outcome, prompt.step) {
        (Some(outcome), _) => ended(prompt, outcome, window),
        (None, Some(step)) => asked(prompt, step, name, tail),
        (None, None) => both("prompt-application", &[]),
    };
    let notices = notices(prompt);
    notices
        .into_iter()
        .chain([asked])
        .chain(papers(prompt))
        .reduce(after)
        .unwrap_or_else(|| both("prompt-application", &[]))
}

/// Why somebody is sent to the window.
pub fn window_reason(reason: WindowReason) -> Text {
    both(&key("window", reason), &[])
}

/// The finger whose print the old card holds.
pub fn finger_of_card() -> Text {
    both("finger-of-card", &[])
}

/// One below the other.
fn after(mut first: Text, second: Text) -> Text {
    for (first, second) in [(&mut first.zh, second.zh), (&mut first.en, second.en)] {
        first.push('\n');
        first.push_str(&second);
    }
    first
}

/// What was wrong with the last entry.
fn notices(prompt: &ApplicationPrompt) -> Vec<Text> {
    let unreadable = prompt.card_unreadable == Some(true);
    let unreadable = unreadable.then(|| text(&Message::ApplyCardUnreadable));
    let fault = prompt.fault.map(|fault| {
        text(&match fault {
            InputFault::NumberInvalid => Message::ApplyNumberWrong,
            InputFault::PhoneInvalid => Message::ApplyPhoneWrong,
            InputFault::PhonesDiffer => Message::ApplyPhoneDiffers,
            InputFault::CodeWrong => Message::ApplySmsCodeWrong,
            InputFault::CodeExpired => Message::ApplySmsCodeExpired,
        })
    });
    let check = |check: &PortraitCheck| both(&key("portrait", check), &[]);
    let checks = prompt.failed_checks.iter().map(check);
    unreadable.into_iter().chain(fault).chain(checks).collect()
}

fn asked(
    prompt: &ApplicationPrompt,
    step: StepName,
    name: Option<&MaskedName>,
    tail: Option<&NumberTail>,
) -> Text {
    let amount = amount(prompt);
    let finger = |is_right: bool| finger(is_right, prompt.position);
    let number = tail.map_or_else(String::new, |tail| format!("{:*>18}", tail.as_str()));
    let message = match step {
        StepName::ChooseKind => Message::ApplyChooseKind,
        StepName::ChooseResidence => Message::ApplyChooseResidence,
        StepName::ReadCard => Message::ApplyLayCard,
        StepName::KeyNumber => Message::ApplyKeyInNumber,
        StepName::ConfirmIdentity => match name.map(MaskedName::as_str) {
            Some(name) => Message::ApplyConfirmIdentity {
                name,
                number: &number,
            },
            // Whose number was keyed, the centre knows.
            None => Message::ApplyConfirmNumber { number: &number },
        },
        StepName::AwaitEligibility => Message::ApplyResidenceChecking,
        StepName::GivePortrait => Message::ApplyPortraitChoose,
        StepName::ComparePortrait | StepName::CompareLive => Message::ApplyPortraitChecking,
        StepName::TakeLivePhoto => Message::ApplyLivePhoto,
        StepName::GivePhone => Message::ApplyPhone,
        StepName::AwaitSms => Message::ApplySmsSending,
        StepName::KeySmsCode => Message::ApplySmsCode {
            phone: prompt.phone.as_ref().map_or("", |phone| phone.as_str()),
        },
        StepName::RightFinger => return finger(true),
        StepName::LeftFinger => return finger(false),
        StepName::AttachDocuments => Message::ApplyDocuments,
        StepName::Sign => Message::ApplySignature,
        StepName::ChoosePayment => Message::ApplyPayment { amount: &amount },
        StepName::AwaitPayment => match prompt.payment {
            Some(PaymentWay::Wechat) => Message::ApplyPayWechat { amount: &amount },
            Some(PaymentWay::Alipay) => Message::ApplyPayAlipay { amount: &amount },
            Some(PaymentWay::UnionpayCard) => Message::ApplyPayUnionpayCard { amount: &amount },
            Some(PaymentWay::Quickpass) => Message::ApplyPayQuickpass { amount: &amount },
            Some(PaymentWay::CashAtWindow) => Message::ApplyPayCash { amount: &amount },
            None => Message::ApplyPaymentWaiting,
        },
    };
    text(&message)
}

/// The fee in yuan, with two decimals.
fn amount(prompt: &ApplicationPrompt) -> String {
    let fen = prompt.fee_fen.map_or(0, Fen::get);
    format!("{}.{:02}", fen / 100, fen % 100)
}

fn finger(is_right: bool, position: Option<FingerPosition>) -> Text {
    use FingerPosition as F;
    let name = match position {
        None => finger_of_card(),
        Some(F::RightThumb | F::LeftThumb) => text(&Message::FingerThumb),
        Some(F::RightIndex | F::LeftIndex) => text(&Message::FingerIndex),
        Some(F::RightMiddle | F::LeftMiddle) => text(&Message::FingerMiddle),
        Some(F::RightRing | F::LeftRing) => text(&Message::FingerRing),
        Some(F::RightLittle | F::LeftLittle) => text(&Message::FingerLittle),
    };
    let of = |finger: &str| {
        text(&if is_right {
            Message::ApplyRightFinger { finger }
        } else {
            Message::ApplyLeftFinger { finger }
        })
    };
    Text {
        zh: of(&name.zh).zh,
        en: of(&name.en).en,
    }
}

fn ended(prompt: &ApplicationPrompt, outcome: ApplicationOutcome, window: &Text) -> Text {
    match outcome {
        ApplicationOutcome::Accepted => done(prompt, &Message::ApplyDone),
        ApplicationOutcome::Provisional => done(prompt, &Message::ApplyDoneProvisional),
        ApplicationOutcome::Window => {
            let ticket = text(&Message::ApplyToWindow);
            let why = prompt.window_reason.map(window_reason);
            why.into_iter()
                .chain([ticket])
                .reduce(after)
                .unwrap_or_else(|| text(&Message::ApplyToWindow))
        }
        ApplicationOutcome::Refused => refused(prompt, window),
        ApplicationOutcome::Cancelled => text(&Message::ApplyCancelled),
        ApplicationOutcome::TimedOut => text(&Message::ApplyTimedOut),
        ApplicationOutcome::DeviceFailed | ApplicationOutcome::Interrupted => {
            text(&Message::ApplyInterrupted)
        }
    }
}

/// What becomes of the papers, once the session has ended (A13, A15).
fn papers(prompt: &ApplicationPrompt) -> Option<Text> {
    let to_window = prompt.outcome == Some(ApplicationOutcome::Window);
    Some(text(&match prompt.papers? {
        PaperState::Printing => Message::ApplyPrinting,
        PaperState::Issued if to_window => Message::ApplyTakeTicket,
        PaperState::Issued => Message::ApplyTakePapers,
        PaperState::Incomplete => Message::ApplyPrintFailed,
    }))
}

/// What was accepted, and what is still due for it (A12).
fn done(prompt: &ApplicationPrompt, done: &Message<'_>) -> Text {
    let amount = amount(prompt);
    let due = prompt.fee_fen.is_some() && prompt.paid != Some(true);
    let due = due.then(|| match prompt.payment {
        Some(PaymentWay::CashAtWindow) => Message::ApplyPayCash { amount: &amount },
        Some(
            PaymentWay::Wechat
            | PaymentWay::Alipay
            | PaymentWay::UnionpayCard
            | PaymentWay::Quickpass,
        )
        | None => Message::ApplyPayLater { amount: &amount },
    });
    let done = text(done);
    match due {
        Some(due) => after(done, text(&due)),
        None => done,
    }
}

/// Where the window is stands in each language in its own words.
fn refused(prompt: &ApplicationPrompt, window: &Text) -> Text {
    let of = |address: &str| refused_at(prompt, address);
    Text {
        zh: of(&window.zh).zh,
        en: of(&window.en).en,
    }
}

fn refused_at(prompt: &ApplicationPrompt, address: &str) -> Text {
    let (opens, closes) = (prompt.opens.map(date), prompt.closes.map(date));
    let message = match prompt.refusal {
        Some(ApplicationRefusal::KindAtWindow) => match prompt.kind {
            Some(ApplicationKind::Temporary) => Message::ApplyTemporaryAtWindow { address },
            Some(
                ApplicationKind::FirstIssue
                | ApplicationKind::Renewal
                | ApplicationKind::Lost
                | ApplicationKind::Damaged,
            )
            | None => Message::ApplyFirstIssueAtWindow { address },
        },
        Some(ApplicationRefusal::RenewalTooEarly) => Message::ApplyRenewalEarly {
            opens: opens.as_deref().unwrap_or_default(),
        },
        Some(ApplicationRefusal::RenewalTooLate) => Message::ApplyRenewalLate {
            closes: closes.as_deref().unwrap_or_default(),
        },
        Some(ApplicationRefusal::CardLongTerm) => Message::ApplyRenewalNever,
        Some(ApplicationRefusal::ReportedLost) => Message::ApplyLossReported,
        Some(ApplicationRefusal::AlreadyApplied) => Message::ApplyAlreadyApplied,
        Some(
            ApplicationRefusal::ResidenceNotAccepted
            | ApplicationRefusal::UnderAge
            | ApplicationRefusal::NotIssuedBefore
            | ApplicationRefusal::Flagged
            | ApplicationRefusal::NotInScope,
        )
        | None => Message::ApplyOutOfScope,
    };
    text(&message)
}

fn date(date: schemas::civil::CivilDate) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(prompt: &ApplicationPrompt) -> Text {
        let window = Text {
            zh: "三号窗口".to_owned(),
            en: "window 3".to_owned(),
        };
        application(prompt, None, None, &window)
    }

    /// A5, A9: the sentences of the requirement are what a kiosk shows.
    #[test]
    fn required_sentences_are_shown() {
        let refused = |refusal| ApplicationPrompt {
            outcome: Some(ApplicationOutcome::Refused),
            refusal: Some(refusal),
            ..ApplicationPrompt::default()
        };
        for refusal in [
            ApplicationRefusal::UnderAge,
            ApplicationRefusal::Flagged,
            ApplicationRefusal::NotIssuedBefore,
        ] {
            assert_eq!(
                says(&refused(refusal)).en,
                "Your resident ID card is not within the self-service acceptance scope. If you need help, please contact the staff."
            );
        }
        let fingers = ApplicationPrompt {
            outcome: Some(ApplicationOutcome::Window),
            window_reason: Some(WindowReason::FingersNotCaptured),
            ..ApplicationPrompt::default()
        };
        assert!(says(&fingers).en.starts_with(
            "fingerprint information collection failed, please go to the household administration window\n"
        ));
    }

    /// A3, A6: what was wrong stands above what is asked, each failed check by its name.
    #[test]
    fn what_was_wrong_stands_above_what_is_asked() {
        let card = ApplicationPrompt {
            step: Some(StepName::ChooseKind),
            card_unreadable: Some(true),
            ..ApplicationPrompt::default()
        };
        assert!(
            says(&card)
                .en
                .starts_with("Unable to read, please contact the staff\n")
        );
        let portrait = ApplicationPrompt {
            step: Some(StepName::GivePortrait),
            failed_checks: vec![PortraitCheck::EyesOpen, PortraitCheck::Background],
            ..ApplicationPrompt::default()
        };
        let said = says(&portrait);
        assert_eq!(said.zh.lines().count(), 3);
        assert_eq!(said.en.lines().count(), 3);
    }

    /// A13, A15: the last page says what became of the papers, and never that some lie there which do not.
    #[test]
    fn a13_the_last_page_says_what_became_of_the_papers() {
        use ApplicationOutcome::{Provisional, Window};
        let ended = |outcome, papers| {
            let prompt = ApplicationPrompt {
                outcome: Some(outcome),
                papers: Some(papers),
                ..ApplicationPrompt::default()
            };
            says(&prompt).en
        };
        assert!(ended(Provisional, PaperState::Printing).contains("please wait"));
        assert!(ended(Provisional, PaperState::Issued).contains("Take your papers"));
        assert!(ended(Window, PaperState::Issued).contains("Take the ticket"));
        for outcome in [Provisional, Window] {
            let said = ended(outcome, PaperState::Incomplete);
            assert!(said.contains("contact the staff"), "{said}");
            assert!(!said.contains("Take "), "{said}");
        }
    }

    /// A12: whoever was accepted and has not paid is told what is due, and how it is paid; nobody else is.
    #[test]
    fn a12_a_fee_that_is_due_is_said_at_the_end() {
        let ended = |outcome, payment, paid| ApplicationPrompt {
            outcome: Some(outcome),
            fee_fen: Fen::new(2_000).ok(),
            payment: Some(payment),
            paid: Some(paid),
            ..ApplicationPrompt::default()
        };
        let says = |prompt: &ApplicationPrompt| says(prompt).en;
        for outcome in [
            ApplicationOutcome::Accepted,
            ApplicationOutcome::Provisional,
        ] {
            let cash = says(&ended(outcome, PaymentWay::CashAtWindow, false));
            assert!(cash.contains("20.00 CNY in cash at the window"), "{cash}");
            let later = says(&ended(outcome, PaymentWay::Wechat, false));
            assert!(later.contains("20.00 CNY is still due"), "{later}");
            let paid = says(&ended(outcome, PaymentWay::Wechat, true));
            assert!(!paid.contains("CNY"), "{paid}");
        }
        let free = ApplicationPrompt {
            fee_fen: None,
            ..ended(ApplicationOutcome::Accepted, PaymentWay::Wechat, false)
        };
        assert!(!says(&free).contains("CNY"));
    }

    /// A12: an amount is in yuan, with both decimals.
    #[test]
    fn the_fee_is_shown_in_yuan() {
        let fee = ApplicationPrompt {
            step: Some(StepName::ChoosePayment),
            fee_fen: Fen::new(2_005).ok(),
            ..ApplicationPrompt::default()
        };
        assert!(says(&fee).en.contains("20.05 CNY"), "{}", says(&fee).en);
    }
}
