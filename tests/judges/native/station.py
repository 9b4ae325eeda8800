"""A station without a single adapter, and a centre for it. Each is a process of its own in a folder that goes away."""

import contextlib
import json
import pathlib
import re
import socket
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

ROOT = pathlib.Path(__file__).parents[3]
PIN = "97531246"
# X25519, made for tests.
SEAL_KEY = "82b08272fa16689b14fcb6616da10892b23485fc73edcae6f837850d4cabdb00"
PRIVATE_KEY = "40b4f80ea25b88e08f3ada1b751a1e5508d5706835f15799b8847f4ac2bf5078"
PORTS = {"mqtt": 1883, "websocket": 8083, "http": 9464, "control": 9465, "pull": 9466}
MORE_PORTS = ("store", "centre", "counter")
POLICY = {"hold_s = 30": "hold_s = 5", "sms = true": "sms = false"}
T = TypeVar("T")


def free_ports() -> dict[str, int]:
    held = {name: socket.socket() for name in (*PORTS, *MORE_PORTS)}
    for one in held.values():
        one.bind(("127.0.0.1", 0))
    ports = {name: one.getsockname()[1] for name, one in held.items()}
    for one in held.values():
        one.close()
    return ports


def until(what: str, ready: Callable[[], T | None], seconds: float = 30) -> T:
    end = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)
    return found


def replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the shipped file has no {old}"
        text = text.replace(old, new)
    return text


class Station:
    def __init__(self, folder: pathlib.Path, gateway: pathlib.Path, simulator: pathlib.Path) -> None:
        self.folder, self.gateway, self.simulator = folder, gateway, simulator
        self.ports = free_ports()
        self.inbox = folder / "station-inbox"
        self.inbox.mkdir()
        (folder / "received").mkdir()

    def at(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    @contextlib.contextmanager
    def running(self) -> Iterator["Station"]:
        """The centre's store, the centre, the gateway; ended in the other order."""
        with open(self.folder / "out", "w") as out, contextlib.ExitStack() as running:
            try:
                store = self.simulator.with_name("simulated-eventstore")
                running.enter_context(self.process(out, store, "--listen", self.at("store"), "--data", "store"))
                running.enter_context(self.process(out, self.simulator, "centre", "run", *self.centre()))
                until("the centre says its key", self.centre_key)
                self.configure()
                running.enter_context(self.process(out, self.gateway, "--config", "station.toml", "--policy", "policy.toml"))
                until("the station is ready", lambda: self.page("/readyz"))
                self.register()
                yield self
            except BaseException:
                print((self.folder / "out").read_text()[-6000:])
                raise

    @contextlib.contextmanager
    def process(self, out: Any, *command: object) -> Iterator[None]:
        process = subprocess.Popen([str(part) for part in command], cwd=self.folder, stdout=out, stderr=out)
        try:
            yield
        finally:
            # The store listens for Ctrl-C only.
            process.send_signal(2)
            process.wait(20)

    def centre(self) -> list[str]:
        (self.folder / "centre.key").write_text(PRIVATE_KEY)
        options = {"--connection": f"esdb://{self.at('store')}?tls=false", "--listen": self.at("centre"), "--counter": self.at("counter")}
        options |= {"--folder": "centre", "--received": str(self.folder / "received"), "--private-key": "centre.key"}
        return [part for option in options.items() for part in option]

    def centre_key(self) -> str | None:
        said = re.search(r"its key: (\S+)", (self.folder / "out").read_text())
        return said and said[1]

    def configure(self) -> None:
        """The shipped station without simulated devices and without a section for any adapter."""
        text = (ROOT / "edge-config/station.toml").read_text()
        first, last = text.index("[[modbus_dispenser]]"), text.index("[demo]")
        text = text[:first] + '[[device]]\nid = "face-matcher-1"\nkind = "face-matcher"\n\n' + text[last:]
        for name, port in PORTS.items():
            text = text.replace(f"127.0.0.1:{port}", self.at(name))
        pin_hash = subprocess.run([self.gateway, "hash-pin"], input=PIN, capture_output=True, text=True, check=True).stdout.strip()
        text = re.sub(r'pin_hash = ".*"', lambda _: f'pin_hash = "{pin_hash}"', text)
        (self.folder / "seal-key").write_text(SEAL_KEY)
        (self.folder / "centre.vkey").write_text(self.centre_key() or "")
        centre = f'[centre]\nstore = "esdb://{self.at("store")}?tls=false"\nverify_key = "centre.vkey"\nseal_key = "seal-key"\n'
        centre += f'blob_store = "{self.folder / "received"}"\n'
        changes = {"simulated_devices = true": "simulated_devices = false", 'trust = "auto"': 'trust = "always"'}
        text = replaced(text, changes | {"[centre]\n": centre})
        (self.folder / "station.toml").write_text(text)
        (self.folder / "policy.toml").write_text(replaced((ROOT / "edge-config/policy.toml").read_text(), POLICY))

    def register(self) -> None:
        """The station's log at the centre, as people would: with the file that the station makes."""
        file = self.folder / "registration.json"
        file.write_text(self.tool("keys", "register"))
        command: list[str | pathlib.Path] = [self.simulator, "centre", "register", file, "--folder", "centre"]
        subprocess.run(command, cwd=self.folder, capture_output=True, check=True)

    def tool(self, *command: str) -> str:
        """A command of the gateway's program about this station; what it prints."""
        whole: list[str | pathlib.Path] = [self.gateway, *command, "--config", "station.toml"]
        ran = subprocess.run(whole, cwd=self.folder, capture_output=True, text=True, check=True)
        return ran.stdout

    def page(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://{self.at('http')}{path}", timeout=5) as answer:
                return str(answer.read(), "utf-8")
        except OSError:
            return None

    def is_online(self, device: str) -> bool:
        return f'station_device_online{{device="{device}"}} 1' in (self.page("/metrics") or "")

    def events(self) -> list[dict[str, Any]]:
        """The whole log, as the station exports it."""
        return [json.loads(line) for line in self.tool("export", "json", "-").splitlines()]

    def counts(self) -> Counter[str]:
        """How many events of each type: `pickup.card-taken`."""
        return Counter(event["type"].removeprefix("station.").removesuffix(".v1") for event in self.events())
