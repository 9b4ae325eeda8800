"""MQTT at QoS 1 to PUBACK: against Mosquitto on the same machine, and against one fdatasync of the same disk."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from rows import Row, at_most, median, percentile
from station import Station, free_ports, listening, wait_for

CLIENTS_MAX = 64
# How often a message is sent in the paced run, and a file is synced beside it.
PER_SECOND = 100


def load(context, port, clients, seconds, rate=None):
    command = [context.binary("simulator"), "load", "--mqtt", f"127.0.0.1:{port}"]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    command += ["--rate", str(rate)] if rate else []
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if report["refused"] or not report["acknowledged"]:
        raise RuntimeError(f"the load was refused: {report}")
    return report


@contextlib.contextmanager
def mosquitto():
    """Debian's Mosquitto with TCP_NODELAY, nothing kept on disk; gives its port."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    port = free_ports(1)[0]
    with tempfile.TemporaryDirectory(prefix="station-bench-") as folder:
        config = pathlib.Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\nlog_type error\n"
        )
        # It gives up root and must still read its file.
        os.chmod(folder, 0o755)
        process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            wait_for("Mosquitto", lambda: listening(port), 10)
            yield port
        finally:
            process.terminate()
            process.wait()


def against_mosquitto(context):
    rounds, seconds = context.count(5, 1), context.seconds(5)
    rows = []
    with Station(context, [f"load-{n}" for n in range(1, CLIENTS_MAX + 1)]) as station, mosquitto() as other:
        station.start()
        for clients in (1, 8, CLIENTS_MAX):
            ours, theirs = [], []
            for turn in range(rounds):
                pairs = [(ours, station.mqtt), (theirs, other)]
                for reports, port in pairs if turn % 2 == 0 else reversed(pairs):
                    reports.append(load(context, port, clients, seconds))
            share = median([own["rate"] / beside["rate"] for own, beside in zip(ours, theirs)])
            said = [
                f"{median([r['rate'] for r in reports]):.0f}/s, p50 {median([r['p50_us'] for r in reports]) / 1000:.2f} ms, "
                f"p99 {median([r['p99_us'] for r in reports]) / 1000:.2f} ms"
                for reports in (ours, theirs)
            ]
            what = f"MQTT QoS 1 to PUBACK, {clients} clients; ours durable, Mosquitto's not (it does not sync before PUBACK)"
            rows.append(Row(what, said[0], "Mosquitto " + said[1], f"{share:.2f}"))
    return rows


class Sync:
    """One file on the measured disk, appended to and synced."""

    def __init__(self, folder):
        self.file = tempfile.TemporaryFile(dir=folder)

    def run(self, seconds):
        """1 KB and an fdatasync, as often as the load sends; each one's time in µs."""
        took, begin = [], time.monotonic()
        for turn in range(int(seconds * PER_SECOND)):
            time.sleep(max(0.0, begin + turn / PER_SECOND - time.monotonic()))
            began = time.perf_counter()
            os.write(self.file.fileno(), b"x" * 1024)
            os.fdatasync(self.file.fileno())
            took.append((time.perf_counter() - began) * 1e6)
        return took


def against_one_sync(context):
    rounds, seconds = context.count(8, 1), context.seconds(5)
    clients = 8
    ours, syncs = [], []
    with Station(context, [f"load-{n}" for n in range(1, clients + 1)]) as station:
        station.start()
        sync = Sync(context.folder)
        for turn in range(rounds):
            # In turn, not at once: together they would measure each other.
            if turn % 2:
                ours.append(load(context, station.mqtt, clients, seconds, PER_SECOND))
                syncs.append(sync.run(seconds))
            else:
                syncs.append(sync.run(seconds))
                ours.append(load(context, station.mqtt, clients, seconds, PER_SECOND))
    own = median([report["p99_us"] for report in ours]) / 1000
    half = median([report["p50_us"] for report in ours]) / 1000
    what = f"PUBACK at {PER_SECOND}/s"
    rows = []
    for per_cent in (99, 50):
        beside = median([percentile(one, per_cent) for one in syncs]) / 1000
        ratio = median([r["p99_us"] / percentile(one, per_cent) for r, one in zip(ours, syncs)])
        name = f"one append + fdatasync, p{per_cent} {beside:.2f} ms"
        rows.append(at_most(f"{what}, its p99 in terms of a sync's p{per_cent}", f"p50 {half:.2f} ms, p99 {own:.2f} ms", name, ratio, 3))
    return rows
