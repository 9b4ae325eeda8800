"""The broker alone: acknowledged a second over a commit of 5 ms, and what a thousand idle connections cost."""

import subprocess
import time

from rows import Row, median
from station import free_ports, listening, resident_mib, wait_for

RATE_GOAL = 100_000
IDLE, IDLE_GOAL_MB = 1000, 16


def measure(context):
    return [acknowledged(context), idle(context)]


def acknowledged(context):
    rates = []
    for _ in range(context.count(3, 1)):
        command = [context.binary("examples/load"), "--seconds", str(context.seconds(5))]
        words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        rates.append(int(words[words.index("per_second") + 1]))
    rate = median(rates)
    what = "broker alone, 100 connections with 16 in flight over a commit of 5 ms, acknowledged"
    return Row(what, f"{rate:.0f}/s", "", f"{rate / RATE_GOAL:.2f} of the goal", f"> {RATE_GOAL}/s", rate > RATE_GOAL)


def idle(context):
    port = free_ports(1)[0]
    broker = subprocess.Popen([context.binary("examples/standalone"), "--tcp", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        wait_for("the broker", lambda: listening(port), 10)
        time.sleep(1)
        before = resident_mib(broker.pid)
        hold = subprocess.Popen(
            [context.binary("examples/load"), "--connect", f"127.0.0.1:{port}", "--idle", "--connections", str(IDLE),
             "--seconds", "8"], stdout=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(5)
        if hold.poll() is not None:
            raise RuntimeError("the connections did not hold")
        after = resident_mib(broker.pid)
        hold.kill()
        hold.wait()
    finally:
        broker.terminate()
        broker.wait()
    used = (after - before) * 2**20 / 1e6
    what = f"broker alone, {IDLE} idle connections"
    own = f"{used:.1f} MB more, {after:.1f} MiB in all"
    return Row(what, own, "", f"{used / IDLE_GOAL_MB:.2f} of the goal", f"< {IDLE_GOAL_MB} MB", used < IDLE_GOAL_MB)
