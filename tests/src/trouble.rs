//! What can befall the devices of a station and their lines, drawn at random.

use std::net::SocketAddr;

use crate::Random;
use crate::config::Layout;
use crate::line::{Break, Line, Lines};

/// The faults of the simulated devices, as their control interface names them.
const FAULTS: [&str; 50] = [
    "jam",
    "door-open",
    "tamper",
    "slow?factor=20",
    "done-but-stayed",
    "failed-but-moved",
    "frozen",
    "line/silent",
    "line/drop-after-write",
    "reader/inner/no-card",
    "reader/inner/unreadable",
    "reader/inner/wrong-chip",
    "reader/inner/slow",
    "reader/inner/half-frame",
    "reader/inner/disconnect",
    "reader/inner/bad-checksum",
    "reader/intake/no-card",
    "reader/intake/unreadable",
    "reader/intake/wrong-chip",
    "reader/intake/slow",
    "reader/intake/half-frame",
    "reader/intake/disconnect",
    "reader/intake/bad-checksum",
    "scanner/no-finger",
    "scanner/busy",
    "scanner/messy",
    "scanner/few-points",
    "scanner/smeared",
    "scanner/half-packet",
    "scanner/disconnect",
    "scanner/bad-sum",
    "scanner/slow",
    "scanner/wrong-password",
    "matcher/error",
    "matcher/wrong-answer",
    "matcher/slow",
    "matcher/image-poor",
    "matcher/template-unreadable",
    "camera/clock-apart",
    "camera/wrong-password",
    "camera/translated",
    "camera/no-profile",
    "camera/soap-fault",
    "camera/not-a-picture",
    "camera/half-picture",
    "camera/cut",
    "camera/endless",
    "camera/slow",
    "camera/same-picture",
    "camera/unavailable",
];

/// Lines of the policy that let nobody wait long for what a fault keeps from coming. A device that goes often is believed again soon:
/// whatever befalls it here befalls it on purpose.
pub const IMPATIENT_POLICY: [(&str, &str); 5] = [
    ("hold_s = 30", "hold_s = 5"),
    ("\nstep_timeout_s = 60", "\nstep_timeout_s = 6"),
    ("\ncommand_timeout_s = 20", "\ncommand_timeout_s = 6"),
    ("\nmotion_timeout_s = 20", "\nmotion_timeout_s = 4"),
    ("\nquiet_s = 120", "\nquiet_s = 1"),
];
/// The same for the sections of the adapters: no simulated device takes nearly as long.
pub const IMPATIENT_ADAPTERS: [(&str, &str); 6] = [
    ("\nconnect_timeout_ms = 2000", "\nconnect_timeout_ms = 500"),
    ("\nrequest_timeout_ms = 1000", "\nrequest_timeout_ms = 500"),
    ("\nrequest_timeout_ms = 5000", "\nrequest_timeout_ms = 1500"),
    ("\nread_timeout_ms = 5000", "\nread_timeout_ms = 1500"),
    ("\nupload_timeout_ms = 15000", "\nupload_timeout_ms = 3000"),
    ("\nmatcher_timeout_ms = 5000", "\nmatcher_timeout_ms = 1500"),
];
/// A camera that has refused the password is asked again after a minute, or at the next start of its adapter.
pub const LOCKED_OUT: Trouble = Trouble::Fault("camera/wrong-password");

/// Who is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Gateway,
    Adapters,
    /// The device at the far end of the line.
    Device,
}

/// What befalls a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A device fails in one of its own ways.
    Fault(&'static str),
    /// A line breaks after so many bytes.
    Broken { line: usize, after: u64, how: Break },
    /// A line stalls after so many bytes, and then somebody is restarted.
    Restarted { line: usize, after: u64, who: Who },
    /// The kiosk's connection is cut after so many bytes, counted from its own.
    KioskCut { after: u64 },
}

impl Trouble {
    /// One of all kinds, each device's line as often as another's.
    pub fn draw(random: &mut Random) -> Self {
        let line = random.below(LINES.len() as u64) as usize;
        // Short frames are met as often as the middle of a picture.
        let magnitude = 4 + random.below(13);
        let after = random.below(1 << magnitude);
        match random.below(8) {
            0 | 1 => Self::Fault(FAULTS[random.below(FAULTS.len() as u64) as usize]),
            2..=4 => {
                let how = [Break::Cut, Break::HalfClosed, Break::Stalled];
                let how = how[random.below(3) as usize];
                Self::Broken { line, after, how }
            }
            5 | 6 => {
                let who = [Who::Gateway, Who::Adapters, Who::Device];
                let who = who[random.below(3) as usize];
                Self::Restarted { line, after, who }
            }
            _ => Self::KioskCut {
                after: random.below(600),
            },
        }
    }
}

/// What the lines lead to: the device's power switch, where it has one. The last one leads from the adapters to the broker.
pub const LINES: [Option<&str>; 7] = [
    Some("dispenser-1"),
    Some("reader-1"),
    Some("reader-2"),
    Some("scanner-1"),
    Some("matcher-1"),
    Some("camera-1"),
    None,
];

/// The lines between the adapters and all they speak with, and the kiosk's.
#[derive(Debug)]
pub struct Ways {
    pub lines: Vec<Line>,
    pub kiosk: Line,
    _runtime: Lines,
}

impl Ways {
    /// To where the layout says. The second layout is that of the near ends, for the adapters.
    pub fn open(far: &Layout) -> (Self, Layout) {
        let runtime = Lines::new();
        let mut near = far.clone();
        let mut lines = Vec::new();
        let mut lead = |to: &mut SocketAddr| {
            let line = runtime.open(*to);
            *to = line.address;
            lines.push(line);
        };
        lead(&mut near.modbus);
        lead(&mut near.reader);
        lead(&mut near.intake_reader);
        lead(&mut near.scanner);
        lead(&mut near.matcher);
        lead(&mut near.camera);
        lead(&mut near.mqtt);
        let kiosk = runtime.open(far.mqtt);
        let ways = Self {
            lines,
            kiosk,
            _runtime: runtime,
        };
        (ways, near)
    }

    /// Nothing breaks any more.
    pub fn mend(&self) {
        self.lines.iter().for_each(Line::mend);
        self.kiosk.mend();
    }
}
