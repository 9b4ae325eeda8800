"""Cards are loaded, counted, presented and collected by a dispenser, two readers, a scanner and a camera of other people."""

import dataclasses
import json

from device import Message, valid
from dispenser import Dispenser
from kiosk import Kiosk
from mechanism import Mechanism, Slot
from others import Camera, Chip, Reader, Scanner
from station import Station, until

BATCH = "native-1"
MACHINE = "machine-1"
# Examples of GB 11643, nobody's.
NUMBERS = ("11010519491231002X", "440524188001010014", "34052419800101001X")


@dataclasses.dataclass(frozen=True)
class Card:
    at: int
    old_card_due: bool = False

    @property
    def serial(self) -> str:
        return f"4E41544956450{self.at:03}"

    @property
    def voucher(self) -> str:
        return f"11010500120261101{self.at:05}"

    @property
    def slot(self) -> Slot:
        return (self.at % 8, 249)

    def announced(self) -> Message:
        number = NUMBERS[self.at - 1]
        said: Message = {"serial": self.serial, "number": number, "name": "张三", "voucher": self.voucher, "residence": "local"}
        return said | ({"old_card_due": True} if self.old_card_due else {})

    def chip(self) -> Chip:
        return Chip(self.serial, NUMBERS[self.at - 1])


FIRST, SECOND, THIRD = Card(1), Card(2, old_card_due=True), Card(3)
CARDS = (FIRST, SECOND, THIRD)
# Chips of cards that no manifest names.
OLD, STRANGER = "4F4C440000000002", "4E4F545448495321"


class Machine:
    """The mechanism, the devices around it, and the kiosk before it."""

    def __init__(self, station: Station) -> None:
        self.station, self.port = station, station.ports["mqtt"]
        self.mechanism = Mechanism()
        self.chips = {card.serial: card.chip() for card in CARDS}
        self.chips |= {OLD: Chip(OLD, NUMBERS[1]), STRANGER: Chip(STRANGER, NUMBERS[0])}
        #: What the citizen holds to the intake's reader.
        self.held_in: Chip | None = None
        self.dispenser = self.begun()
        self.reader = Reader(self.port, "reader-1", lambda: self.chips.get(self.mechanism.in_reader or ""))
        self.intake = Reader(self.port, "reader-2", self.at_intake)
        self.scanner, self.camera = Scanner(self.port, "scanner-1"), Camera(self.port, "camera-1")
        self.kiosk = Kiosk(self.port)
        self.devices = [self.dispenser, self.reader, self.intake, self.scanner, self.camera, self.kiosk]
        #: Lives of the dispenser's program that are over.
        self.before: list[Dispenser] = []

    def begun(self) -> Dispenser:
        return Dispenser(self.port, "dispenser-1", self.mechanism, self.station.folder / "dispenser.json")

    def at_intake(self) -> Chip | None:
        return self.held_in or self.chips.get(self.mechanism.intake or "")

    def start(self) -> None:
        for device in self.devices:
            device.start()
        names = ("dispenser-1", "reader-1", "reader-2", "scanner-1", "camera-1", "kiosk-1")
        until("every device is there", lambda: all(self.station.is_online(name) for name in names))

    def restart_dispenser(self) -> None:
        """The program begins again, with the mechanism and the memory as they are."""
        until("the broker has noticed", lambda: not self.station.is_online("dispenser-1"))
        self.before.append(self.dispenser)
        self.devices.remove(self.dispenser)
        self.dispenser = self.begun()
        self.devices.append(self.dispenser)
        self.dispenser.start()

    def receive(self) -> None:
        manifest = valid("manifest", {"batch": BATCH, "cards": [card.announced() for card in CARDS]})
        (self.station.inbox / f"{BATCH}.json").write_text(json.dumps(manifest))
        self.kiosk.act("receive-batch", batch=BATCH)
        for card in CARDS:
            self.kiosk.act("scan-card", batch=BATCH, card=card.serial)

    def load(self, card: Card, lies_in_hopper: str | None = None) -> None:
        self.mechanism.hopper.append(lies_in_hopper or card.serial)
        column, slot = card.slot
        place = {"column": column, "slot": slot}
        session = self.kiosk.act("load-card", card=card.serial, machine=MACHINE, slot=place)
        assert self.kiosk.ended(session)["code"] == "done"

    def collect(self, card: Card) -> str:
        """Asks for a card with its voucher; how it ended."""
        session = self.kiosk.accepted("start-pickup", claim={"voucher": card.voucher})
        return str(self.kiosk.ended(session)["outcome"])

    def take_stock(self) -> None:
        self.kiosk.ended(self.kiosk.act("stock-take", machine=MACHINE))

    def judge(self) -> None:
        """C3: each sequence that was intended moved once at the most, over all lives of the dispenser."""
        events = self.station.events()
        intended = [event["data"]["sequence"] for event in events if event["type"] == "station.motion.intended.v1"]
        moved = self.mechanism.moved
        assert len(moved) == len(set(moved)), f"moved twice: {moved}"
        assert set(moved) <= set(intended) and len(intended) == len(set(intended)), (moved, intended)
        commands = sum(device.judge() for device in [*self.devices, *self.before])
        print(f"paho: {commands} commands to native devices, each acted on once; {len(moved)} motions, none twice")


