//! What a connection string says, as far as this crate has to know it: the nodes, how the connection is protected, and how long the
//! client looks for a node.

use std::str::FromStr;

use crate::probe::{Place, Tls};

/// The store's usual port.
const PORT: u16 = 2_113;
/// Of the client's own: it waits half a second between looks and looks ten times; what tries again here waits longer each time.
const DEFAULTS: [(&str, &str); 2] = [("discoveryInterval", "20"), ("maxDiscoverAttempts", "3")];

/// A connection string that says nothing usable. It is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a connection string: write esdb://host:2113?tls=false, esdb://user:password@host:2113?tls=true, or esdb://a:2113,b:2113,c:2113 for a cluster"
)]
pub struct ConnectionError;

/// The parts of `scheme://[user[:password]@]host[:port][,host[:port]…][/][?name=value&…]`.
pub(crate) struct ConnectionString {
    pub(crate) place: Place,
    /// For the client, with the defaults of this crate.
    pub(crate) own: String,
}

impl FromStr for ConnectionString {
    type Err = ConnectionError;

    fn from_str(text: &str) -> Result<Self, ConnectionError> {
        let (_, rest) = text.split_once("://").ok_or(ConnectionError)?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = before.strip_suffix('/').unwrap_or(before);
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, it)| it);
        let nodes = hosts.split(',').map(node).collect::<Result<_, _>>()?;
        let value = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.into_owned())
        };
        let tls = match (value("tls").as_deref(), value("tlsCaFile")) {
            (Some("false"), _) => Tls::None,
            (_, Some(file)) => Tls::Roots(file.into()),
            (_, None) => Tls::System,
        };
        let mut own = text.to_owned();
        for (name, default) in DEFAULTS {
            if value(name).is_none() {
                let separator = if own.contains('?') { '&' } else { '?' };
                own = format!("{own}{separator}{name}={default}");
            }
        }
        let place = Place { nodes, tls };
        Ok(Self { place, own })
    }
}

/// `host`, `host:port`, `[IPv6]` or `[IPv6]:port`.
fn node(text: &str) -> Result<(String, u16), ConnectionError> {
    // A scheme without a default port, so that a port of 80 is not taken for none.
    let url = url::Url::parse(&format!("esdb://{text}")).map_err(|_may_quote| ConnectionError)?;
    let host = match url.host().ok_or(ConnectionError)? {
        url::Host::Domain(name) => name.to_owned(),
        url::Host::Ipv4(address) => address.to_string(),
        url::Host::Ipv6(address) => address.to_string(),
    };
    let is_whole = matches!(url.path(), "" | "/") && url.query().is_none();
    (is_whole && !host.is_empty())
        .then(|| (host, url.port().unwrap_or(PORT)))
        .ok_or(ConnectionError)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<(String, u16)>, Tls, String) {
        let parsed: Result<ConnectionString, _> = text.parse();
        let ConnectionString { place, own } = parsed.unwrap();
        (place.nodes, place.tls, own)
    }

    /// G4: one node, a cluster and a name that stands for one are understood, with the password left alone.
    #[test]
    fn nodes_and_protection_are_read() {
        let node = |host: &str, port| (host.to_owned(), port);
        let cluster = "esdb://station:p%40ss@a.example:2113,b.example,[::1]:2115?tls=true&tlsCaFile=/etc/ca.pem";
        let (nodes, tls, own) = parsed(cluster);
        assert_eq!(
            nodes,
            [
                node("a.example", 2_113),
                node("b.example", PORT),
                node("::1", 2_115)
            ]
        );
        assert_eq!(tls, Tls::Roots("/etc/ca.pem".into()));
        assert_eq!(
            own,
            format!("{cluster}&discoveryInterval=20&maxDiscoverAttempts=3")
        );
        let (nodes, tls, own) = parsed("esdb+discover://centre.example");
        assert_eq!(
            (nodes, tls),
            (vec![node("centre.example", PORT)], Tls::System)
        );
        assert_eq!(
            own,
            "esdb+discover://centre.example?discoveryInterval=20&maxDiscoverAttempts=3"
        );
        let (_, tls, own) = parsed("kurrentdb://h:80/?TLS=false&maxdiscoverattempts=9");
        assert_eq!(tls, Tls::None);
        assert!(own.ends_with("maxdiscoverattempts=9&discoveryInterval=20"));
    }

    /// G4: what is no address is refused, and the client takes what is not.
    #[test]
    fn what_says_nothing_is_refused() {
        for text in [
            "",
            "centre.example:2113",
            "esdb://",
            "esdb://a,,b",
            "esdb://a:99999",
            "esdb://a/b",
        ] {
            assert!(text.parse::<ConnectionString>().is_err(), "{text}");
        }
        for text in [
            "esdb://a.example:2113,b.example:2113?tls=true",
            "esdb://127.0.0.1:2113?tls=false",
            "esdb+discover://u:p@centre.example:2113",
        ] {
            assert!(crate::Kurrent::new(text).is_ok(), "{text}");
        }
    }
}
