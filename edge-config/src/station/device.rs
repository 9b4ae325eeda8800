//! Machines, kiosks, and devices that an adapter brings to MQTT.

use core::str::FromStr;

use schemas::event::application::ApplicationDevices;
use schemas::event::pickup::MachineDevices;
use schemas::ids::{DeviceId, MachineId};
use schemas::slot::{COLUMNS_MAX, SLOTS_PER_COLUMN_MAX};

use super::line::LineAddress;
use crate::reader::Section;

/// A pickup machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its id.
    pub id: MachineId,
    /// Columns of its store, 1 to [`COLUMNS_MAX`].
    pub columns: u16,
    /// Slots per column, 1 to [`SLOTS_PER_COLUMN_MAX`].
    pub slots_per_column: u16,
    /// Its devices; no device serves two machines.
    pub devices: MachineDevices,
}

/// A kiosk. Several may share one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kiosk {
    /// Its device id, also its MQTT client id.
    pub id: DeviceId,
    /// The machine its pickups use.
    pub machine: MachineId,
    /// Its peripherals: it may bring them to MQTT, and hears them.
    pub peripherals: Vec<DeviceId>,
    /// The devices of its applications; none: it takes none.
    pub application: Option<ApplicationDevices>,
}

/// An ID-card reader with a SAM_V module (GA 450).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamVReader {
    /// A reader of a machine.
    pub device: DeviceId,
    /// Where it is. With simulated devices: where the simulated one listens.
    pub address: LineAddress,
    /// Speed of the serial line, in bit/s; none: found out.
    pub baud: Option<u32>,
    /// The identity of its security module; none: whichever answers is used.
    pub sam_id: Option<SamId>,
    /// Pause between two looks for a card, in ms.
    pub poll_ms: u32,
    /// How long a connection attempt may take, in ms.
    pub connect_timeout_ms: u32,
    /// How long one short request may take, in ms.
    pub request_timeout_ms: u32,
    /// How long the reading of a card may take, in ms.
    pub read_timeout_ms: u32,
}

/// The identity of a reader's security module: five numbers. Padding is not looked at, programs differ in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamId {
    /// The two before the first hyphen.
    pub maker: [u16; 2],
    /// The three behind it.
    pub numbers: [u32; 3],
}

impl FromStr for SamId {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        fn number<T: FromStr>(digits: Option<&str>) -> Option<T> {
            let digits = digits.filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
            digits.parse().ok()
        }
        let read = || {
            let (maker, numbers) = text.split_once('-')?;
            let (mut maker, mut numbers) = (maker.split('.'), numbers.split('-'));
            let id = Self {
                maker: [number(maker.next())?, number(maker.next())?],
                numbers: [
                    number(numbers.next())?,
                    number(numbers.next())?,
                    number(numbers.next())?,
                ],
            };
            (maker.next().is_none() && numbers.next().is_none()).then_some(id)
        };
        read().ok_or("five numbers, the first two with a point and the others with hyphens between")
    }
}

/// Most peripherals of one kiosk.
const PERIPHERALS_MAX: usize = 16;

pub(crate) fn machine(s: &mut Section<'_>) -> Option<Machine> {
    let id = s.parsed("id", "\"machine-1\"");
    let columns = s.required_number("columns", 1..=i64::from(COLUMNS_MAX));
    let slots = s.required_number("slots_per_column", 1..=i64::from(SLOTS_PER_COLUMN_MAX));
    let dispenser = s.parsed("dispenser", "\"dispenser-1\"");
    let reader = s.parsed("reader", "\"reader-1\"");
    let intake_reader = s.parsed("intake_reader", "\"reader-2\"");
    let scanner = s.parsed("scanner", "\"scanner-1\"");
    let camera = s.parsed("camera", "\"camera-1\"");
    Some(Machine {
        id: id?,
        columns: columns?,
        slots_per_column: slots?,
        devices: MachineDevices {
            dispenser: dispenser?,
            reader: reader?,
            intake_reader: intake_reader?,
            scanner: scanner?,
            camera: camera?,
        },
    })
}

pub(crate) fn kiosk(s: &mut Section<'_>) -> Option<Kiosk> {
    let id = s.parsed("id", "\"kiosk-1\"");
    let machine = s.parsed("machine", "\"machine-1\"");
    let peripherals = s.ids("peripherals", "printer-1", PERIPHERALS_MAX);
    let application = s.section("application", super::application::devices);
    Some(Kiosk {
        id: id?,
        machine: machine?,
        peripherals,
        application: application.flatten(),
    })
}

/// Speeds that a SAM_V module has, in bit/s.
const BAUDS: [i64; 5] = [115_200, 57_600, 38_400, 19_200, 9_600];

pub(crate) fn sam_v_reader(s: &mut Section<'_>) -> Option<SamVReader> {
    let device = s.parsed("device", "\"reader-1\"");
    let address = s.parsed("address", "\"tcp://127.0.0.1:5021\"");
    let baud = s.optional_number("baud", 1..=i64::from(u32::MAX));
    if baud.is_some_and(|baud: u32| !BAUDS.contains(&baud.into())) {
        s.refuse(
            "baud",
            "is no speed of a SAM_V module; write 115200, 57600, 38400, 19200 or 9600",
        );
    }
    if baud.is_some() && matches!(address, Some(LineAddress::Tcp(_))) {
        s.refuse(
            "baud",
            "is set at the serial-over-TCP adapter; leave the line out",
        );
    }
    let sam_id = s.optional("sam_id", "\"05.03-20260101-0000000001-0000000001\"");
    let poll_ms = s.number("poll_ms", 50..=10_000, 300);
    let connect_timeout_ms = s.number("connect_timeout_ms", 100..=60_000, 2_000);
    let request_timeout_ms = s.number("request_timeout_ms", 100..=60_000, 1_000);
    let read_timeout_ms = s.number("read_timeout_ms", 1_000..=60_000, 5_000);
    Some(SamVReader {
        device: device?,
        address: address?,
        baud,
        sam_id,
        poll_ms,
        connect_timeout_ms,
        request_timeout_ms,
        read_timeout_ms,
    })
}
