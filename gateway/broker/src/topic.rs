//! Topic names and filters: what is allowed (MQTT 5, section 4.7), within the limits.

use crate::config::Limits;

/// A checked topic filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter<'a> {
    /// Share name of `$share/{name}/{filter}`.
    pub(crate) share: Option<&'a str>,
    /// The filter itself.
    pub(crate) filter: &'a str,
}

/// A topic name that can be published to: no wildcard, no NUL, not empty, within the limits.
pub(crate) fn name_is_valid(topic: &str, limits: &Limits) -> bool {
    !topic.is_empty()
        && topic.len() <= limits.topic_bytes_max.min(65_535)
        && !topic.contains(['+', '#', '\0'])
        && levels(topic).count() <= limits.topic_levels_max
}

/// Checks a filter as it came in SUBSCRIBE or UNSUBSCRIBE.
pub(crate) fn parse_filter<'a>(text: &'a str, limits: &Limits) -> Option<Filter<'a>> {
    let parsed = match text.strip_prefix("$share/") {
        Some(rest) => {
            let (share, filter) = rest.split_once('/')?;
            if share.is_empty() || share.contains(['+', '#', '\0']) {
                return None;
            }
            Filter {
                share: Some(share),
                filter,
            }
        }
        None => Filter {
            share: None,
            filter: text,
        },
    };
    let fits = !parsed.filter.is_empty()
        && text.len() <= limits.topic_bytes_max.min(65_535)
        && !parsed.filter.contains('\0')
        && levels(parsed.filter).count() <= limits.topic_levels_max;
    (fits && wildcards_are_valid(parsed.filter)).then_some(parsed)
}

fn wildcards_are_valid(filter: &str) -> bool {
    let mut rest = levels(filter).peekable();
    while let Some(level) = rest.next() {
        let last = rest.peek().is_none();
        let ok = match level {
            "+" => true,
            "#" => last,
            other => !other.contains(['+', '#']),
        };
        if !ok {
            return false;
        }
    }
    true
}

/// The levels of a topic or filter.
pub(crate) fn levels(topic: &str) -> std::str::Split<'_, char> {
    topic.split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_wildcard_and_nul_topic_names_are_not_names() {
        let limits = Limits::default();
        for bad in [
            "",
            "a/+",
            "#",
            "a+b",
            "a\0b",
            &"x/".repeat(40),
            &"y".repeat(2_000),
        ] {
            assert!(!name_is_valid(bad, &limits), "{bad:?}");
        }
        for good in ["a", "/", "a//b", "$SYS/x", "学/校"] {
            assert!(name_is_valid(good, &limits), "{good:?}");
        }
    }

    #[test]
    fn filters_are_checked_as_section_4_7_says() {
        let limits = Limits::default();
        for bad in [
            "",
            "#/a",
            "a#",
            "a/b+",
            "a/#/b",
            "$share//a",
            "$share/g",
            "$share/g/",
            "$share/+/a",
        ] {
            assert_eq!(parse_filter(bad, &limits), None, "{bad:?}");
        }
        for good in ["#", "+", "+/+", "a/+/#", "/", "$share/g/a/#"] {
            assert!(parse_filter(good, &limits).is_some(), "{good:?}");
        }
        assert_eq!(
            parse_filter("$share/g/a/b", &limits),
            Some(Filter {
                share: Some("g"),
                filter: "a/b"
            })
        );
    }
}
