//! Where a camera's URIs lead to. A camera behind address translation names a host that nobody else can reach, and whatever host it
//! names is not trusted with the password.

use url::Url;

/// The URI `named` by a camera, at the address that the station has for it: path and query are the camera's; host and port are
/// `known`'s, unless the camera names the same host, and then another port of it is its own to name. `None`: it is no URI of HTTP.
pub fn reached_at(known: &Url, named: &str) -> Option<Url> {
    let named = known.join(named.trim()).ok()?;
    if !matches!(named.scheme(), "http" | "https") {
        return None;
    }
    let mut at = known.clone();
    at.set_path(named.path());
    at.set_query(named.query());
    at.set_fragment(None);
    if named.host() == known.host() && named.scheme() == known.scheme() {
        at.set_port(named.port()).ok()?;
    }
    Some(at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G1: a camera behind address translation is reached where the station knows it; a password goes to no other host.
    #[test]
    fn g1_uris_lead_to_the_configured_host() {
        let known = Url::parse("http://10.1.0.7:8081/onvif/device_service").unwrap();
        for (named, reached) in [
            (
                "http://10.1.0.7:8081/snap.jpg",
                "http://10.1.0.7:8081/snap.jpg",
            ),
            (
                "http://10.1.0.7:9000/snap.jpg",
                "http://10.1.0.7:9000/snap.jpg",
            ),
            ("http://10.1.0.7/snap.jpg", "http://10.1.0.7/snap.jpg"),
            (
                "http://192.168.0.2/snap.jpg?c=1&q=%20",
                "http://10.1.0.7:8081/snap.jpg?c=1&q=%20",
            ),
            (
                "http://192.168.0.2:99/snap#part",
                "http://10.1.0.7:8081/snap",
            ),
            ("http://u:p@evil.example/s", "http://10.1.0.7:8081/s"),
            ("http://u:p@10.1.0.7:8081/s", "http://10.1.0.7:8081/s"),
            ("https://10.1.0.7/s", "http://10.1.0.7:8081/s"),
            ("/snap.jpg", "http://10.1.0.7:8081/snap.jpg"),
            (" http://0.0.0.0/s ", "http://10.1.0.7:8081/s"),
        ] {
            assert_eq!(
                reached_at(&known, named).unwrap().as_str(),
                reached,
                "{named}"
            );
        }
        for named in ["rtsp://10.1.0.7/live", "file:///etc/shadow", "http://[::1/"] {
            assert_eq!(reached_at(&known, named), None, "{named}");
        }
    }
}
