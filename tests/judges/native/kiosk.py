"""A kiosk: it asks, and shows what it is told. Citizens and operators stand before it."""

import threading
import time
import uuid
from collections.abc import Callable
from typing import TypeVar

from device import Device, Message, valid
from station import PIN

PATIENCE_S = 30
T = TypeVar("T")


class Kiosk(Device):
    kind = "kiosk"

    def __init__(self, port: int, device: str = "kiosk-1") -> None:
        super().__init__(port, device)
        self.heard: list[tuple[str, Message]] = []
        self.more = threading.Condition()

    def tell_status(self) -> None:
        """A kiosk has none."""

    def told(self, channel: str, body: Message) -> None:
        with self.more:
            self.heard.append((channel, valid("receipt" if channel.startswith("receipt/") else "prompt", body)))
            self.more.notify_all()

    def wait(self, what: str, wanted: Callable[[str, Message], T | None]) -> T:
        """What it was, or is yet, told."""
        end = time.monotonic() + PATIENCE_S
        with self.more:
            while True:
                if found := next((found for one in self.heard if (found := wanted(*one))), None):
                    return found
                assert self.more.wait(end - time.monotonic()), f"{what}: not within {PATIENCE_S} s; last: {self.heard[-3:]}"

    def request(self, name: str, **fields: object) -> Message:
        message_id = str(uuid.uuid4())
        deadline_ms = int(time.time() * 1000) + 60_000
        self.send(f"request/{name}", valid(name, {"message_id": message_id, "deadline_ms": deadline_ms, **fields}))
        return self.wait(name, lambda channel, body: body if channel == f"receipt/{message_id}" else None)

    def accepted(self, name: str, **fields: object) -> str:
        """The session that follows, where there is one. Busy for now is no refusal."""
        end = time.monotonic() + PATIENCE_S
        while (receipt := self.request(name, **fields))["outcome"] != "accepted":
            passing = receipt.get("reason") in ("machine-busy", "device-offline")
            assert passing and time.monotonic() < end, f"{name}: {receipt}"
            time.sleep(0.05)
        return str(receipt.get("session", ""))

    def act(self, name: str, **fields: object) -> str:
        """As the operator."""
        return self.accepted(name, operator={"id": "operator-1", "pin": PIN}, **fields)

    def refused(self, name: str, **fields: object) -> str:
        receipt = self.request(name, **fields)
        assert receipt["outcome"] == "refused", receipt
        return str(receipt["reason"])

    def ended(self, session: str) -> Message:
        """How a session ended, as it is shown."""

        def is_end(channel: str, body: Message) -> Message | None:
            of_it = channel == "session" and body.get("session") == session
            return body if of_it and (body.get("outcome") or body["code"] in ("done", "ended")) else None

        return self.wait(f"the end of {session}", is_end)

    def page(self, session: str, after: int | None) -> Message:
        """What is shown of an application once it asks for another step than this one, or has ended."""

        def is_next(channel: str, body: Message) -> Message | None:
            page = body.get("application")
            if channel != "session" or body.get("session") != session or not page:
                return None
            number = page.get("number")
            return page if page.get("outcome") or (number is not None and (after is None or number > after)) else None

        return self.wait(f"the page after {after}", is_next)
