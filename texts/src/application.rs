//! What a kiosk says of an application. Which text belongs to which step is decided here and nowhere else.

use schemas::citizen::{MaskedName, NumberTail};
use schemas::ids::TicketNumber;
use schemas::message::application::{ApplicationPrompt, StepName};
use schemas::message::kiosk::Text;
use schemas::message::peripheral::Fen;
use schemas::words::application::{
    ApplicationKind, ApplicationOutcome, ApplicationRefusal, FingerPosition, InputFault,
    PageNotice, PaymentFault, PaymentWay, PortraitCheck, WindowReason,
};
use schemas::words::paper::PaperState;

use crate::catalogue::{after, both, text};
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

/// What was wrong with the last entry.
fn notices(prompt: &ApplicationPrompt) -> Vec<Text> {
    // Where there was no card, nothing is said of one.
    let is_other = matches!(
        prompt.notice,
        Some(PageNotice::NoCard | PageNotice::ReaderAway)
    );
    let unreadable = prompt.card_unreadable == Some(true) && !is_other;
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
    let payment = prompt.payment_fault.map(|fault| {
        text(&match fault {
            PaymentFault::Declined => Message::ApplyPaymentDeclined,
            PaymentFault::Cancelled => Message::ApplyPaymentCancelled,
            PaymentFault::TimedOut => Message::ApplyPaymentTimedOut,
            PaymentFault::Unknown => Message::ApplyPaymentUnknown,
            PaymentFault::NoCode => Message::ApplyPaymentNoCode,
            PaymentFault::CodeOver => Message::ApplyPaymentCodeOver,
        })
    });
    let happened = prompt.notice.map(|notice| text(&happened(notice)));
    let check = |check: &PortraitCheck| both(&key("portrait", check), &[]);
    // Who is sent to the window has no other attempt to be told how to better it.
    let checks = prompt
        .failed_checks
        .iter()
        .filter(|_| prompt.outcome.is_none());
    let checks = checks.map(check);
    let notices = unreadable
        .into_iter()
        .chain(happened)
        .chain(fault)
        .chain(payment);
    notices.chain(checks).collect()
}

const fn happened(notice: PageNotice) -> Message<'static> {
    match notice {
        PageNotice::LiftCard => Message::ApplyLiftCard,
        PageNotice::LiveAgain => Message::ApplyLiveAgain,
        PageNotice::SmsUnavailable => Message::ApplySmsUnavailable,
        PageNotice::LastCode => Message::ApplySmsLastCode,
        PageNotice::NoCodeLeft => Message::ApplySmsNoCodeLeft,
        PageNotice::NoCard => Message::ApplyNoCard,
        PageNotice::ReaderAway => Message::ApplyReaderAway,
        PageNotice::NoFinger => Message::ApplyNoFinger,
        PageNotice::FingerAgain => Message::ApplyFingerAgain,
        PageNotice::FingerDiffers => Message::ApplyFingerDiffers,
    }
}

fn asked(
    prompt: &ApplicationPrompt,
    step: StepName,
    name: Option<&MaskedName>,
    tail: Option<&NumberTail>,
) -> Text {
    if prompt.awaits.is_some() {
        return text(&Message::ApplyDeviceInUse);
    }
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
        StepName::RetakeLivePhoto => Message::ApplyLivePhotoAgain,
        StepName::GivePhone => Message::ApplyPhone,
        StepName::AwaitSms => Message::ApplySmsSending,
        StepName::KeySmsCode => Message::ApplySmsCode {
            phone: prompt.phone.as_ref().map_or("", |phone| phone.as_str()),
        },
        StepName::RightFinger => return finger(true),
        StepName::LeftFinger => return finger(false),
        StepName::AttachDocuments => Message::ApplyDocuments,
        StepName::Sign => Message::ApplySignature,
        // Nobody is asked to pay twice: what may be paid is paid again only by who knows that it is not.
        StepName::ChoosePayment if is_unsettled(prompt) => Message::ApplyPaymentUnknownChoose,
        StepName::AwaitPayment if is_unsettled(prompt) => Message::ApplyPaymentUnknownWait,
        StepName::ChoosePayment => Message::ApplyPayment { amount: &amount },
        StepName::AwaitPayment => match prompt.payment {
            Some(PaymentWay::Wechat | PaymentWay::Alipay) if prompt.payment_code.is_none() => {
                Message::ApplyPayCodeAwaited { amount: &amount }
            }
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

/// Whether money may have been taken already.
fn is_unsettled(prompt: &ApplicationPrompt) -> bool {
    prompt.payment_fault == Some(PaymentFault::Unknown)
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
            let why = prompt.window_reason.map(window_reason);
            let failed = failed_checks(&prompt.failed_checks);
            let why = why.into_iter().chain(failed).reduce(after);
            let go_there = to_window(window);
            match why {
                Some(why) => after(why, go_there),
                None => go_there,
            }
        }
        ApplicationOutcome::Refused => refused(prompt, window),
        ApplicationOutcome::Cancelled => text(&Message::ApplyCancelled),
        ApplicationOutcome::TimedOut => text(&Message::ApplyTimedOut),
        ApplicationOutcome::NotPaid => text(&Message::ApplyNotPaid),
        ApplicationOutcome::DeviceFailed | ApplicationOutcome::Interrupted => {
            text(&Message::ApplyInterrupted)
        }
    }
}

