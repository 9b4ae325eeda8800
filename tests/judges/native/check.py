#!/usr/bin/env python3
"""A pickup with a reader, a scanner and a camera that are somebody else's MQTT clients (G1): the configuration lists no adapter for
them. The dispenser is the simulated one, behind the gateway's own adapter.

    check.py GATEWAY SIMULATOR        the two programs; needs paho-mqtt and jsonschema
"""

import base64
import json
import pathlib
import queue
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

from device import Device, valid

ROOT = pathlib.Path(__file__).parents[3]
PIN = "97531246"
SEAL_KEY = "82b08272fa16689b14fcb6616da10892b23485fc73edcae6f837850d4cabdb00"
PORTS = {"mqtt": 1883, "websocket": 8083, "http": 9464, "modbus": 5020, "control": 9465, "pull": 9466}
# A picture of one grey dot.
PHOTO = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////"
    "wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z"
)


def free_ports(names):
    held = [socket.socket() for _ in names]
    for one in held:
        one.bind(("127.0.0.1", 0))
    return {name: one.getsockname()[1] for name, one in zip(names, held)}


def until(what, ready, seconds=30):
    end = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)
    return found


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return None


def configuration(folder, gateway, ports):
    """The shipped station without simulated devices and without adapters of readers and scanners."""
    text = (ROOT / "edge-config/station.toml").read_text()
    for name, port in PORTS.items():
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ports[name]}")
    pin_hash = subprocess.run([gateway, "hash-pin"], input=PIN, capture_output=True, text=True, check=True).stdout.strip()
    text = re.sub(r'pin_hash = ".*"', lambda _: f'pin_hash = "{pin_hash}"', text)
    first, last = text.index("[[sam_v_reader]]"), text.index("[demo]")
    text = re.sub(r"(?m)^application = .*\n", "", text[:first]) + text[last:].replace("simulated_devices = true", "simulated_devices = false")
    (folder / "seal-key").write_text(SEAL_KEY)
    text = re.sub(r"# seal_key = .*", 'seal_key = "seal-key"', text)
    (folder / "station.toml").write_text(text)


class Kiosk(Device):
    """Asks, and follows what it is told."""

    def __init__(self, port):
        self.heard = queue.Queue()
        super().__init__(port, "kiosk-1", about("kiosk", []), {})

    def told(self, channel, body):
        self.heard.put((channel, valid("receipt" if channel.startswith("receipt/") else "prompt", body)))

    def request(self, name, **fields):
        message_id = str(uuid.uuid4())
        deadline_ms = int(time.time() * 1000) + 60_000
        request = valid(name, {"message_id": message_id, "deadline_ms": deadline_ms, **fields})
        self.send(f"request/{name}", request)
        return self.wait(lambda channel, body: channel == f"receipt/{message_id}" and body)

    def prompt(self, code):
        return self.wait(lambda channel, body: channel == "session" and body["code"] == code and body)

    def wait(self, wanted):
        end, seen = time.monotonic() + 30, []
        while True:
            assert time.monotonic() < end, f"the kiosk waits in vain; it heard {seen}"
            try:
                seen.append(self.heard.get(timeout=0.2))
                if found := wanted(*seen[-1]):
                    return found
            except queue.Empty:
                pass


def about(kind, commands, events=()):
    return {"kind": kind, "vendor": "Somebody Else", "model": "native", "firmware": "7", "commands": commands, "events": list(events)}


def devices(mqtt, control, cards):
    """Each command is answered with what the device finds."""
    people = {card["serial"]: card for card in cards}

    def read(_device, _command):
        carried = json.dumps(json.loads(get(control, "/dispenser"))["carried"])
        serial = next((serial for serial in people if serial in carried), None)
        if serial is None:
            return {"completion": "time-out"}
        template = base64.b64encode(b"somebody else's template").decode()
        fingers = [{"hand": hand, "template": template} for hand in ("right", "left")]
        return {"completion": "success", "card": {"serial": serial, "number": people[serial]["number"], "fingers": fingers}}

    def match(device, command):
        assert base64.b64decode(command["templates"][0]) == b"somebody else's template"
        device.event("finger-present", command["command_id"])
        return {"completion": "success", "score": 93}

    def capture(device, _command):
        blob = str(uuid.uuid4())
        # Not waited for on this thread; the station takes messages of one device in their order.
        device.send(f"blob/{blob}", PHOTO)
        return {"completion": "success", "blob": blob}

    reader = about("reader", ["read"])
    return [
        Device(mqtt, "reader-1", reader, {"read": read}),
        Device(mqtt, "reader-2", reader, {"read": lambda _device, _command: {"completion": "time-out"}}),
        Device(mqtt, "scanner-1", about("scanner", ["match"], ["finger-present"]), {"match": match}),
        Device(mqtt, "camera-1", about("camera", ["capture"]), {"capture": capture}),
    ]


