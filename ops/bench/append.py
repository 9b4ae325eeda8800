"""Durable append: the log against two bare files, SQLite, redb and fjall, by the benchmark in tests/benches/append."""

import re
import subprocess

from rows import Row, at_least, at_most

# With 2 ms added to each sync, by how many wait.
GOALS = {1: 0.95, 8: 0.95, 64: 0.80, 512: 0.45}
# What the station uses (the default of gateway-log).
OURS = "log (flushes of 512 KiB)"
OTHERS = ("log (flushes of 128 KiB)", "SQLite WAL FULL", "redb", "fjall")
SLOW = "2 ms added to each sync"
# Signing and tree, as the time of an event against that of the append alone; at groups of 64. All who wait may be in one group, or as many
# again wait for the next, which is signed meanwhile.
SIGNING_GOAL, SIGNING_AT_64 = 1.25, ("64 waiting", "128 waiting in groups of 64")
SIGNING = re.compile(
    r" *(\d+m?n?s) added to each sync, *(\d+ waiting[^:]*): *(\d+) events/s signed, ([\d.]+) of gathered, ([\d.]+) of gathered without tree"
)
PROOF_GOAL_MS = 1.0
PROOFS = ("inclusion", "consistency")


def measure(context):
    rounds, length_ms = context.count(7, 1), context.count(700, 100)
    program = str(context.target / "bench-append/release/bench-append")
    output = subprocess.run(
        [program, str(rounds), str(length_ms), str(context.folder)], capture_output=True, text=True, check=True
    ).stdout
    print(output, flush=True)
    runs, disk = {}, ""
    for line in output.splitlines():
        if line.endswith(" added to each sync"):
            disk = "the disk as it is" if line.endswith(", 0ns added to each sync") else SLOW
            continue
        name, figures = line[:24].strip(), line[24:].split()
        if len(figures) == 6 and figures[0].isdigit():
            runs.setdefault((disk, int(figures[0])), {})[name] = figures
    if len(runs) != 2 * len(GOALS) or any(OURS not in run for run in runs.values()):
        raise RuntimeError("the benchmark printed other lines than expected")
    appended = [row for (disk, waiting), run in runs.items() for row in rows(disk, waiting, run)]
    return appended + signing(output) + proofs(output)


def signing(output):
    """The same events through the station's way to its log, signed and not; what the tree takes is added to the share, not to the append."""
    found = [match.groups() for match in map(SIGNING.match, output.splitlines()) if match]
    if len(found) != 6:
        raise RuntimeError("the benchmark printed other lines on signing than expected")
    made = []
    for delay, waiting, rate, share, with_tree in found:
        disk = "the disk as it is" if delay == "0ns" else SLOW
        what = f"signing and tree, {waiting}, {disk}"
        own, beside = f"{rate}/s signed", f"signing alone {share}"
        if waiting in SIGNING_AT_64:
            made.append(at_most(what, own, beside, float(with_tree), SIGNING_GOAL))
        else:
            made.append(Row(what, own, beside, with_tree))
    return made


def proofs(output):
    """How long a proof takes in a log of a million events: the 99th per cent of those asked for once."""
    made = []
    for line in output.splitlines():
        name, figures = line[:32].strip(), line[32:].split()
        if name.startswith(PROOFS) and len(figures) == 6:
            once, best = figures[1], figures[4]
            took = milliseconds(once)
            goal = f"< {PROOF_GOAL_MS:g} ms"
            made.append(Row(f"proof of a million events: {name}", f"p99 {once}", f"best of three {best}", "", goal, took < PROOF_GOAL_MS))
    if not made:
        raise RuntimeError("the benchmark printed other lines on proofs than expected")
    return made


def milliseconds(duration):
    """Of a duration as Rust prints it."""
    number, unit = re.fullmatch(r"([\d.]+)(ns|µs|ms|s)", duration).groups()
    return float(number) * {"ns": 1e-6, "µs": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def rows(disk, waiting, run):
    """The log beside each of the bare files, then the other stores as shares of the growing one."""
    what = f"durable append, {waiting} waiting, {disk}"
    ours = run[OURS]
    own = f"{ours[1]}/s, p99 {ours[4]} ms"
    for name, share in (("raw, growing", ours[2]), ("raw, written before", ours[3])):
        beside = f"{name} {run[name][1]}/s"
        if disk == SLOW:
            yield at_least(what, own, beside, float(share), GOALS[waiting])
        else:
            yield Row(what, own, beside, share)
    others = ", ".join(f"{name} {run[name][2]}" for name in OTHERS)
    yield Row(f"other stores, {waiting} waiting, {disk}", others, "raw, growing")
