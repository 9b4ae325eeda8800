"""Readers, a scanner, a camera and a face matcher that speak MQTT themselves. Each answers with what lies on it or stands before it."""

import base64
import dataclasses
import threading
from collections.abc import Callable

from device import Device, Message
from pictures import PHOTO, png

TEMPLATES = {"right": b"somebody's right thumb", "left": b"somebody's left thumb"}


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclasses.dataclass
class Chip:
    """What a card's chip holds."""

    serial: str
    number: str
    name: str = "张三"
    #: The last day; none: the card does not end.
    expires: str | None = None

    def content(self) -> Message:
        fingers = [{"hand": hand, "template": in_base64(template)} for hand, template in TEMPLATES.items()]
        return {
            "serial": self.serial,
            "number": self.number,
            "name": self.name,
            "fingers": fingers,
            "expiry": {"on": self.expires} if self.expires else "long-term",
            "picture": {"format": "wlt", "bytes": in_base64(b"somebody's face".ljust(1024, b"."))},
            "ethnic_group": "01",
            "address": "示例市朝阳区建国路 2 号",
            "issuer": "示例市公安局朝阳分局",
        }


class Reader(Device):
    """Waits for a card up to the command's time."""

    kind, commands = "reader", ("read",)

    def __init__(self, port: int, device: str, lying: Callable[[], Chip | None]) -> None:
        super().__init__(port, device)
        self.lying = lying
        self.read_serials: list[str] = []

    def read(self, command: Message) -> Message:
        wait = threading.Event()
        for _ in range(command["timeout_s"] * 20):
            if chip := self.lying():
                self.read_serials.append(chip.serial)
                return {"completion": "success", "card": chip.content()}
            wait.wait(0.05)
        return {"completion": "time-out"}


class Scanner(Device):
    kind, commands, events = "scanner", ("match", "capture-finger"), ("finger-present",)

    def __init__(self, port: int, device: str) -> None:
        super().__init__(port, device)
        self.images: list[str] = []
        #: So many times nobody lays a finger on it.
        self.nobody = 0

    def match(self, command: Message) -> Message:
        self.event("finger-present", command["command_id"])
        return {"completion": "success", "score": self.compared(command)}

    def capture_finger(self, command: Message) -> Message:
        if self.nobody:
            self.nobody -= 1
            return {"completion": "time-out"}
        self.event("finger-present", command["command_id"])
        blob = self.blob(png(256, 288, f"a {command['hand']} finger"), command)
        self.images.append(command["hand"])
        score = {"score": self.compared(command)} if command["templates"] else {}
        return {"completion": "success", "blob": blob, "quality": 88} | score

    def compared(self, command: Message) -> int:
        return 93 if base64.b64decode(command["templates"][0]) == TEMPLATES[command["hand"]] else 7


class Camera(Device):
    kind, commands = "camera", ("capture",)

    def capture(self, command: Message) -> Message:
        return {"completion": "success", "blob": self.blob(PHOTO, command)}


class FaceMatcher(Device):
    """Knows one face: whatever is compared with that chip's picture is its owner."""

    kind, commands = "face-matcher", ("compare-faces",)

    def __init__(self, port: int, device: str) -> None:
        super().__init__(port, device)
        self.pairs: list[str] = []

    def compare_faces(self, command: Message) -> Message:
        self.pairs.append(command["pair"])
        reference = base64.b64decode(command["reference"]["bytes"])
        if not base64.b64decode(command["probe"]["bytes"]).startswith(PHOTO[:3]):
            return {"completion": "success", "refusal": "unsupported", "which": "probe"}
        return {"completion": "success", "score": 97 if reference.startswith(b"somebody's face") else 3}
