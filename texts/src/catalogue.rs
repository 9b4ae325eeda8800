//! The two catalogues, read once, and a text out of both of them.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use schemas::message::kiosk::Text;
use unic_langid::LanguageIdentifier;

use crate::message::Message;

pub(crate) const CHINESE: &[&str] = &[
    include_str!("../locales/zh-CN/pickup.ftl"),
    include_str!("../locales/zh-CN/application.ftl"),
    include_str!("../locales/zh-CN/documents.ftl"),
];
pub(crate) const ENGLISH: &[&str] = &[
    include_str!("../locales/en/pickup.ftl"),
    include_str!("../locales/en/application.ftl"),
    include_str!("../locales/en/documents.ftl"),
];

type Bundle = FluentBundle<FluentResource>;

static CATALOGUES: LazyLock<(Bundle, Bundle)> =
    LazyLock::new(|| (bundle("zh-CN", CHINESE), bundle("en", ENGLISH)));

/// The text of `message` in both languages.
pub fn text(message: &Message<'_>) -> Text {
    both(message.id(), &message.arguments())
}

/// The text with the key `id`.
pub(crate) fn both(id: &str, arguments: &[(&'static str, &str)]) -> Text {
    let mut args = FluentArgs::with_capacity(arguments.len());
    for (name, value) in arguments {
        args.set(*name, (*value).to_owned());
    }
    let (chinese, english) = &*CATALOGUES;
    Text {
        zh: format(chinese, id, &args).unwrap_or_else(|| "请联系工作人员".to_owned()),
        en: format(english, id, &args).unwrap_or_else(|| "Please contact the staff".to_owned()),
    }
}

/// One below the other.
pub(crate) fn after(mut first: Text, second: Text) -> Text {
    for (first, second) in [(&mut first.zh, second.zh), (&mut first.en, second.en)] {
        first.push('\n');
        first.push_str(&second);
    }
    first
}

/// None where the catalogue has no such text, which the tests rule out.
fn format(bundle: &Bundle, id: &str, args: &FluentArgs<'_>) -> Option<String> {
    let pattern = bundle.get_message(id)?.value()?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors);
    errors.is_empty().then(|| text.into_owned())
}

fn bundle(language: &str, sources: &[&str]) -> Bundle {
    // What a catalogue gets wrong is for the tests: a citizen gets all the rest of it.
    let language: LanguageIdentifier = language.parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // Marks of direction around arguments would be boxes on screens and paper; both languages run from left to right.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned())
            .unwrap_or_else(|(readable, _errors)| readable);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test stops at the first surprise")]
#[path = "catalogue_tests.rs"]
mod tests;
