"""Memory at rest and with a long log and a thousand clients; how long a cold start takes."""

import pathlib
import subprocess
import time

from rows import Row
from station import Station, cpu_seconds, resident_mib, wait_for

IDLE_GOAL_MIB, FULL_GOAL_MIB = 30, 120
CLIENTS = 1000


def below(what, mib, goal):
    return Row(what, f"{mib:.1f} MiB", "", f"{mib / goal:.2f} of the goal", f"≤ {goal} MiB", mib <= goal)


def at_rest(context):
    with Station(context) as station:
        took = station.start()
        time.sleep(context.seconds(5))
        before = cpu_seconds(station.process.pid)
        time.sleep(context.seconds(10))
        busy = (cpu_seconds(station.process.pid) - before) / context.seconds(10) * 100
        mib = resident_mib(station.process.pid)
    return [
        below("memory at rest, an empty log", mib, IDLE_GOAL_MIB),
        Row("processor at rest", f"{busy:.2f} % of one"),
        Row("start with an empty log", f"{took:.2f} s"),
    ]


def grown(context, kind):
    events = context.count(context.events, 20_000)
    with Station(context) as station:
        subprocess.run(
            [context.binary("fill"), station.data, station.keys, str(events), kind], check=True, stdout=subprocess.DEVNULL
        )
        size = sum(file.stat().st_size for file in station.data.rglob("*") if file.is_file())
        warm = station.start(600)
        station.stop()
        # Cold: nothing of the log in the page cache, where that may be asked for.
        cold, what = warm, "warm (the page cache could not be dropped)"
        try:
            subprocess.run(["sync"], check=True)
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
            what = "cold"
        except OSError:
            pass
        cold = station.start(600)
        time.sleep(context.seconds(5))
        alone = resident_mib(station.process.pid)
        most = resident_mib(station.process.pid, "VmHWM")
        clients, full = with_clients(context, station)
    log = f"{events} events ({kind}, {size / 2**20:.0f} MiB)"
    return [
        Row(f"start, {log}, {what}", f"{cold:.2f} s", f"warm {warm:.2f} s", f"{events / cold:.0f} events/s"),
        Row(f"memory, {log}", f"{alone:.1f} MiB", f"most at start {most:.1f} MiB"),
        below(f"memory, {log}, {clients:.0f} clients", full, FULL_GOAL_MIB),
    ]


def with_clients(context, station):
    """Holds the clients for as long as it takes; gives how many there were, and the memory with them."""
    hold = subprocess.Popen(
        [context.binary("examples/load"), "--connect", f"127.0.0.1:{station.mqtt}", "--idle", "--connections", str(CLIENTS),
         "--seconds", "40"], stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        name = "station_broker_connections"
        wait_for("the clients are connected", lambda: station.metrics().get(name, 0) >= CLIENTS, 35)
        time.sleep(context.seconds(3))
        return station.metrics()[name], resident_mib(station.process.pid)
    finally:
        hold.kill()
        hold.wait()


def measure(context):
    rows = at_rest(context)
    for kind in ("pickups", "reports"):
        rows += grown(context, kind)
    return rows