/// That it goes on at the window, and where that is, in each language in its own words (A15).
fn to_window(window: &Text) -> Text {
    let at = |address: &str| text(&Message::ApplyToWindow { address });
    Text {
        zh: at(&window.zh).zh,
        en: at(&window.en).en,
    }
}

/// What the last portrait failed, each check by its name (A6).
fn failed_checks(failed: &[PortraitCheck]) -> Option<Text> {
    let names = failed.iter().map(|check| both(&key("check", check), &[]));
    let names = names.reduce(|first, second| Text {
        zh: format!("{}、{}", first.zh, second.zh),
        en: format!("{}, {}", first.en, second.en),
    })?;
    let of = |checks: &str| text(&Message::ApplyPortraitFailed { checks });
    Some(Text {
        zh: of(&names.zh).zh,
        en: of(&names.en).en,
    })
}

/// What becomes of the papers, once the session has ended (A13, A15).
fn papers(prompt: &ApplicationPrompt) -> Option<Text> {
    let to_window = prompt.outcome == Some(ApplicationOutcome::Window);
    let ticket = prompt.ticket.as_ref().filter(|_| !to_window);
    Some(text(&match prompt.papers? {
        PaperState::Printing => Message::ApplyPrinting,
        PaperState::Issued if to_window => Message::ApplyTakeTicket,
        PaperState::Issued => Message::ApplyTakePapers,
        PaperState::Incomplete => match ticket.map(TicketNumber::as_str) {
            Some(ticket) => Message::ApplyPapersAtWindow { ticket },
            None => Message::ApplyPrintFailed,
        },
    }))
}

