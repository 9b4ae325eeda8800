"""A card dispenser that speaks MQTT itself: the same promises as a machine behind the Modbus adapter."""

import base64
import json
import pathlib
import threading
import time

from device import Device, Message, PowerCut
from mechanism import COLUMNS, SLOTS_PER_COLUMN, Mechanism, Slot

TAKE_S = 0.05
MOTION_S = 0.02


class Refusal(Exception):
    """The device would not begin; nothing moved. Code and name as in ops/docs/native-devices.md."""


class Failure(Exception):
    """The mechanism failed; what moved, the sensors say."""


HOPPER_EMPTY, TRANSPORT_OCCUPIED = (0xE501, "E501-hopperEmpty"), (0xE504, "E504-transportOccupied")
READER_EMPTY, OUTLET_EMPTY = (0xE503, "E503-readerEmpty"), (0xE507, "E507-outletEmpty")
SLOT_EMPTY, SLOT_UNKNOWN, SLOT_OCCUPIED = (0xE509, "E509-slotEmpty"), (0xE50A, "E50A-slotUnknown"), (0xE520, "E520-slotOccupied")
INTAKE_EMPTY, OUT_OF_TURN = (0xE524, "E524-intakeEmpty"), (0xE529, "E529-sequenceOutOfTurn")
JAM = (0xF100, "F100-mediaJam")
SEQUENCE_AHEAD = 8


class Memory:
    """What a power cut leaves: the last sequence that was taken, its motion, and what came of it once it was over."""

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file
        self.last: Message = json.loads(file.read_text()) if file.exists() else {"sequence": 0}

    def keep(self, **last: object) -> None:
        self.last = dict(last)
        whole = self.file.with_suffix(".next")
        whole.write_text(json.dumps(self.last))
        whole.replace(self.file)


