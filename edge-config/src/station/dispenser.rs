//! Card dispensers that an adapter brings to MQTT: Modbus over TCP or over a serial line.

use core::str::FromStr;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemas::ids::DeviceId;

use super::check::one_of;
use super::device::Machine;
use crate::reader::{At, Section};

/// A dispenser that speaks Modbus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModbusDispenser {
    /// The dispenser of a machine.
    pub device: DeviceId,
    /// Where it is. With simulated devices: where the simulated one listens.
    pub address: DispenserAddress,
    /// How the serial line is set, where it is at one.
    pub serial: SerialSettings,
    /// The file of its register map; none: the shipped one.
    pub profile: Option<PathBuf>,
    /// Modbus unit id: 1 to 247 on serial lines; over Modbus TCP also 0 and 255, "not used".
    pub unit: u8,
    /// How often its registers are read, in ms.
    pub poll_ms: u32,
    /// How often they are read while a commanded motion is not over, in ms.
    pub watch_ms: u32,
    /// How long a connection attempt may take, in ms.
    pub connect_timeout_ms: u32,
    /// How long one Modbus request may take, in ms.
    pub request_timeout_ms: u32,
    /// How long a motion may take until the device is reported as failed, in ms.
    pub motion_timeout_ms: u32,
}

/// Where a dispenser is, and in what frames it speaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DispenserAddress {
    /// `tcp://address:port` or `address:port`: Modbus TCP.
    Tcp(SocketAddr),
    /// `rtu-over-tcp://address:port`: a serial line behind a serial-over-TCP adapter.
    RtuOverTcp(SocketAddr),
    /// The path of a serial line's device file: Modbus RTU.
    Serial(PathBuf),
}

impl FromStr for DispenserAddress {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with('/') {
            return Ok(Self::Serial(text.into()));
        }
        let (kind, rest): (fn(SocketAddr) -> Self, &str) = match (
            text.strip_prefix("tcp://"),
            text.strip_prefix("rtu-over-tcp://"),
        ) {
            (Some(rest), _) => (Self::Tcp, rest),
            (None, Some(rest)) => (Self::RtuOverTcp, rest),
            (None, None) => (Self::Tcp, text),
        };
        rest.parse().map(kind).map_err(|_no_address| {
            "neither tcp://address:port nor rtu-over-tcp://address:port, with an IP address, nor the whole path of a serial line"
        })
    }
}

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// How a serial line is set; 8 data bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerialSettings {
    /// Speed, in bit/s.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
}

impl SerialSettings {
    /// What Modbus asks every device to know: 19200 8E1 (Modbus over Serial Line 1.02, 2.5.1).
    pub const MODBUS: Self = Self {
        baud: 19_200,
        parity: Parity::Even,
        stop_bits: 1,
    };
}

const PARITIES: &[(&str, Parity)] = &[
    ("even", Parity::Even),
    ("none", Parity::None),
    ("odd", Parity::Odd),
];

/// Speeds of serial lines, in bit/s.
const BAUDS: [u32; 8] = [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200];

pub(crate) fn read(s: &mut Section<'_>) -> Option<ModbusDispenser> {
    let device = s.parsed("device", "\"dispenser-1\"");
    let address = s.parsed("address", "\"tcp://127.0.0.1:5020\"");
    let serial = serial(s, address.as_ref());
    let profile = s.path("profile");
    let unit: u8 = s.number("unit", 0..=255, 1);
    if (248..=254).contains(&unit) {
        s.refuse(
            "unit",
            format!("{unit} is reserved by Modbus; write 0 to 247, or 255"),
        );
    }
    let is_rtu = matches!(
        address,
        Some(DispenserAddress::RtuOverTcp(_) | DispenserAddress::Serial(_))
    );
    if is_rtu && (unit == 0 || unit == 255) {
        s.refuse(
            "unit",
            format!("{unit} is no unit of a serial line: nobody answers to it; write 1 to 247"),
        );
    }
    let poll_ms = s.number("poll_ms", 20..=10_000, 100);
    let watch_ms = s.number("watch_ms", 5..=1_000, 20);
    let connect_timeout_ms = s.number("connect_timeout_ms", 100..=60_000, 2_000);
    let request_timeout_ms = s.number("request_timeout_ms", 50..=60_000, 1_000);
    let motion_timeout_ms = s.number("motion_timeout_ms", 1_000..=300_000, 15_000);
    Some(ModbusDispenser {
        device: device?,
        address: address?,
        serial,
        profile,
        unit,
        poll_ms,
        watch_ms,
        connect_timeout_ms,
        request_timeout_ms,
        motion_timeout_ms,
    })
}

fn serial(s: &mut Section<'_>, address: Option<&DispenserAddress>) -> SerialSettings {
    let default = SerialSettings::MODBUS;
    let baud = s.number("baud", 1_200..=115_200, default.baud);
    if !BAUDS.contains(&baud) {
        s.refuse(
            "baud",
            "is no usual speed of a serial line; write 19200, 9600, 38400, 57600, 115200, 4800, 2400 or 1200",
        );
    }
    let parity = s.word("parity", PARITIES, default.parity);
    let stop_bits = s.number("stop_bits", 1..=2, default.stop_bits);
    if matches!(address, Some(DispenserAddress::Serial(_)) | None) {
        return SerialSettings {
            baud,
            parity,
            stop_bits,
        };
    }
    for key in ["baud", "parity", "stop_bits"] {
        if s.has(key) {
            s.refuse(
                key,
                "is of a serial line, and this address is none; set it at the adapter and leave the line out",
            );
        }
    }
    default
}

/// What holds between dispensers and machines.
pub(crate) fn check(
    root: &Section<'_>,
    machines: &[At<'_, Machine>],
    dispensers: &[At<'_, ModbusDispenser>],
    simulated: bool,
) {
    let known: BTreeSet<&str> = machines
        .iter()
        .map(|m| m.value.devices.dispenser.as_str())
        .collect();
    let (mut driven, mut places) = (BTreeSet::new(), BTreeSet::new());
    for dispenser in dispensers {
        let ModbusDispenser {
            device,
            address,
            unit,
            ..
        } = &dispenser.value;
        let named = device.as_str();
        let refuse = |key, what: String| {
            root.refuse_at(
                &dispenser.span(key),
                format!("modbus_dispenser.{key}: {what}"),
            );
        };
        if !known.contains(named) {
            let known = one_of(known.iter().copied());
            refuse(
                "device",
                format!("no machine has the dispenser {named}; write {known}"),
            );
        }
        if !driven.insert(named) {
            refuse(
                "device",
                format!("{named} is there twice; write each dispenser once"),
            );
        }
        // Behind a Modbus TCP address there may be several units. On a line of RTU frames there is one master, which each
        // adapter takes itself to be.
        let unit = matches!(address, DispenserAddress::Tcp(_)).then_some(unit);
        if !places.insert((address, unit)) {
            refuse(
                "address",
                "is that of another dispenser; write each address once".to_owned(),
            );
        }
        let is_here = |at: &SocketAddr| at.ip().is_loopback();
        let is_simulated = match address {
            DispenserAddress::Tcp(at) | DispenserAddress::RtuOverTcp(at) => is_here(at),
            DispenserAddress::Serial(_) => false,
        };
        if simulated && !is_simulated {
            refuse("address", "a simulated dispenser listens on loopback; write \"tcp://127.0.0.1:5020\", or simulated_devices = false under [demo]".to_owned());
        }
    }
}
