//! The camera's ONVIF services: what a request asks, whether its token is good, and the replies, which are templates.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oxvif::soap::XmlNode;

use super::clock::{is_near, seconds_of};

/// Nonces of tokens that are remembered.
const NONCES_MAX: usize = 256;
const PASSWORD_DIGEST: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";

/// A request, as far as it matters here.
#[derive(Debug)]
pub(super) struct Request {
    /// `GetProfiles` …
    pub(super) operation: String,
    /// The profile that it names.
    profile: Option<String>,
    token: Option<Token>,
}

/// A WS-UsernameToken.
#[derive(Debug)]
struct Token {
    user: String,
    digest: String,
    is_digest: bool,
    nonce: String,
    created: String,
}

impl Request {
    /// Reads an envelope. `None`: it is none.
    pub(super) fn read(xml: &str) -> Option<Self> {
        let envelope = XmlNode::parse(xml).ok()?;
        let operation = envelope.child("Body")?.children.first()?;
        let profile = operation.child("ProfileToken");
        Some(Self {
            operation: operation.local_name.clone(),
            profile: profile.map(|profile| profile.text().to_owned()),
            token: envelope
                .path(&["Header", "Security", "UsernameToken"])
                .and_then(Token::read),
        })
    }
}

impl Token {
    fn read(node: &XmlNode) -> Option<Self> {
        let text = |name: &str| node.child(name).map(|child| child.text().to_owned());
        let password = node.child("Password")?;
        Some(Self {
            user: text("Username")?,
            digest: password.text().to_owned(),
            is_digest: password.attr("Type") == Some(PASSWORD_DIGEST),
            nonce: text("Nonce")?,
            created: text("Created")?,
        })
    }

    fn is_right(&self, user: &str, password: &str) -> bool {
        let Ok(nonce) = STANDARD.decode(&self.nonce) else {
            return false;
        };
        self.is_digest
            && self.user == user
            && self.digest == password_digest(&nonce, &self.created, password)
    }
}

/// WS-Security UsernameToken Profile 1.0: Base64(SHA-1(nonce, created, password)).
fn password_digest(nonce: &[u8], created: &str, password: &str) -> String {
    let mut hash = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for part in [nonce, created.as_bytes(), password.as_bytes()] {
        hash.update(part);
    }
    STANDARD.encode(hash.finish())
}

/// Whom the camera knows, and its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Knows<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    pub(super) camera_ms: u64,
}

/// The nonces of tokens that were taken: a token is good once.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeSet<String>);

impl Tokens {
    /// Whether the request may be answered. The time is told to everybody.
    pub(super) fn admit(&mut self, request: &Request, knows: Knows<'_>) -> bool {
        if request.operation == "GetSystemDateAndTime" {
            return true;
        }
        let Some(token) = &request.token else {
            return false;
        };
        let good = token.is_right(knows.user, knows.password)
            && is_near(&token.created, knows.camera_ms)
            && !self.0.contains(&token.nonce);
        if good {
            while self.0.len() >= NONCES_MAX {
                self.0.pop_first();
            }
            self.0.insert(token.nonce.clone());
        }
        good
    }
}

/// What a reply says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Says<'a> {
    /// `host:port` in its URIs.
    pub(super) host: &'a str,
    pub(super) camera_ms: u64,
    pub(super) has_profile: bool,
}

/// The token of the one profile.
const PROFILE: &str = "profile-1";

