//! Examples of every message and event fit their type; what is to be refused is refused. The schema files are held
//! against the same examples by a judge (`tests/judges/python/check_schemas.py`), so types and schemas agree.

use std::collections::{BTreeMap, BTreeSet};

use contract::catalogue::{CENTRE, MATCHER, MESSAGES};
use contract::examples;
use schemas::downlink::INSTRUCTION_TYPES;
use schemas::event::{EVENT_TYPES, Event};
use serde_json::Value;
use serde_json::value::RawValue;

fn check(all: &BTreeMap<String, Vec<Value>>, wanted: bool) {
    let names: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        MESSAGES.iter().map(|message| message.name).collect(),
        "an example of each message"
    );
    for message in MESSAGES {
        let examples = all.get(message.name).unwrap();
        assert!(!examples.is_empty(), "{} has no example", message.name);
        for example in examples {
            let read = (message.reads)(&example.to_string());
            assert_eq!(
                read.is_ok(),
                wanted,
                "{}: {example}: {read:?}",
                message.name
            );
        }
    }
}

#[test]
fn messages_fit_their_type() {
    check(&examples::messages().unwrap(), true);
}

#[test]
fn bad_messages_are_refused_by_their_type() {
    check(&examples::refused().unwrap(), false);
}

#[test]
fn events_fit_their_type_and_nothing_more_fits() {
    let bodies = examples::events().unwrap();
    for type_name in EVENT_TYPES {
        let body = bodies
            .get(*type_name)
            .unwrap_or_else(|| panic!("no example of {type_name}"));
        let event = Event::from_data(type_name, &body.to_string())
            .unwrap()
            .unwrap();
        let written: Value = serde_json::from_str(event.to_data().unwrap().get()).unwrap();
        assert_eq!(written, *body, "{type_name} writes what it read");
        let mut more = body.clone();
        more.as_object_mut()
            .unwrap()
            .insert("more".to_owned(), Value::Null);
        assert!(
            Event::from_data(type_name, &more.to_string())
                .unwrap()
                .is_err(),
            "{type_name}"
        );
    }
    assert_eq!(
        bodies.len(),
        EVENT_TYPES.len(),
        "an example without its type"
    );
}

/// G4, G5: what stands in the centre's store has an example that fits, without one of the members that it needs fits no more,
/// and an instruction takes no member that the contract does not have.
#[test]
fn what_stands_in_the_centre_s_store_fits_its_type() {
    let examples = examples::centre().unwrap();
    let names: BTreeSet<&str> = examples.keys().map(String::as_str).collect();
    let types = INSTRUCTION_TYPES.iter().copied().chain(["metadata"]);
    assert_eq!(names, types.collect(), "an example of each");
    assert_eq!(names, CENTRE.iter().map(|part| part.name).collect());
    for part in CENTRE {
        let example = examples.get(part.name).unwrap();
        (part.reads)(&example.to_string()).unwrap();
        let members = example.as_object().unwrap();
        for member in members.keys() {
            let mut less = members.clone();
            less.remove(member);
            let read = (part.reads)(&Value::Object(less).to_string());
            let may_lack = ["checkpoint", "way", "paid_ms", "name", "comparisons"];
            let may_lack = may_lack.contains(&member.as_str());
            assert_eq!(read.is_ok(), may_lack, "{}: {member}", part.name);
        }
        let mut more = example.clone();
        more.as_object_mut()
            .unwrap()
            .insert("more".to_owned(), Value::Null);
        let read = (part.reads)(&more.to_string());
        assert_eq!(read.is_ok(), part.name == "metadata", "{more}");
    }
}

/// P4, A7, A9: what is said to matchers and by them; the pages show these examples.
#[test]
fn what_a_matcher_is_asked_and_answers_fits_its_type() {
    let examples = examples::matcher().unwrap();
    let names: BTreeSet<&str> = examples.keys().map(String::as_str).collect();
    assert_eq!(names, MATCHER.iter().map(|part| part.name).collect());
    let page = concat!(
        include_str!("../../../../ops/docs/matcher.md"),
        include_str!("../../../../ops/docs/face-matcher.md")
    );
    let shown: Vec<Value> = (page.split("```json").skip(1))
        .filter_map(|rest| serde_json::from_str(rest.split("```").next()?).ok())
        .collect();
    for part in MATCHER {
        let judged = examples.get(part.name).unwrap();
        assert!(!judged.good.is_empty() && !judged.refused.is_empty());
        for (example, wanted) in (judged.good.iter().map(|one| (one, true)))
            .chain(judged.refused.iter().map(|one| (one, false)))
        {
            let read = (part.reads)(&example.to_string());
            assert_eq!(read.is_ok(), wanted, "{}: {example}: {read:?}", part.name);
            if wanted {
                assert!(
                    !(part.prints)(&example.to_string())
                        .unwrap()
                        .contains("c2Ft")
                );
            }
        }
        let first = judged.good.first().unwrap();
        assert!(
            shown.contains(first),
            "{first} in matcher.md or face-matcher.md"
        );
    }
}

/// G4: what the specification shows is what was judged here.
#[test]
fn the_specification_shows_these_examples() {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let page = dense(include_str!("../../../../schemas/link.md"));
    let text = include_str!("../../examples/centre.json");
    let examples: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
    for (name, example) in examples {
        assert!(page.contains(&dense(example.get())), "{name} in link.md");
    }
}
