"""What it costs to bring dispensers to MQTT: processor time of polling, and what the adapter adds on a command's way to its motion."""

import pathlib
import subprocess
import tempfile
import time

from rows import Row, at_most
from station import cpu_seconds, free_ports, listening, wait_for

DISPENSERS, GOAL_PERCENT = 64, 5
# The dispensers' own memory, which they write before they answer, is no part of what is measured.
IN_MEMORY = pathlib.Path("/dev/shm")


def mosquitto(folder, port):
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    command = ["/usr/sbin/mosquitto", "-c", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("mosquitto", lambda: listening(port))
    return process


def started(command):
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def measure(context):
    devices = str(context.target / context.profile / "examples/devices")
    running = []
    with tempfile.TemporaryDirectory(prefix="devices-bench-", dir=IN_MEMORY if IN_MEMORY.is_dir() else context.folder) as place:
        folder = pathlib.Path(place)
        (port,) = free_ports(1)
        try:
            running.append(mosquitto(folder, port))
            return [polled(context, devices, folder, port, running), commanded(context, devices, folder, port)]
        finally:
            for process in reversed(running):
                process.kill()
                process.wait()


def polled(context, devices, folder, port, running):
    """Processor time of the adapters' process alone: the simulated dispensers and the broker are others."""
    dispensers = started([devices, "dispensers", str(folder), str(DISPENSERS)])
    running.append(dispensers)
    ports = dispensers.stdout.readline().split()
    ours = share(context, [devices, "adapters", str(port), *ports], running)
    floor = share(context, [devices, "bare", *ports], running)
    running.remove(dispensers)
    dispensers.kill()
    dispensers.wait()
    what = f"{DISPENSERS} dispensers polled 10 times a second, processor time, % of one core"
    beside = f"the Modbus client alone {floor:.2f} %, a ratio of {ours / floor:.2f}"
    if floor > GOAL_PERCENT:
        beside += f"; more than the goal of {GOAL_PERCENT} %, which no adapter can reach on this machine"
    return at_most(what, f"{ours:.2f} %", beside, ours / GOAL_PERCENT, 1)


def share(context, command, running):
    """Processor time of a process, in % of one core."""
    process = started(command)
    running.append(process)
    process.stdout.readline()
    # Connections, births and first values are over.
    time.sleep(context.seconds(5))
    began, before = time.monotonic(), cpu_seconds(process.pid)
    time.sleep(context.seconds(30))
    used = 100 * (cpu_seconds(process.pid) - before) / (time.monotonic() - began)
    running.remove(process)
    process.kill()
    process.wait()
    return used


def commanded(context, devices, folder, port):
    count = str(context.count(300, 20))
    answer = subprocess.run([devices, "latency", str(port), str(folder), count], capture_output=True, text=True, check=True)
    through, bare, mqtt = (int(word) / 1000 for word in answer.stdout.split())
    added = through - mqtt - bare
    what = f"command to motion, added by the adapter to a bare FC10 of {bare:.2f} ms and MQTT of {mqtt:.2f} ms, median of {count}"
    return Row(what, f"{added:.2f} ms", "10 ms", f"{added / 10:.2f}", "≤ 1", added <= 10)
