"""The link to the centre: how fast a backlog drains beside the store's client alone, and what draining costs in memory."""

import pathlib
import re
import subprocess
import tempfile

from rows import Row, at_least, median
from station import Station, free_ports, listening, resident_mib, wait_for

RATE_GOAL, MEMORY_GOAL_MIB = 0.9, 20


class Store:
    """The simulated event store as a process of its own."""

    def __init__(self, context, port):
        self.address = f"127.0.0.1:{port}"
        self.place = tempfile.TemporaryDirectory(prefix="store-bench-", dir=context.folder)
        command = [context.binary("simulated-eventstore"), "--listen", self.address, "--data", self.place.name]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the store listens", lambda: listening(port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.place.cleanup()


def connection(port):
    return f"esdb://127.0.0.1:{port}?tls=false"


def fill(context, station, events):
    """Whole pickups, so many events at the least; answers how many."""
    command = [context.binary("fill"), station.data, station.keys, str(events)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(re.search(r"events=(\d+)", said)[1])


def fill_by_epochs(context, station, events):
    """As a station's log grows: when an epoch is full, the gateway itself ends it and begins the next."""
    full = int(re.search(r"(?m)^epoch_events = (\d+)$", station.config.read_text())[1])
    while events >= full:
        events -= fill(context, station, full)
        before = epochs(station)
        station.start(600)
        wait_for("an epoch begins", lambda: epochs(station) > before)
        station.stop()
    if events > 0:
        fill(context, station, events)


def epochs(station):
    """Lines of EPOCHS that are the first index of an epoch."""
    listed = (station.data / "EPOCHS").read_text() if (station.data / "EPOCHS").exists() else ""
    return sum(line.isdigit() for line in listed.splitlines())


def rate(context, station, port, events):
    """Both in turns on one store, so that what else the machine does meets both."""
    rounds = context.count(7, 2)
    with Store(context, port):
        command = [context.binary("drain"), station.data, station.keys, connection(port), str(rounds)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(said, flush=True)
    took = {"alone": [], "uplink": []}
    for line in said.splitlines():
        who, _, seconds = line.split()
        took[who].append(float(seconds.removeprefix("seconds=")))
    if any(len(runs) != rounds for runs in took.values()):
        raise RuntimeError("the benchmark printed other lines than expected")
    per_second = {who: events / median(runs) for who, runs in took.items()}
    # Neighbours in time are compared with each other.
    ratio = median([alone / uplink for alone, uplink in zip(took["alone"], took["uplink"])])
    own, beside = f"{per_second['uplink']:.0f}/s", f"the client alone {per_second['alone']:.0f}/s"
    return at_least(f"backlog of {events} events drains", own, beside, ratio, RATE_GOAL)


def memory(context, station, port):
    """At rest nobody listens where the store should be; then it is there, and the whole log goes up."""
    station.start(600)
    wait_for("the link is down", lambda: station.metrics().get('station_link_standing{standing="refused"}') == 1)
    events = int(station.metrics()["station_log_size"])
    rest = resident_mib(station.process.pid)
    # From here on VmHWM is the most since now (proc(5), clear_refs).
    pathlib.Path(f"/proc/{station.process.pid}/clear_refs").write_text("5")
    with Store(context, port):
        wait_for("the log is up", lambda: station.metrics()["station_link_sent"] >= events, 600)
        most = resident_mib(station.process.pid, "VmHWM")
        station.stop()
    more = most - rest
    what = f"memory while {events} events drain, more than at rest"
    return Row(what, f"{more:.1f} MiB", f"at rest {rest:.1f} MiB", "", f"≤ {MEMORY_GOAL_MIB} MiB", more <= MEMORY_GOAL_MIB)


def measure(context):
    return [*measure_rate(context), *measure_memory(context)]


def measure_rate(context):
    events = context.count(100_000, 5_000)
    (port,) = free_ports(1)
    with Station(context, store=connection(port)) as station:
        return [rate(context, station, port, fill(context, station, events))]


def measure_memory(context):
    events = 5_000 if context.quick else context.events
    (port,) = free_ports(1)
    with Station(context, store=connection(port)) as station:
        fill_by_epochs(context, station, events)
        return [memory(context, station, port)]
