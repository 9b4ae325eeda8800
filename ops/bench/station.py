"""A gateway as it is packaged, in a folder of its own, on ports of its own."""

import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

PIN = "97531246"


def free_ports(count):
    """Free ports on loopback, held together until all are chosen."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def wait_for(what, ready, seconds=60):
    """Looks every few milliseconds until `ready` gives something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = ready()
        if value:
            return value
        time.sleep(0.01)
    raise TimeoutError(f"{what}: not within {seconds} s")


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def resident_mib(pid, field="VmRSS"):
    """Resident memory of a process; `VmHWM` for the most it has had."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"{field} of process {pid}")


def cpu_seconds(pid):
    """User and system time of a process, in s."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Station:
    """Without simulated devices; `kiosks` are added to the shipped configuration, all at its machine. `store` and `blob_store` are the centre's."""

    def __init__(self, context, kiosks=(), store=None, blob_store=None):
        self.context = context
        self.process = None
        self.place = tempfile.TemporaryDirectory(prefix="station-bench-", dir=context.folder)
        self.root = pathlib.Path(self.place.name)
        self.mqtt, self.websocket, self.http, self.modbus, *ports = free_ports(12)
        self.control, self.pull, self.reader, self.intake_reader, self.scanner, self.matcher, self.camera, self.face_matcher = ports
        self.data, self.keys, self.inbox = (self.root / name for name in ("data", "keys", "inbox"))
        self.inbox.mkdir()
        self.camera_password = self.root / "camera.password"
        self.camera_password.write_text("of the benchmarks\n")
        self.camera_password.chmod(0o600)
        self.config = self.root / "station.toml"
        self.config.write_text(self.configured(kiosks, store, blob_store))

    def configured(self, kiosks, store, blob_store):
        text = (self.context.root / "edge-config/station.toml").read_text()
        (self.root / "centre-seal-key.hex").write_text("2a" * 32)
        hashed = subprocess.run(
            [self.context.binary("gateway"), "hash-pin"], input=PIN + "\n", capture_output=True, text=True, check=True
        )
        changes = [
            (r'"station-data"', f'"{self.data}"'),
            (r'"station-keys"', f'"{self.keys}"'),
            (r'"station-inbox"', f'"{self.inbox}"'),
            (r"127\.0\.0\.1:1883", f"127.0.0.1:{self.mqtt}"),
            (r"127\.0\.0\.1:8083", f"127.0.0.1:{self.websocket}"),
            (r"127\.0\.0\.1:9464", f"127.0.0.1:{self.http}"),
            (r"127\.0\.0\.1:5020", f"127.0.0.1:{self.modbus}"),
            (r"127\.0\.0\.1:5021", f"127.0.0.1:{self.reader}"),
            (r"127\.0\.0\.1:5022", f"127.0.0.1:{self.intake_reader}"),
            (r"127\.0\.0\.1:5023", f"127.0.0.1:{self.scanner}"),
            (r"127\.0\.0\.1:5024", f"127.0.0.1:{self.matcher}"),
            (r"127\.0\.0\.1:5025", f"127.0.0.1:{self.camera}"),
            (r"127\.0\.0\.1:5026", f"127.0.0.1:{self.face_matcher}"),
            (r"127\.0\.0\.1:9465", f"127.0.0.1:{self.control}"),
            (r"127\.0\.0\.1:9466", f"127.0.0.1:{self.pull}"),
            (r"(?m)^.*seal_key =.*$", f'seal_key = "{self.root}/centre-seal-key.hex"'),
            (r"(?m)^pin_hash = .*$", f'pin_hash = "{hashed.stdout.strip()}"'),
            (r'recorder = "', f'user = "station"\npassword_file = "{self.camera_password}"\nrecorder = "'),
            (r"simulated_devices = true", "simulated_devices = false"),
        ]
        if store:
            changes.append((r"(?m)^# store = .*$", f'store = "{store}"'))
        if blob_store:
            changes.append((r"(?m)^# blob_store = .*$", f'blob_store = "{blob_store}"'))
        for pattern, new in changes:
            text, found = re.subn(pattern, lambda _, new=new: new, text)
            if not found:
                raise LookupError(f"the shipped station.toml has no {pattern}")
        return text + "".join(f'\n[[kiosk]]\nid = "{kiosk}"\nmachine = "machine-1"\n' for kiosk in kiosks)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.place.cleanup()

    def start(self, seconds=60):
        """Starts it; returns how long it took until it said that it is ready, in s."""
        began = time.monotonic()
        with open(self.root / "gateway.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.context.binary("gateway"), "run", "--config", self.config], cwd=self.root, stdout=log, stderr=log
            )
        wait_for("the gateway is ready", self.ready, seconds)
        return time.monotonic() - began

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("the gateway ended: " + (self.root / "gateway.log").read_text()[-2000:])
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=5).status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.process = None

    def metrics(self):
        """Figures by name and labels as printed."""
        body = urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10).read().decode()
        lines = (line.rsplit(" ", 1) for line in body.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in lines}