class Dispenser(Device):
    kind, commands = "dispenser", ("move", "query")
    events = ("media-taken", "jam")

    def __init__(self, port: int, device: str, mechanism: Mechanism, file: pathlib.Path) -> None:
        super().__init__(port, device)
        self.mechanism, self.memory = mechanism, Memory(file)
        #: The power is cut between this part of the next motion and its reply.
        self.cut_power: str | None = None
        if self.memory.last["sequence"] and "outcome" not in self.memory.last:
            self.resume()

    def resume(self) -> None:
        """After a power cut in the middle of a motion: what came of it, by the sensors. Nothing moves."""
        if self.mechanism.jammed:
            self.over({"result": "failed", "detail": JAM[0]}, JAM[1])
        else:
            self.over({"result": "done"}, None)

    def over(self, outcome: Message, fault: str | None) -> None:
        last = self.memory.last
        self.memory.keep(sequence=last["sequence"], motion=last["motion"], outcome=outcome, fault=fault)

    def description(self) -> Message:
        return super().description() | {"totals": ["motions-total"]}

    def status(self) -> Message:
        if self.mechanism.jammed:
            return {"status": "hardware-error", "detail": "jam"}
        return {"status": "online"}

    def query(self, command: Message) -> Message:
        last = self.memory.last
        if not last["sequence"]:
            progress: Message = {"progress": "none"}
        else:
            progress = {"progress": "over", "sequence": last["sequence"], "outcome": last["outcome"]}
        slots = {"slots": self.slot_map()} if command.get("slots") else {}
        return {"last": progress, "evidence": self.evidence(last.get("motion"))} | slots

    def move(self, command: Message) -> Message:
        """Moves for a sequence that it has not taken before; for the one it took last it says again what came of that."""
        sequence, motion = command["sequence"], command["motion"]
        last = self.memory.last
        if last["sequence"] != sequence:
            ahead = (sequence - last["sequence"]) % 65535
            if last["sequence"] and not 1 <= ahead <= SEQUENCE_AHEAD:
                return self.rejected(sequence, OUT_OF_TURN)
            # Kept before anything moves: after this the sequence counts as taken.
            self.memory.keep(sequence=sequence, motion=motion)
            self.carry_out(sequence, motion)
        elif last["motion"] != motion:
            return self.rejected(sequence, OUT_OF_TURN)
        return self.said(sequence, motion)

    def carry_out(self, sequence: int, motion: Message) -> None:
        try:
            slot = motion.get("slot")
            place = (slot["column"], slot["slot"]) if slot else None
            with self.mechanism.lock:
                if place and not (place[0] < COLUMNS and place[1] < SLOTS_PER_COLUMN):
                    raise Refusal(*SLOT_UNKNOWN)
                act = getattr(self, motion["motion"].replace("-", "_"))
                act(*([place] if place else []))
                self.mechanism.moved.append(sequence)
            time.sleep(MOTION_S)
            if self.cut_power == motion["motion"]:
                raise PowerCut
            self.over({"result": "done"}, None)
        except Refusal as refusal:
            self.over({"result": "rejected", "detail": refusal.args[0]}, refusal.args[1])
        except Failure as failure:
            self.mechanism.moved.append(sequence)
            if self.cut_power == motion["motion"]:
                raise PowerCut from failure
            self.over({"result": "failed", "detail": failure.args[0]}, failure.args[1])
            self.event("jam")
            self.tell_status()

    def said(self, sequence: int, motion: Message) -> Message:
        outcome, fault = self.memory.last["outcome"], self.memory.last["fault"]
        reply: Message = {"sequence": sequence, "outcome": outcome, "evidence": self.evidence(motion)}
        if fault:
            reply["fault"] = fault
        if motion["motion"] == "inventory" and outcome["result"] == "done":
            reply["slots"] = self.slot_map()
        self.measure("slots-occupied", len(self.mechanism.slots))
        self.measure("motions-total", len(self.mechanism.moved))
        if self.mechanism.outlet_present:
            threading.Timer(TAKE_S, self.give).start()
        return reply

    def rejected(self, sequence: int, why: tuple[int, str]) -> Message:
        """A sequence that was not taken: of it nothing is kept."""
        evidence = self.evidence(None)
        return {"sequence": sequence, "outcome": {"result": "rejected", "detail": why[0]}, "evidence": evidence, "fault": why[1]}

    def give(self) -> None:
        if self.mechanism.give():
            self.event("media-taken")

    def evidence(self, motion: Message | None) -> Message:
        mechanism, slot = self.mechanism, (motion or {}).get("slot")
        return {
            "position": mechanism.position,
            "outlet_present": mechanism.outlet_present,
            "slot_occupied": (slot["column"], slot["slot"]) in mechanism.slots if slot else None,
            "recycle_count": len(mechanism.recycled),
        }

    def slot_map(self) -> Message:
        bits = sum(1 << (column * SLOTS_PER_COLUMN + slot) for column, slot in self.mechanism.slots)
        as_bytes = bits.to_bytes((COLUMNS * SLOTS_PER_COLUMN + 7) // 8, "little")
        return {"columns": COLUMNS, "slots_per_column": SLOTS_PER_COLUMN, "bits": base64.b64encode(as_bytes).decode()}

    # The motions, each named as the contract names it.

    def load(self, slot: Slot) -> None:
        if slot in self.mechanism.slots:
            raise Refusal(*SLOT_OCCUPIED)
        if not self.mechanism.hopper:
            raise Refusal(*HOPPER_EMPTY)
        self.mechanism.slots[slot] = self.mechanism.hopper.pop(0)

    def from_slot(self, slot: Slot) -> str:
        if self.mechanism.card:
            raise Refusal(*TRANSPORT_OCCUPIED)
        if slot not in self.mechanism.slots:
            raise Refusal(*SLOT_EMPTY)
        return self.mechanism.slots.pop(slot)

    def from_reader(self) -> str:
        if self.mechanism.in_reader is None:
            raise Refusal(*READER_EMPTY)
        return self.mechanism.in_reader

    def dispense(self, slot: Slot) -> None:
        self.mechanism.lay(self.from_slot(slot), "outlet")

    def to_reader(self, slot: Slot) -> None:
        card = self.from_slot(slot)
        jams, self.mechanism.jam_next = self.mechanism.jam_next, False
        self.mechanism.lay(card, "car" if jams else "in-reader")
        if jams:
            raise Failure(*JAM)

    def present(self) -> None:
        self.mechanism.lay(self.from_reader(), "outlet")

    def retract(self) -> None:
        if not self.mechanism.outlet_present:
            raise Refusal(*OUTLET_EMPTY)
        self.mechanism.lay(self.mechanism.card, "in-reader")

    def to_slot(self, slot: Slot) -> None:
        if slot in self.mechanism.slots:
            raise Refusal(*SLOT_OCCUPIED)
        self.mechanism.slots[slot] = self.from_reader()
        self.mechanism.lay(None, "none")

    def reject(self) -> None:
        self.mechanism.rejected.append(self.from_reader())
        self.mechanism.lay(None, "none")

    def take_old_card(self) -> None:
        if self.mechanism.intake is None:
            raise Refusal(*INTAKE_EMPTY)
        self.mechanism.recycled.append(self.mechanism.intake)
        self.mechanism.intake = None

    def inventory(self) -> None:
        """Counting moves no card."""