def not_taken_then_collected(machine: Machine) -> None:
    """P7: nobody takes the card; it goes back, is read again, and can be collected."""
    machine.load(FIRST)
    machine.mechanism.citizen_takes = False
    assert machine.collect(FIRST) == "not-taken"
    assert machine.reader.read_serials == [FIRST.serial] * 2, "read before it is presented, and again when it is back"
    assert machine.mechanism.slots[FIRST.slot] == FIRST.serial
    machine.mechanism.citizen_takes = True


def jam_with_power_cut(machine: Machine) -> None:
    """C3: a card sticks in the car, and the power goes. The dispenser says what the sensors see; an operator looks; nothing moves again."""
    machine.mechanism.jam_next = True
    machine.dispenser.cut_power = "to-reader"
    session = machine.kiosk.accepted("start-pickup", claim={"voucher": FIRST.voucher})
    machine.restart_dispenser()
    assert machine.kiosk.ended(session)["outcome"] == "device-failed"
    moved = list(machine.mechanism.moved)
    reason = machine.kiosk.refused("start-pickup", claim={"voucher": FIRST.voucher})
    assert reason == "machine-busy", reason
    assert machine.mechanism.clear_transport() == FIRST.serial
    machine.dispenser.tell_status()
    assert machine.mechanism.moved == moved, "it moved by itself"
    machine.kiosk.act("resolve-machine", machine=MACHINE, card_now="safe")
    machine.load(FIRST)


def power_cut_before_the_reply(machine: Machine) -> None:
    """C3: the card is in the reader, and the reply never came. Asked after its start, the dispenser says so, and the pickup goes on."""
    machine.dispenser.cut_power = "to-reader"
    session = machine.kiosk.accepted("start-pickup", claim={"voucher": FIRST.voucher})
    machine.restart_dispenser()
    assert machine.kiosk.ended(session)["outcome"] == "collected"
    assert machine.mechanism.taken == [FIRST.serial]


def stock_that_differs(machine: Machine) -> None:
    """C2: a card is gone from its slot, and one lies where none should. Both are told once; the card is held until it is there again."""
    machine.load(SECOND)
    stray = (5, 7)
    card = machine.mechanism.slots.pop(SECOND.slot)
    machine.mechanism.slots[stray] = "STRAY0000"
    machine.take_stock()
    machine.take_stock()
    found = [event["data"]["finding"] for event in machine.station.events() if event["type"] == "station.custody.slot-found.v1"]
    assert sorted(found) == ["missing", "unexpected"], found
    assert machine.kiosk.refused("start-pickup", claim={"voucher": SECOND.voucher}) == "held"
    del machine.mechanism.slots[stray]
    machine.mechanism.slots[SECOND.slot] = card
    machine.take_stock()


def old_card_goes_in(machine: Machine) -> None:
    """P6, C3: the old card is read at the intake and taken in before the new one is handed over. The line is cut meanwhile: a command comes
    twice, and nothing moves twice."""
    machine.mechanism.intake = OLD
    machine.dispenser.cut_line_after = "move"
    assert machine.collect(SECOND) == "collected"
    assert machine.mechanism.recycled == [OLD]
    assert len(machine.dispenser.repeated) == 1, machine.dispenser.repeated


def unloaded_and_put_aside(machine: Machine) -> None:
    """C2, P3: an operator takes a card out again; then another card lies in its slot, which goes to the bin when it is read."""
    machine.load(THIRD)
    session = machine.kiosk.act("unload-card", card=THIRD.serial)
    assert machine.kiosk.ended(session)["code"] == "done"
    machine.load(THIRD, lies_in_hopper=STRANGER)
    assert machine.collect(THIRD) == "card-mismatch"
    assert machine.mechanism.rejected == [STRANGER]


def pickups(machine: Machine) -> None:
    machine.receive()
    not_taken_then_collected(machine)
    jam_with_power_cut(machine)
    power_cut_before_the_reply(machine)
    stock_that_differs(machine)
    old_card_goes_in(machine)
    unloaded_and_put_aside(machine)
    counts = machine.station.counts()
    assert counts["pickup.card-taken"] == 2 and counts["pickup.card-retracted"] == 1, counts
    assert counts["pickup.old-card-recycled"] == 1 and counts["custody.card-released"] == 1, counts
    print("paho: 2 cards collected, 1 not taken, read again and collectable, 1 mismatched; a jam and 2 power cuts; stock that differed")
