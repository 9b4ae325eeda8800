//! G1: the register map of a dispenser is a file: the shipped one is in order, and a wrong one is refused with the line at fault.

use edge_config::profile::{
    DEFAULT_DISPENSER_PROFILE, DispenserProfile, MachineState, Operation, WordOrder,
};

const OTHER: &str = include_str!("../../../simulator/tests/profiles/other-maker-3.toml");

/// What is replaced once, by what, and the words that name it.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "heartbeat = 3\n",
        "",
        "inputs.heartbeat: is missing; write for example heartbeat = 0",
    ),
    (
        "firmware = 2\n",
        "firmware = 3\n",
        "inputs.heartbeat: 3 belongs to firmware already; write another number",
    ),
    // The second word of a two-word value has an address too.
    (
        "ack_column = 23",
        "ack_column = 20",
        "inputs.ack_column: 20 belongs to dispensed_total already; write another number",
    ),
    (
        "sensors = 26",
        "sensors = 126",
        "inputs.sensors: the status block is 127 words, from 0 to 126, and one request reads 125",
    ),
    (
        "bitmap = 32",
        "bitmap = 25",
        "inputs.bitmap: begins within the status block, 0 to 26; write an address outside it",
    ),
    (
        "bitmap = 32",
        "bitmap = 65500",
        "inputs.bitmap: 2000 slots are 125 words, and behind 65500 there is no room for them",
    ),
    (
        "hold_s = 4",
        "hold_s = 40",
        "holdings.sequence: the command block is written by one request, and its 6 registers do not lie side by side",
    ),
    (
        "timeout_s = 7",
        "timeout_s = 70",
        "holdings.heartbeat: heartbeat and timeout_s is written by one request",
    ),
    (
        "jam = 6",
        "jam = 16",
        "sensors.jam: 16 is not within 0 to 15",
    ),
    (
        "tamper = 2",
        "tamper = 1",
        "sensors.tamper: 1 belongs to door_open already",
    ),
    (
        "load = 2",
        "load = 1",
        "commands.load: 1 is the code of home already; write another code",
    ),
    ("load = 2", "laod = 2", "commands.load: is missing"),
    ("load = 2", "load = 2\nlaod = 2", "commands.laod: "),
    (
        "order = \"high-first\"",
        "order = \"middle\"",
        "words.order: \"middle\" is none of",
    ),
    (
        "slots = 2000",
        "slots = 2001",
        "limits.slots: 2001 is not within 1 to 2000",
    ),
    (
        "no_slot = 0xFFFF",
        "no_slot = 3",
        "constants.no_slot: is the number of a slot",
    ),
    (
        "name = \"dispenser\"",
        "name = \"my dispenser\"",
        "profile.name: is not 1 to 32 letters, digits or hyphens",
    ),
    (
        "version = 1\n",
        "version = 0\n",
        "profile.version: 0 is not within 1 to 65535",
    ),
    (
        "code = 0xE002",
        "code = 0xE001",
        "error.code: initFailed has this code already",
    ),
    (
        "code = 0xE528",
        "code = 0xE50D",
        "error.code: accessoryFailed has this code already",
    ),
    (
        "last = 0xE50F",
        "last = 0xE50A",
        "error.last: is not above code = 0xE50B",
    ),
    (
        "name = \"busy\"",
        "name = \"is busy\"",
        "error.name: is not 1 to 27 letters or digits",
    ),
    (
        "advice = \"Close the door.\"",
        "advice = \"\"",
        "error.advice: is not one line of 1 to 160 characters",
    ),
    (
        "busy = 0xE510",
        "busy = 0xE511",
        "refusals.busy: 0xE511 has no name; write an [[error]] with code = 0xE511",
    ),
    (
        "exception = 0xE600",
        "exception = 0xE601",
        "refusals.exception: has an exception in its last two digits",
    ),
    (
        "[hopper]",
        "[hoper]",
        "hopper: the section is missing; write [hopper]",
    ),
];

