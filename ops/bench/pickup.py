"""The gateway's own share of a pickup (P9): as it counts it itself, over a machine's load of cards."""

import contextlib
import json
import subprocess
import time
import urllib.request
import uuid

from rows import Row, at_most
from station import PIN, Station, wait_for

KIOSK = "kiosk-1"
OPERATOR = {"id": "operator-1", "pin": PIN}


def measure(context):
    people = context.count(96, 16)
    with Station(context) as station:
        station.start()
        with machine(context, station, people):
            return collect(station, stock_up(context, station, people))


@contextlib.contextmanager
def machine(context, station, people):
    """The simulated devices of the station's machine, quick ones."""
    devices = subprocess.Popen(
        [
            context.binary("simulator"), "run", "--mqtt", f"127.0.0.1:{station.mqtt}",
            "--modbus", f"127.0.0.1:{station.modbus}", "--control", f"127.0.0.1:{station.control}",
            "--reader", f"127.0.0.1:{station.reader}", "--intake-reader", f"127.0.0.1:{station.intake_reader}",
            "--scanner", f"127.0.0.1:{station.scanner}", "--matcher", f"127.0.0.1:{station.matcher}",
            "--camera", f"127.0.0.1:{station.camera}", "--camera-password-file", str(station.camera_password),
            "--face-matcher", f"127.0.0.1:{station.face_matcher}",
            "--columns", "8", "--slots-per-column", "250", "--motion-ms", "20", "--think-ms", "5", "--take-ms", "20",
            "--people", str(people), "--data", str(station.root / "simulator"),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        devices.stdout.readline()
        yield
    finally:
        devices.terminate()
        devices.wait()


def request(station, name, **body):
    """Sends a request as the kiosk; gives its receipt."""
    body |= {"message_id": str(uuid.uuid4()), "deadline_ms": int(time.time() * 1000) + 60_000}
    base = f"station/v1/demo/{KIOSK}"
    command = ["mosquitto_rr", "-V", "5", "-i", KIOSK, "-h", "127.0.0.1", "-p", str(station.mqtt), "-q", "1", "-W", "20"]
    command += ["-t", f"{base}/request/{name}", "-e", f"{base}/receipt/{body['message_id']}", "-m", json.dumps(body)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def accepted(station, name, **body):
    """Sends until it is accepted: a machine is busy until its last motion is over."""

    def once():
        receipt = request(station, name, **body)
        if receipt["outcome"] != "accepted" and receipt["reason"] not in ("machine-busy", "device-offline"):
            raise RuntimeError(f"{name} was refused: {receipt['reason']}")
        return receipt["outcome"] == "accepted"

    wait_for(name, once)


def stock_up(context, station, people):
    """Brings the batch in by an operator's hands; gives the vouchers that can be collected with."""
    command = [context.binary("simulator"), "manifest", str(station.inbox), "--people", str(people)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    cards = json.loads((station.inbox / "demo-1.json").read_text())["cards"]
    cards = [card for card in cards if card["residence"] == "local" and not card["held"]]
    accepted(station, "receive-batch", operator=OPERATOR, batch="demo-1")
    for at, card in enumerate(cards):
        accepted(station, "scan-card", operator=OPERATOR, batch="demo-1", card=card["serial"])
        hopper = f"http://127.0.0.1:{station.control}/operator/hopper?card={card['serial']}"
        urllib.request.urlopen(urllib.request.Request(hopper, method="POST"), timeout=10).close()
        slot = {"column": 0, "slot": at}
        accepted(station, "load-card", operator=OPERATOR, card=card["serial"], machine="machine-1", slot=slot)
    return [card["voucher"] for card in cards]


def collect(station, at):
    for done, voucher in enumerate(at, 1):
        accepted(station, "start-pickup", claim={"voucher": voucher})
        wait_for("the end of a pickup", lambda done=done: ended(station.metrics()) >= done)
    figures = station.metrics()
    collected = figures.get('station_sessions_total{outcome="collected"}', 0)
    if collected != len(at):
        raise RuntimeError(f"{collected:.0f} of {len(at)} were collected")
    mean = figures["station_pickup_seconds_sum"] / figures["station_pickup_seconds_count"] * 1000
    append = figures["station_append_seconds_sum"] / figures["station_append_seconds_count"] * 1000
    below = [
        float(name.split('le="')[1].split('"')[0]) * 1000
        for name, value in figures.items()
        if name.startswith("station_pickup_seconds_bucket") and value >= 0.99 * len(at) and "+Inf" not in name
    ]
    what = f"gateway's own share of a pickup, mean of {len(at)}"
    p99 = Row("the same, 99 of 100 are below", f"{min(below):.0f} ms" if below else "> 1000 ms", "", "", "< 100 ms", bool(below) and min(below) <= 100)
    share = at_most(what, f"{mean:.1f} ms", f"one append {append:.2f} ms", mean, 100)
    share.ratio, share.goal = f"{mean / append:.1f} appends", "< 100 ms"
    return [share, p99]


def ended(figures):
    return sum(value for name, value in figures.items() if name.startswith("station_sessions_total"))
