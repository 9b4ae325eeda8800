#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use super::*;
use proptest::prelude::*;

fn mufasa(password: &str) -> Credentials {
    Credentials::new("Mufasa".to_owned(), Zeroizing::new(password.to_owned()))
}

/// The digest of the answer to `header`, with a nonce of the client that is known.
fn response(header: &str, credentials: &Credentials, client_nonce: &str) -> String {
    let mut offer = Offer::best([header].into_iter()).unwrap();
    let path = "/dir/index.html";
    let answer = offer.answer_with(credentials, "GET", path, Some(client_nonce));
    let answer = answer.unwrap();
    let challenge = challenges(&answer).remove(0);
    assert_eq!(challenge.parameters["username"], "Mufasa");
    assert_eq!(challenge.parameters["uri"], path);
    assert_eq!(challenge.parameters["nc"], "00000001");
    challenge.parameters["response"].clone()
}

/// G1: the example of RFC 2617, 3.5.
#[test]
fn g1_rfc_2617_is_answered() {
    let header = r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    assert_eq!(
        response(header, &mufasa("Circle Of Life"), "0a4f113b"),
        "6629fae49393a05397450978507c4ef1"
    );
}

/// G1: the examples of RFC 7616, 3.9.1; of two that are offered, the stronger one is answered, wherever it stands.
#[test]
fn g1_rfc_7616_is_answered_with_the_stronger_algorithm() {
    let of = |algorithm: &str| {
        format!(
            r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
        )
    };
    let client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let credentials = mufasa("Circle of Life");
    let sha = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
    let (first, second) = (of("MD5"), of("SHA-256"));
    for (header, wanted) in [
        (first.clone(), "8ca523f5e9506fed4657c9700eebdbec"),
        (second.clone(), sha),
        (format!("{first}, {second}"), sha),
        (format!("{second}, Basic realm=\"x\", {first}"), sha),
    ] {
        assert_eq!(
            response(&header, &credentials, client_nonce),
            wanted,
            "{header}"
        );
    }
}

/// G1: the example of RFC 7617, 2. A digest is preferred to it.
#[test]
fn g1_basic_is_answered_where_nothing_better_is_offered() {
    let aladdin = Credentials::new(
        "Aladdin".to_owned(),
        Zeroizing::new("open sesame".to_owned()),
    );
    let mut offer = Offer::best([r#"Basic realm="WallyWorld""#].into_iter()).unwrap();
    let answer = offer.answer(&aladdin, "GET", "/").unwrap();
    assert_eq!(*answer, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let both = ["Basic realm=\"a\"", "Digest realm=\"a\", nonce=\"b\""];
    assert!(matches!(
        Offer::best(both.into_iter()),
        Some(Offer::Digest(_))
    ));
}

/// A second answer to the same nonce is counted.
#[test]
fn g1_answers_to_a_nonce_are_counted() {
    let mut offer =
        Offer::best([r#"Digest realm="a", nonce="b", qop="auth""#].into_iter()).unwrap();
    for nc in ["00000001", "00000002"] {
        let answer = offer.answer(&mufasa("x"), "GET", "/").unwrap();
        assert_eq!(challenges(&answer)[0].parameters["nc"], nc);
    }
}

/// What cannot be answered is not: other schemes, unknown algorithms, protection of the body, missing or broken parts.
#[test]
fn g1_what_cannot_be_answered_is_not() {
    for header in [
        "",
        "Negotiate",
        "Negotiate YIIJvgYGKwYBBQUCoIIJsjCCCa6gJDAi==",
        "Digest",
        "realm=\"a\", nonce=\"b\"",
        "Digest realm=\"a\"",
        "Digest nonce=\"b\"",
        "Digest realm=\"a\", nonce=\"b",
        "Digest realm=\"a\", nonce=\"b\", algorithm=TOKEN",
        "Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"",
    ] {
        assert_eq!(Offer::best([header].into_iter()), None, "{header}");
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

proptest! {
    /// Whatever a server says, it is read without a panic, and an answer can be computed or not.
    #[test]
    fn g1_any_header_is_read(text in "(Digest|Basic|[ -~])*[ -~\\t]{0,80}", more in "\\PC{0,40}") {
        for header in [text.as_str(), more.as_str()] {
            if let Some(mut offer) = Offer::best([header].into_iter()) {
                drop(offer.answer(&mufasa("x"), "GET", "/"));
            }
        }
    }

    /// Values are read as they were quoted, whatever is in them, and each challenge has its own.
    #[test]
    fn g1_quoted_values_come_back(realm in "[ -~]{0,30}", nonce in "[ -~]{1,30}", spaces in " {1,3}") {
        let header = format!(
            "Basic realm={},{spaces}Digest{spaces}realm={} ,nonce = {}{spaces},stale=TRUE",
            quote("other"), quote(&realm), quote(&nonce)
        );
        let read = challenges(&header);
        prop_assert_eq!(read.len(), 2);
        prop_assert_eq!(&read[0].parameters["realm"], "other");
        prop_assert_eq!(&read[1].parameters["realm"], &realm);
        prop_assert_eq!(&read[1].parameters["nonce"], &nonce);
        prop_assert!(Offer::best([header.as_str()].into_iter()).unwrap().is_stale());
    }
}