def load(kiosk, control, card):
    operator = {"id": "operator-1", "pin": PIN}
    accepted = lambda receipt: receipt["outcome"] == "accepted"
    assert accepted(kiosk.request("receive-batch", operator=operator, batch="demo-1"))
    assert accepted(kiosk.request("scan-card", operator=operator, batch="demo-1", card=card["serial"]))
    hopper = f"http://127.0.0.1:{control}/operator/hopper?card={card['serial']}"
    urllib.request.urlopen(urllib.request.Request(hopper, method="POST"), timeout=5).close()
    slot = {"column": 0, "slot": 0}
    ask = lambda: accepted(kiosk.request("load-card", operator=operator, card=card["serial"], machine="machine-1", slot=slot))
    until("the machine takes a card", ask)
    kiosk.prompt("done")


def collect(gateway, folder, ports):
    control, mqtt = ports["control"], ports["mqtt"]
    subprocess.run([sys.argv[2], "manifest", folder / "station-inbox"], check=True, capture_output=True)
    cards = json.loads((folder / "station-inbox/demo-1.json").read_text())["cards"]
    own = devices(mqtt, control, cards)
    kiosk = Kiosk(mqtt)
    # The simulated camera has the same name: it is off before ours is heard.
    online = lambda: all(f'station_device_online{{device="{d}"}} 1' in (get(ports["http"], "/metrics") or "")
                         for d in ("dispenser-1", "reader-1", "reader-2", "scanner-1", "camera-1"))
    until("every device is there", online)
    load(kiosk, control, cards[0])
    receipt = kiosk.request("start-pickup", claim={"voucher": cards[0]["voucher"]})
    assert receipt["outcome"] == "accepted", receipt
    kiosk.prompt("done")
    for device in [*own, kiosk]:
        assert device.failure is None, device.failure
        assert len(device.acted) == len(set(device.acted)), "a command was acted on twice"
        device.goodbye()
    log = subprocess.run([gateway, "export", "json", "-", "--config", "station.toml"], cwd=folder, capture_output=True, text=True, check=True)
    types = [json.loads(line)["type"] for line in log.stdout.splitlines()]
    assert types.count("station.pickup.card-taken.v1") == 1
    assert types.count("station.pickup.photo-archived.v1") == 4
    commands = sum(len(device.acted) for device in own)
    print(f"paho: one card collected with a native reader, scanner and camera; {commands} commands, each acted on once, 4 photos archived")


def main():
    gateway, simulator = (str(pathlib.Path(program).resolve()) for program in sys.argv[1:3])
    sys.argv[2] = simulator
    names = [*PORTS, "reader", "intake-reader", "scanner", "matcher", "nowhere"]
    running = []
    with tempfile.TemporaryDirectory() as name:
        folder, ports = pathlib.Path(name), free_ports(names)
        configuration(folder, gateway, ports)
        (folder / "station-inbox").mkdir()
        at = lambda port: f"127.0.0.1:{ports[port]}"
        output = open(folder / "out", "w")
        try:
            running.append(subprocess.Popen([gateway, "--config", "station.toml"], cwd=folder, stdout=output, stderr=output))
            until("the station is ready", lambda: get(ports["http"], "/readyz"))
            simulated = [simulator, "run", "--data", "simulator", "--motion-ms", "20", "--take-ms", "200",
                         "--columns", "8", "--slots-per-column", "250"]
            for option in ("mqtt", "modbus", "reader", "intake-reader", "scanner", "matcher", "control"):
                simulated += [f"--{option}", at(option)]
            # It knocks at a port where nobody listens: its camera must not be in the way of ours.
            simulated[simulated.index("--mqtt") + 1] = at("nowhere")
            running.append(subprocess.Popen(simulated, cwd=folder, stdout=output, stderr=output))
            until("the dispenser runs", lambda: get(ports["control"], "/health"))
            collect(gateway, folder, ports)
        except BaseException:
            print((folder / "out").read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(20)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
