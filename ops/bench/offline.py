"""30 days without the centre (G4): the backlog of a busy station drains, with its photos, while pickups go on."""

import pathlib
import subprocess
import tempfile
import time

from link import Store, connection
from pickup import accepted, ended, machine, stock_up
from rows import Row, at_most
from station import Station, free_ports, wait_for

# Of one card, from its manifest to the citizen: the log must not end with a card in the machine.
PICKUP_EVENTS = 27
DAYS, EVENTS_A_DAY, PHOTO_BYTES = 30, 1_500, 80_000
DRAIN_GOAL_S, SHARE_GOAL = 60, 2.0


def measure(context):
    days = context.count(DAYS, 2)
    events = days * EVENTS_A_DAY // PICKUP_EVENTS * PICKUP_EVENTS
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="blobs-bench-", dir=context.folder) as received:
        with Station(context, store=connection(port), blob_store=received) as station:
            command = [context.binary("fill"), station.data, station.keys, str(events), "pickups", str(PHOTO_BYTES)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            photos = len(list((station.data / "blobs").iterdir()))
            station.start(600)
            with machine(context, station, context.count(96, 32)):
                return drained(context, station, port, pathlib.Path(received), f"{days} days offline ({events} events", photos)


def drained(context, station, port, received, backlog, photos):
    """Half of the pickups before the centre is there, the others while the backlog drains."""
    vouchers = stock_up(context, station, context.count(96, 32))
    half = len(vouchers) // 2
    idle = [one(station, voucher, done) for done, voucher in enumerate(vouchers[:half], 1)]
    busy, began = [], time.monotonic()
    # The centre makes a station's folder; without it nothing is sent there.
    (received / "demo").mkdir()
    with Store(context, port):
        took = None
        for done, voucher in enumerate(vouchers[half:], half + 1):
            is_draining = took is None
            share = one(station, voucher, done)
            if is_draining:
                busy.append(share)
            if took is None and is_up(station):
                took = time.monotonic() - began
        took = took or wait_for("the backlog has drained", lambda: is_up(station) and time.monotonic() - began, 600)
        station.stop()
    there = sum(1 for _ in received.rglob("blobs/*"))
    if there < photos:
        raise RuntimeError(f"{there} of {photos} photos are at the centre")
    idle_ms, busy_ms = mean(idle), mean(busy)
    what = f"{backlog}, {photos} photos of {PHOTO_BYTES // 1000} kB) drain"
    drain = Row(what, f"{took:.1f} s", f"{len(busy)} pickups meanwhile", "", f"< {DRAIN_GOAL_S} s", took < DRAIN_GOAL_S)
    share = at_most(
        "gateway's own share of a pickup while it drains", f"{busy_ms:.1f} ms", f"idle {idle_ms:.1f} ms", busy_ms / idle_ms, SHARE_GOAL
    )
    return [drain, share]


def is_up(station):
    figures = station.metrics()
    return figures["station_link_sent"] >= figures["station_log_size"] - 256 and figures["station_blobs_to_send"] == 0


def one(station, voucher, done):
    """One pickup; the gateway's own share of it, in ms."""
    before = station.metrics().get("station_pickup_seconds_sum", 0)
    accepted(station, "start-pickup", claim={"voucher": voucher})
    wait_for("the end of a pickup", lambda: ended(station.metrics()) >= done)
    return (station.metrics()["station_pickup_seconds_sum"] - before) * 1000


def mean(values):
    return sum(values) / len(values)