/// G1: one wrong line each, and the words that name it.
#[test]
fn g1_a_wrong_profile_is_refused_with_the_line_at_fault() {
    for &(from, to, said) in WRONG {
        assert!(DEFAULT_DISPENSER_PROFILE.contains(from), "{from}");
        let text = DEFAULT_DISPENSER_PROFILE.replacen(from, to, 1);
        let errors = DispenserProfile::parse(&text, "p.toml")
            .unwrap_err()
            .to_string();
        let line = errors.lines().find(|line| line.contains(said));
        let line = line.unwrap_or_else(|| unreachable!("{to}: wanted {said}: {errors}"));
        let place = line.split(": ").next().unwrap();
        let numbers: Vec<&str> = place.split(':').collect();
        assert!(
            matches!(numbers.as_slice(), ["p.toml", line, _] if line.parse::<u32>().is_ok()),
            "{line}"
        );
    }
}

/// G1: the line is that of the fault, and every fault is named.
#[test]
fn g1_all_faults_are_named_each_at_its_line() {
    let text = DEFAULT_DISPENSER_PROFILE
        .replacen("heartbeat = 3\n", "heartbeat = 4\n", 1)
        .replacen("car = 2", "car = 1", 1);
    let line_of = |wanted: &str| 1 + text.lines().position(|line| line == wanted).unwrap();
    let errors = DispenserProfile::parse(&text, "p.toml").unwrap_err();
    let lines: Vec<usize> = errors
        .problems()
        .iter()
        .filter_map(|problem| problem.place.map(|place| place.line))
        .collect();
    assert_eq!(lines, [line_of("state = 4"), line_of("car = 1")]);
}

/// G1: a file that is not there is named.
#[test]
fn g1_a_profile_that_is_not_there_is_named() {
    let path = std::path::Path::new("/nowhere/profile.toml");
    let said = DispenserProfile::load(Some(path)).unwrap_err().to_string();
    assert!(
        said.starts_with("/nowhere/profile.toml: cannot be read"),
        "{said}"
    );
}

/// G1: profiles that have nothing in common but their meaning are both read.
#[test]
fn g1_profiles_are_read() {
    let shipped = DispenserProfile::load(None).unwrap();
    assert_eq!(shipped.to_string(), "dispenser 1");
    assert_eq!((shipped.status().first, shipped.status().len), (0, 27));
    assert_eq!(
        shipped.commands.meaning(13),
        Some(Operation::OutletToReader)
    );
    let other = DispenserProfile::parse(OTHER, "other").unwrap();
    assert_eq!(other.to_string(), "other-maker 3");
    assert_eq!((other.status().first, other.status().len), (1014, 27));
    assert_eq!(
        (other.command_block().first, other.host_block().first),
        (200, 310)
    );
    assert_eq!(other.states.meaning(68), Some(MachineState::Idle));
    assert_eq!(other.word_order, WordOrder::LowFirst);
    for value in [0, 1, 0x0001_0002, u32::MAX] {
        for order in [WordOrder::HighFirst, WordOrder::LowFirst] {
            let [first, second] = order.split(value);
            assert_eq!(order.join(first, second), value);
        }
    }
}

/// G1: every code that machines' controllers are known to give has a name and a line of advice; others are said to be unknown.
#[test]
fn g1_every_known_error_has_a_name_and_advice() {
    let profile = DispenserProfile::load(None).unwrap();
    let known = [
        0xE001, 0xE002, 0xE003, 0xE100, 0xE200, 0xE300, 0xE302, 0xE303, 0xE400, 0xF100, 0xF200,
        0xF300, 0xF400, 0xF500,
    ];
    let ranges = (0xE501..=0xE50F)
        .chain([0xE510])
        .chain(0xED00..=0xEFFF)
        .chain(0xE600..=0xE6FF);
    for code in known.into_iter().chain(ranges) {
        let error = profile.error(code);
        assert!(
            error.is_some_and(|e| e.has(code) && e.advice.ends_with('.')),
            "{code:04X}"
        );
        let label = profile.label(code);
        assert!(
            schemas::message::device::Code::new(&label).is_ok(),
            "{label}"
        );
    }
    assert_eq!(profile.label(0xE508), "E508-cardBetweenTransportAndSlot");
    assert_eq!(profile.label(0x1234), "1234-unknown");
}