/// The reply to a request, or the fault of it: code, subcode, reason.
pub(super) fn reply(request: &Request, says: Says<'_>) -> Result<String, [&'static str; 3]> {
    let host = says.host;
    let body = match request.operation.as_str() {
        "GetSystemDateAndTime" => time(says.camera_ms),
        "GetCapabilities" => format!(
            "<tds:GetCapabilitiesResponse><tds:Capabilities>\
             <tt:Device><tt:XAddr>http://{host}/onvif/device_service</tt:XAddr></tt:Device>\
             <tt:Media><tt:XAddr>http://{host}/onvif/media_service</tt:XAddr></tt:Media>\
             </tds:Capabilities></tds:GetCapabilitiesResponse>"
        ),
        "GetServices" => services(host),
        "GetDeviceInformation" => format!(
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>simulated</tds:Manufacturer>\
             <tds:Model>drawing camera</tds:Model><tds:FirmwareVersion>{}</tds:FirmwareVersion>\
             <tds:SerialNumber>1</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>\
             </tds:GetDeviceInformationResponse>",
            env!("CARGO_PKG_VERSION")
        ),
        "GetProfiles" if !says.has_profile => "<trt:GetProfilesResponse/>".to_owned(),
        "GetProfiles" => format!(
            "<trt:GetProfilesResponse><trt:Profiles token=\"{PROFILE}\" fixed=\"true\">\
             <tt:Name>main</tt:Name></trt:Profiles></trt:GetProfilesResponse>"
        ),
        "GetSnapshotUri" if says.has_profile && request.profile.as_deref() == Some(PROFILE) => {
            format!(
                "<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>http://{host}/snapshot.jpg?profile={PROFILE}</tt:Uri>\
                 <tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>\
                 <tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>\
                 <tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetSnapshotUriResponse>"
            )
        }
        "GetSnapshotUri" => {
            return Err(["env:Sender", "ter:NoProfile", "there is no such profile"]);
        }
        _ => {
            return Err([
                "env:Receiver",
                "ter:ActionNotSupported",
                "this camera cannot do that",
            ]);
        }
    };
    Ok(envelope(&body))
}

fn services(host: &str) -> String {
    let service = |space: &str, path: &str| {
        format!(
            "<tds:Service><tds:Namespace>http://www.onvif.org/ver10/{space}/wsdl</tds:Namespace>\
             <tds:XAddr>http://{host}/onvif/{path}</tds:XAddr>\
             <tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        )
    };
    format!(
        "<tds:GetServicesResponse>{}{}</tds:GetServicesResponse>",
        service("device", "device_service"),
        service("media", "media_service")
    )
}

/// The time in parts, without leading zeros.
fn time(camera_ms: u64) -> String {
    let text = seconds_of(camera_ms);
    let mut parts = text
        .split(['-', 'T', ':'])
        .map(|part| part.trim_start_matches('0'))
        .map(|part| if part.is_empty() { "0" } else { part });
    let mut part = || parts.next().unwrap_or("0");
    let (year, month, day) = (part(), part(), part());
    let (hour, minute, second) = (part(), part(), part());
    format!(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>\
         <tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>\
         <tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone><tt:UTCDateTime>\
         <tt:Time><tt:Hour>{hour}</tt:Hour><tt:Minute>{minute}</tt:Minute><tt:Second>{second}</tt:Second></tt:Time>\
         <tt:Date><tt:Year>{year}</tt:Year><tt:Month>{month}</tt:Month><tt:Day>{day}</tt:Day></tt:Date>\
         </tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )
}

/// A fault.
pub(super) fn fault([code, subcode, reason]: [&str; 3]) -> String {
    envelope(&format!(
        "<env:Fault><env:Code><env:Value>{code}</env:Value>\
         <env:Subcode><env:Value>{subcode}</env:Value></env:Subcode></env:Code>\
         <env:Reason><env:Text xml:lang=\"en\">{reason}</env:Text></env:Reason></env:Fault>"
    ))
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" \
         xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
         xmlns:ter=\"http://www.onvif.org/ver10/error\">\
         <env:Body>{body}</env:Body></env:Envelope>"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G1: the example of the ONVIF programmer's guide, and one of our own.
    #[test]
    fn g1_password_digests_are_those_of_the_specification() {
        for (nonce, created, password, wanted) in [
            (
                "LKqI6G/AikKCQrN0zqZFlg==",
                "2010-09-16T07:50:45Z",
                "userpassword",
                "tuOSpGlFlIXsozq4HFNeeGeFLEI=",
            ),
            (
                "AAECAwQFBgcICQoLDA0ODw==",
                "2026-01-01T00:00:00Z",
                "admin123",
                "g/7Z4GBTt7JNQJO3Ua3hOFowabE=",
            ),
        ] {
            let nonce = STANDARD.decode(nonce).unwrap();
            assert_eq!(password_digest(&nonce, created, password), wanted);
        }
    }

    /// The clock in parts is the clock.
    #[test]
    fn g1_the_time_is_told_in_parts() {
        let told = time(1_798_761_605_000); // 2027-01-01T00:00:05Z
        for part in [
            "<tt:Hour>0<",
            "<tt:Second>5<",
            "<tt:Year>2027<",
            "<tt:Month>1<",
            "<tt:Day>1<",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
