use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{self, Entry};
use schemas::application::ApplicationReason;
use schemas::message::peripheral::PaymentMethod;
use schemas::words::application::{PortraitCheck, ProvisionalCause, WindowReason};
use schemas::words::{PickupOutcome, PromptCode, RefusalReason, Service};

use super::{CHINESE, ENGLISH, bundle};
use crate::kiosk::{prompt, refusal};
use crate::message::Message;
use crate::words::key;

/// Keys that follow from no word of the contract and no typed key.
const OTHERS: &[&str] = &[
    "prompt-done-act",
    "prompt-finger-again",
    "idle-both",
    "idle-application",
    "out-of-service",
    "out-of-service-storage-low",
    "out-of-service-log-in-doubt",
    "out-of-service-maintenance",
    "slip-pickup",
    "finger-of-card",
];

/// Each key of a catalogue with the arguments of its text.
fn read(sources: &[&'static str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut read = BTreeMap::new();
    for source in sources {
        let resource = fluent_syntax::parser::parse(*source).expect("a catalogue that reads");
        for entry in resource.body {
            if let Entry::Message(message) = entry {
                let id = message.id.name.to_owned();
                let pattern = message.value.expect("a text");
                let twice = read.insert(id.clone(), arguments(&pattern)).is_some();
                assert!(!twice, "{id} stands there twice");
            }
        }
    }
    read
}

fn arguments(pattern: &ast::Pattern<&'static str>) -> BTreeSet<String> {
    let argument = |element: &ast::PatternElement<&'static str>| match element {
        ast::PatternElement::Placeable {
            expression: ast::Expression::Inline(ast::InlineExpression::VariableReference { id }),
        } => Some(id.name.to_owned()),
        ast::PatternElement::TextElement { .. } => None,
        other @ ast::PatternElement::Placeable { .. } => {
            panic!("only arguments are set in: {other:?}")
        }
    };
    pattern.elements.iter().filter_map(argument).collect()
}

/// Every key that the program may ask for, with the arguments that it gives.
fn asked_for() -> BTreeMap<String, BTreeSet<String>> {
    let typed = Message::TABLE.iter().map(|(id, arguments)| {
        let arguments = arguments.iter().map(|name| (*name).to_owned()).collect();
        ((*id).to_owned(), arguments)
    });
    let of_words = RefusalReason::ALL.iter().map(|word| key("refusal", word));
    let of_words = of_words
        .chain(PickupOutcome::ALL.iter().map(|word| key("ended", word)))
        .chain(
            ApplicationReason::ALL
                .iter()
                .map(|word| key("reason", word)),
        )
        .chain(
            PaymentMethod::ALL
                .iter()
                .map(|word| key("payment-method", word)),
        )
        .chain(PortraitCheck::ALL.iter().map(|word| key("portrait", word)))
        .chain(PortraitCheck::ALL.iter().map(|word| key("check", word)))
        .chain(
            ProvisionalCause::ALL
                .iter()
                .map(|word| key("provisional", word)),
        )
        .chain(WindowReason::ALL.iter().map(|word| key("window", word)))
        .chain(prompts().map(|word| key("prompt", word)))
        .chain(OTHERS.iter().map(|id| (*id).to_owned()));
    typed
        .chain(of_words.map(|id| (id, BTreeSet::new())))
        .collect()
}

/// Why a machine is out of service has texts of its own.
fn prompts() -> impl Iterator<Item = &'static PromptCode> {
    PromptCode::ALL
        .iter()
        .filter(|code| **code != PromptCode::OutOfService)
}

/// A3, A5, A9: both catalogues hold exactly what the program asks for, with exactly the arguments that it gives.
#[test]
fn every_text_is_there_in_both_languages_with_its_arguments() {
    let asked_for = asked_for();
    assert_eq!(read(CHINESE), asked_for, "the Chinese catalogue");
    assert_eq!(read(ENGLISH), asked_for, "the English catalogue");
}

/// Every text comes out of the bundle that is shipped: no key is cut off by an error above it.
#[test]
fn every_text_is_in_the_bundle() {
    for (language, sources) in [("zh-CN", CHINESE), ("en", ENGLISH)] {
        let bundle = bundle(language, sources);
        for id in asked_for().keys() {
            assert!(
                bundle
                    .get_message(id)
                    .and_then(|message| message.value())
                    .is_some(),
                "{language} {id}"
            );
        }
    }
}

