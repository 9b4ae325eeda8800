//! The configuration of a station: its typed values, its loader and its checks.
//!
//! [`load`] is the one way to a [`Station`], and [`load_adapters`] to [`Adapters`] in a process of their own. The first reads two files, `station.toml` (what is where) and
//! `policy.toml` (what the rules are), or their shipped texts, and either gives a station whose every
//! value has been checked, or all that is wrong with file, line, column and what to write instead.
//! [`profile::DispenserProfile::load`] is the one way to the register map of a dispenser.
//! This crate must never open a socket, read a clock or the environment, or read the files that the
//! configuration names: whoever uses a key or a certificate opens it.
#![warn(missing_docs)]

mod adapted;
mod adapters;
mod error;
mod hours;
mod policy;
pub mod profile;
mod reader;
mod station;
mod unit;

use std::path::Path;

pub use adapted::Adapted;
pub use adapters::{Adapters, AdaptersBroker, AdaptersTls, BrokerPromise};
pub use error::{ConfigErrors, Place, Problem};
pub use hours::{Hours, HoursError};
pub use policy::{
    Application, Custody, DevicePolicy, Eligibility, OperatorPolicy, Payment, Pickup, Policy,
};
pub use station::application::{Accepting, FontFile, Words};
pub use station::broker::{
    Broker, BrokerLimits, BrokerUrl, EmbeddedBroker, ExternalBroker, TlsListener,
};
pub use station::camera::{CameraLogin, CameraName, CameraUrl, OnvifCamera};
pub use station::centre::{BlobPlace, Centre, CentreStore};
pub use station::device::{Kiosk, Machine, SamId, SamVReader};
pub use station::dispenser::{DispenserAddress, ModbusDispenser, Parity, SerialSettings};
pub use station::face_matcher::FaceMatcher;
pub use station::installed::{DevicePlace, Installed};
pub use station::line::LineAddress;
pub use station::log::{AUDIT_DAYS_MIN, LogRules};
pub use station::operator::{Operator, PinHash};
pub use station::pull::{Pull, PullLimits, PullTls};
pub use station::scanner::{FingerQuality, MatcherUrl, ScannerLight, ScannerPassword, ZfmScanner};
pub use station::window::Window;
pub use station::{Clock, ClockTrustRule, Demo, Http, Pipeline, Province, Station, Storage};

/// The shipped `station.toml`: a station that runs on one machine with nothing attached.
pub const DEFAULT_STATION: &str = include_str!("../station.toml");
/// The shipped `policy.toml`.
pub const DEFAULT_POLICY: &str = include_str!("../policy.toml");
/// How problems name the shipped station file.
pub const DEFAULT_STATION_NAME: &str = "edge-config/station.toml";
/// How problems name the shipped policy file.
pub const DEFAULT_POLICY_NAME: &str = "edge-config/policy.toml";

/// Reads and checks the configuration. `None` stands for the shipped file, which is part of the
/// program, so that it starts from any folder.
///
/// # Errors
/// All problems of both files; a file that cannot be read is a problem too.
pub fn load(station: Option<&Path>, policy: Option<&Path>) -> Result<Station, ConfigErrors> {
    let station = source(station, DEFAULT_STATION, DEFAULT_STATION_NAME);
    let policy = source(policy, DEFAULT_POLICY, DEFAULT_POLICY_NAME);
    let policy = policy.and_then(|(text, name)| parse_policy(&text, &name));
    match (station, policy) {
        (Ok((text, name)), Ok(policy)) => parse_station(&text, &name, policy),
        (Ok((text, name)), Err(policy)) => {
            Err(match parse_station(&text, &name, Policy::default()) {
                Ok(_) => policy,
                Err(station) => station.and(policy),
            })
        }
        (Err(station), Ok(_)) => Err(station),
        (Err(station), Err(policy)) => Err(station.and(policy)),
    }
}

/// Reads the text of a station file; `file` is how problems name it.
///
/// # Errors
/// All problems of the text.
pub fn parse_station(text: &str, file: &str, policy: Policy) -> Result<Station, ConfigErrors> {
    reader::read(text, file, |root| station::read(root, policy))
}

/// Reads the text of a policy file; `file` is how problems name it. What it leaves out has the
/// shipped value.
///
/// # Errors
/// All problems of the text.
pub fn parse_policy(text: &str, file: &str) -> Result<Policy, ConfigErrors> {
    reader::read(text, file, |root| Some(policy::read(root)))
}

/// Reads and checks the configuration of adapters in a process of their own.
///
/// # Errors
/// All problems of the file; that it cannot be read is one too.
pub fn load_adapters(file: &Path) -> Result<Adapters, ConfigErrors> {
    let (text, name) = source(Some(file), "", "")?;
    parse_adapters(&text, &name)
}

/// Reads the text of an adapters' file; `file` is how problems name it.
///
/// # Errors
/// All problems of the text.
pub fn parse_adapters(text: &str, file: &str) -> Result<Adapters, ConfigErrors> {
    reader::read(text, file, adapters::read)
}

fn source(
    path: Option<&Path>,
    shipped: &str,
    shipped_name: &str,
) -> Result<(String, String), ConfigErrors> {
    let Some(path) = path else {
        return Ok((shipped.to_owned(), shipped_name.to_owned()));
    };
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((text, name)),
        Err(error) => Err(ConfigErrors::unreadable(name, &error)),
    }
}
