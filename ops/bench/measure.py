"""Runs the parts and prints their rows as one markdown table."""

import argparse
import pathlib
import sys
import tempfile

import append
import application
import broker
import devices
import link
import memory
import mqtt
import offline
import pickup
from rows import Context, table

PARTS = {
    "append": append.measure,
    "mqtt": mqtt.against_mosquitto,
    "paced": mqtt.against_one_sync,
    "pickup": pickup.measure,
    "application": application.measure,
    "memory": memory.measure,
    "link": link.measure,
    "offline": offline.measure,
    "broker": broker.measure,
    "devices": devices.measure,
}


def arguments():
    parser = argparse.ArgumentParser(prog="ops/bench/run")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--root", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--target", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--profile", required=True, help=argparse.SUPPRESS)
    given = parser.parse_args()
    for part in given.parts:
        if part not in PARTS:
            parser.error(f"no part {part}; there are {', '.join(PARTS)}")
    return given


def filesystem(folder):
    """The kind of file system that a folder lies on, from /proc/mounts."""
    path, best = str(folder.resolve()), ("", "?")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, point, kind = line.split()[:3]
        if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def main():
    given = arguments()
    kind = filesystem(given.folder)
    if kind in ("tmpfs", "ramfs"):
        sys.exit(f"{given.folder} lies in memory ({kind}), where a sync costs nothing; name another with --folder")
    context = Context(given.root, given.target, given.profile, given.folder, given.quick, given.events)
    rows, failed = [], []
    for part in given.parts or PARTS:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        try:
            rows += PARTS[part](context)
        except Exception as error:  # one part that cannot run must not hide the others
            failed.append(f"{part}: {type(error).__name__}: {error}")
            print(failed[-1], file=sys.stderr, flush=True)
    print(f"\nDisk: {kind}." + (" Quick: the figures mean nothing." if given.quick else ""))
    print(table(rows))
    for line in failed:
        print(f"NOT MEASURED: {line}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