/// Chinese is Chinese and English is plain: a screen and a printer can show both.
#[test]
fn the_languages_are_not_mixed_up() {
    for source in ENGLISH {
        assert!(source.is_ascii(), "{source}");
    }
    let chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for source in CHINESE {
        for line in source.lines().filter(|line| line.contains(" = ")) {
            let only_an_argument = line.ends_with('}') && line.contains("= {");
            assert!(line.contains(chinese) || only_an_argument, "{line}");
        }
    }
}

/// P2: each refusal and each ending has words of its own.
#[test]
fn every_refusal_and_ending_has_its_own_text() {
    let refusals: BTreeSet<_> = RefusalReason::ALL
        .iter()
        .map(|reason| refusal(*reason).en)
        .collect();
    assert_eq!(refusals.len(), RefusalReason::ALL.len());
    let ended = |outcome: &PickupOutcome| {
        prompt(PromptCode::Ended, None, Some(*outcome), &[], None, &[]).en
    };
    let endings: BTreeSet<_> = PickupOutcome::ALL.iter().map(ended).collect();
    assert_eq!(endings.len(), PickupOutcome::ALL.len());
}

/// P4: whoever is asked for a finger again reads first that it did not match; nobody else does.
#[test]
fn p4_a_finger_that_did_not_match_is_said_first() {
    let says = |code, attempt| prompt(code, attempt, None, &[], None, &[]);
    for code in [PromptCode::RightFinger, PromptCode::LeftFinger] {
        let first = says(code, Some(1));
        assert_eq!(first, says(code, None));
        let again = says(code, Some(2));
        assert_eq!(again, says(code, Some(3)));
        let (why, asked) = again.zh.split_once('\n').expect("two lines");
        assert!(why.contains("指纹未通过") && asked == first.zh, "{again:?}");
        let (why, asked) = again.en.split_once('\n').expect("two lines");
        assert!(
            why.contains("did not match") && asked == first.en,
            "{again:?}"
        );
    }
    let old_card = says(PromptCode::OldCard, Some(2));
    assert_eq!(old_card, says(PromptCode::OldCard, Some(1)));
}

/// A12, A13: one thing has one name: what is scanned to pay is no 付款码, and the papers together are no 凭证.
#[test]
fn a13_one_thing_has_one_name() {
    for source in CHINESE {
        for line in source.lines() {
            assert!(!line.contains("付款码"), "{line}");
            let certificate = ["领取凭证", "本凭证", "凭证条码", "报销凭证"];
            let named = certificate.iter().any(|name| line.contains(name));
            assert!(named || !line.contains("凭证"), "{line}");
            let notices = line.matches("缴费通知").count();
            assert_eq!(notices, line.matches("缴费通知单").count(), "{line}");
        }
    }
}

/// A3, A5, A9: word for word.
#[test]
fn required_sentences_are_word_for_word() {
    for (message, sentence) in [
        (
            Message::ApplyCardUnreadable,
            "Unable to read, please contact the staff",
        ),
        (
            Message::ApplyOutOfScope,
            "Your resident ID card is not within the self-service acceptance scope. If you need help, please contact the staff.",
        ),
    ] {
        assert_eq!(super::text(&message).en, sentence);
    }
}

/// A4: arguments are set in as they are, without marks of direction around them.
#[test]
fn arguments_are_set_in_bare() {
    let text = super::text(&Message::ApplyConfirmIdentity {
        name: "**明",
        number: "**************002X",
    });
    assert_eq!(
        text.zh,
        "请确认是否本人：**明，公民身份号码 **************002X"
    );
    assert_eq!(
        text.en,
        "Is this you? **明, citizen number **************002X"
    );
}

/// A1, P1: a kiosk that waits for a citizen says what they can begin there, and what they cannot.
#[test]
fn an_idle_kiosk_says_what_can_be_begun() {
    let (pickup, application) = (Service::Pickup, Service::Application);
    let says = |services: &[_]| prompt(PromptCode::Idle, None, None, &[], None, services);
    let [one, both, other] = [
        says(&[pickup]),
        says(&[pickup, application]),
        says(&[application]),
    ];
    assert!(one.zh.contains("领取凭证") && !one.zh.contains("申请"));
    assert!(both.zh.contains("领取凭证") && both.zh.contains("申请换领、补领"));
    assert!(both.en.contains("collection certificate") && both.en.contains("apply"));
    assert!(other.zh.contains("暂时不能领取") && other.zh.contains("申请换领、补领"));
    assert!(other.en.contains("cannot be collected") && other.en.contains("apply"));
}
