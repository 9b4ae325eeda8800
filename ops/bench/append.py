"""Durable append: the log against two bare files, SQLite, redb and fjall, by the benchmark in tests/benches/append."""

import subprocess

from rows import Row, at_least

# With 2 ms added to each sync, by how many wait.
GOALS = {1: 0.95, 8: 0.95, 64: 0.80, 512: 0.45}
# What the station uses (the default of gateway-log).
OURS = "log (flushes of 512 KiB)"
OTHERS = ("log (flushes of 128 KiB)", "SQLite WAL FULL", "redb", "fjall")
SLOW = "2 ms added to each sync"


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
    return [row for (disk, waiting), run in runs.items() for row in rows(disk, waiting, run)]


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