/// What was accepted, and what was paid or is still due for it (A12).
fn done(prompt: &ApplicationPrompt, done: &Message<'_>) -> Text {
    let amount = amount(prompt);
    let due = match prompt.payment {
        _ if prompt.fee_fen.is_none() => Message::ApplyFree,
        _ if prompt.paid == Some(true) => Message::ApplyPaid { amount: &amount },
        Some(PaymentWay::CashAtWindow) => Message::ApplyPayCash { amount: &amount },
        Some(
            PaymentWay::Wechat
            | PaymentWay::Alipay
            | PaymentWay::UnionpayCard
            | PaymentWay::Quickpass,
        )
        | None => Message::ApplyPayLater { amount: &amount },
    };
    after(text(done), text(&due))
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
        Some(ApplicationRefusal::AtAnotherMachine) => Message::ApplyAtAnotherMachine,
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
    use schemas::order::PaymentCode;

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

    /// A3, A6, A7: what was wrong stands above what is asked, each failed check by its name.
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
        let live = ApplicationPrompt {
            step: Some(StepName::RetakeLivePhoto),
            failed_checks: vec![PortraitCheck::Lighting],
            ..ApplicationPrompt::default()
        };
        let said = says(&live).en;
        let (wrong, asked) = said.split_once('\n').unwrap_or_default();
        assert!(wrong.contains("too dark"), "{said}");
        assert!(asked.contains("camera"), "{said}");
    }

    /// A6, A15: who is sent to the window after the last portrait reads what it failed, and not how to better it.
    #[test]
    fn a6_the_last_page_names_what_the_portrait_failed() {
        let ended = ApplicationPrompt {
            outcome: Some(ApplicationOutcome::Window),
            window_reason: Some(WindowReason::PortraitFailed),
            failed_checks: PortraitCheck::ALL.to_vec(),
            ..ApplicationPrompt::default()
        };
        let said = says(&ended);
        for check in PortraitCheck::ALL {
            let name = both(&key("check", check), &[]);
            assert!(said.zh.contains(&name.zh) && said.en.contains(&name.en));
        }
        assert!(!said.zh.contains("重拍") && !said.en.contains("try again"));
    }

    /// A3, A7 to A9: each thing that happened has words of its own, above what is asked.
    #[test]
    fn a9_what_happened_stands_above_what_is_asked() {
        let said: std::collections::BTreeSet<_> = PageNotice::ALL
            .iter()
            .map(|notice| {
                let prompt = ApplicationPrompt {
                    step: Some(StepName::RightFinger),
                    notice: Some(*notice),
                    ..ApplicationPrompt::default()
                };
                let said = says(&prompt);
                assert_eq!((said.zh.lines().count(), said.en.lines().count()), (2, 2));
                said.en
            })
            .collect();
        assert_eq!(said.len(), PageNotice::ALL.len());
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
        assert!(ended(Provisional, PaperState::Issued).contains("Take all your papers"));
        assert!(ended(Window, PaperState::Issued).contains("Take the ticket"));
        for outcome in [Provisional, Window] {
            let said = ended(outcome, PaperState::Incomplete);
            assert!(said.contains("contact the staff"), "{said}");
            assert!(!said.contains("Take "), "{said}");
        }
        let at_window = ApplicationPrompt {
            outcome: Some(Provisional),
            papers: Some(PaperState::Incomplete),
            ticket: Some(TicketNumber::of(1, 7)),
            ..ApplicationPrompt::default()
        };
        let said = says(&at_window);
        assert!(said.en.contains("accepted") && said.en.contains("W1-7"));
        assert!(said.zh.contains("受理") && said.zh.contains("W1-7"));
    }

    /// A9: whoever waits for a device that serves another citizen is not asked to use it.
    #[test]
    fn a9_nobody_uses_a_device_out_of_turn() {
        let page = |awaits| ApplicationPrompt {
            step: Some(StepName::RightFinger),
            awaits,
            ..ApplicationPrompt::default()
        };
        let said = |page| says(&page).en;
        let scanner = schemas::ids::DeviceId::new("scanner-1").ok();
        assert!(said(page(None)).contains("on the scanner"));
        let waits = said(page(scanner));
        assert!(waits.contains("Please wait") && !waits.contains("on the scanner"));
    }

    /// A12: while it is not certain whether something was paid no page asks for money.
    #[test]
    fn a12_what_may_be_paid_is_not_asked_for_again() {
        for step in [StepName::AwaitPayment, StepName::ChoosePayment] {
            let page = ApplicationPrompt {
                step: Some(step),
                payment: Some(PaymentWay::UnionpayCard),
                payment_fault: Some(PaymentFault::Unknown),
                ..ApplicationPrompt::default()
            };
            let said = says(&page).en;
            assert!(said.contains("do not pay again"), "{said}");
            assert!(!said.contains("CNY"), "{said}");
        }
    }

    /// A3: where there was no card, or no reader, nothing is said of a card that could not be read.
    #[test]
    fn a3_no_card_is_not_an_unreadable_one() {
        for (notice, unread) in [
            (None, true),
            (Some(PageNotice::NoCard), false),
            (Some(PageNotice::ReaderAway), false),
        ] {
            let page = ApplicationPrompt {
                step: Some(StepName::ChooseKind),
                card_unreadable: Some(true),
                notice,
                ..ApplicationPrompt::default()
            };
            let said = says(&page).en;
            assert_eq!(said.contains("Unable to read"), unread, "{said}");
        }
    }

    /// A15: whoever is sent to the window reads where it is; their ticket is not announced as a certificate.
    #[test]
    fn a15_the_last_page_says_where_the_window_is() {
        let ended = |papers| ApplicationPrompt {
            outcome: Some(ApplicationOutcome::Window),
            window_reason: Some(WindowReason::LiveDiffers),
            papers,
            ..ApplicationPrompt::default()
        };
        for papers in [None, Some(PaperState::Printing), Some(PaperState::Issued)] {
            let said = says(&ended(papers));
            assert!(said.zh.contains("三号窗口"), "{said:?}");
            assert!(said.en.contains("window 3"), "{said:?}");
            assert!(!said.zh.contains("领取凭证"), "{said:?}");
            assert!(!said.en.contains("certificate"), "{said:?}");
        }
    }

    /// A12: whoever was accepted and has not paid is told what is due, and how it is paid; whoever has is told that it came.
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
            assert!(paid.contains("Payment of 20.00 CNY received"), "{paid}");
            assert!(!paid.contains("notice"), "{paid}");
        }
        let free = ApplicationPrompt {
            fee_fen: None,
            ..ended(ApplicationOutcome::Accepted, PaymentWay::Wechat, false)
        };
        assert!(says(&free).contains("free of charge") && !says(&free).contains("CNY"));
    }

    /// A12: why the citizen chooses again stands above the choice, and each fault has its own words.
    #[test]
    fn a12_why_a_payment_did_not_come_about_is_said() {
        let mut said = std::collections::BTreeSet::new();
        for fault in PaymentFault::ALL.iter().copied() {
            let prompt = ApplicationPrompt {
                step: Some(StepName::ChoosePayment),
                payment_fault: Some(fault),
                ..ApplicationPrompt::default()
            };
            let page = says(&prompt).en;
            let (why, asked) = page.split_once('\n').unwrap_or_default();
            assert!(asked.contains("choose how to pay"), "{page}");
            said.insert(why.to_owned());
        }
        assert_eq!(said.len(), PaymentFault::ALL.len());
    }

    /// A12: nobody is told to scan a code that is not there.
    #[test]
    fn a12_a_code_is_only_spoken_of_when_it_is_there() {
        let mut pay = ApplicationPrompt {
            step: Some(StepName::AwaitPayment),
            payment: Some(PaymentWay::Wechat),
            ..ApplicationPrompt::default()
        };
        assert!(!says(&pay).en.contains("scan"), "{}", says(&pay).en);
        pay.payment_code = PaymentCode::new("weixin://wxpay/bizpayurl?pr=invented0").ok();
        assert!(says(&pay).en.contains("scan the code with WeChat"));
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
