"""A card dispenser as a thing: slots, a transport, an outlet, bins, and hands that lay cards in and take them. It knows no MQTT, and
outlives the device's program, as things do."""

import dataclasses
import threading

Slot = tuple[int, int]
COLUMNS, SLOTS_PER_COLUMN = 8, 250


@dataclasses.dataclass
class Mechanism:
    slots: dict[Slot, str] = dataclasses.field(default_factory=dict)
    hopper: list[str] = dataclasses.field(default_factory=list)
    #: Where the card in the transport is: in-reader, car or outlet.
    position: str = "none"
    card: str | None = None
    #: An old card at the intake, and those that were taken in.
    intake: str | None = None
    recycled: list[str] = dataclasses.field(default_factory=list)
    rejected: list[str] = dataclasses.field(default_factory=list)
    #: Whether whoever stands there takes a card that is presented, and what they took.
    citizen_takes: bool = True
    taken: list[str] = dataclasses.field(default_factory=list)
    #: The next card that leaves a slot for the reader sticks in the car.
    jam_next: bool = False
    #: Sequence of each motion that really moved something.
    moved: list[int] = dataclasses.field(default_factory=list)
    lock: threading.RLock = dataclasses.field(default_factory=threading.RLock)

    @property
    def outlet_present(self) -> bool:
        return self.position == "outlet"

    @property
    def in_reader(self) -> str | None:
        return self.card if self.position == "in-reader" else None

    @property
    def jammed(self) -> bool:
        return self.position == "car"

    def lay(self, card: str | None, position: str) -> None:
        with self.lock:
            self.card, self.position = card, position if card else "none"

    def give(self) -> bool:
        """The hands before the outlet: whether they took the card."""
        with self.lock:
            if not self.outlet_present or not self.citizen_takes:
                return False
            assert self.card is not None
            self.taken.append(self.card)
            self.lay(None, "none")
            return True

    def clear_transport(self) -> str | None:
        """An operator opens the machine and takes out what sticks."""
        with self.lock:
            card = self.card
            self.lay(None, "none")
            return card
