"""Durable append: the log against two bare files, SQLite, redb and fjall, by the benchmark in tests/benches/append."""

import subprocess

from rows import Row, at_least

# With 2 ms added to each sync, by how many wait.
GOALS = {1: 0.95, 8: 0.95, 64: 0.80, 512: 0.45}
# What the station uses.
OURS = "log (flushes of 512 KiB)"


def measure(context):
    rounds, length_ms = context.count(7, 1), context.count(700, 100)
    program = str(context.target / "bench-append/release/bench-append")
    output = subprocess.run(
        [program, str(rounds), str(length_ms), str(context.folder)], capture_output=True, text=True, check=True
    ).stdout
    print(output, flush=True)
    rows, slow = [], False
    for line in output.splitlines():
        if " added to each sync" in line:
            slow = not line.endswith(", 0ns added to each sync")
            continue
        name, figures = line[:24].strip(), line[24:].split()
        if len(figures) != 6 or not figures[0].isdigit():
            continue
        waiting, rate, growing, written = int(figures[0]), figures[1], float(figures[2]), float(figures[3])
        disk = "2 ms added to each sync" if slow else "the disk as it is"
        what = f"append, {waiting} waiting, {disk}: {name}"
        if name != OURS:
            rows.append(Row(what, f"{rate}/s", "raw, growing · written before", f"{growing:.2f} · {written:.2f}"))
        elif slow:
            rows.append(at_least(what, f"{rate}/s", "raw, growing", growing, GOALS[waiting]))
            rows.append(at_least(what, f"{rate}/s", "raw, written before", written, GOALS[waiting]))
        else:
            rows.append(Row(what, f"{rate}/s", "raw, growing · written before", f"{growing:.2f} · {written:.2f}"))
    if len(rows) < 8:
        raise RuntimeError("the benchmark printed other lines than expected")
    return rows
