#!/usr/bin/env python3
"""Every device of a station is somebody else's MQTT client (G1): dispenser, readers, scanner, camera, face matcher and kiosk. The
configuration lists no adapter. Cards are loaded, counted, collected, jam, and go back; then a card is applied for.

    check.py GATEWAY SIMULATOR    the two programs, beside the latter `simulated-eventstore`: for the centre, no device is simulated
"""

import pathlib
import sys
import tempfile

from application import application
from pickup import Machine, pickups
from station import Station


def main(gateway: str, simulator: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        station = Station(pathlib.Path(folder), pathlib.Path(gateway).resolve(), pathlib.Path(simulator).resolve())
        with station.running():
            machine = Machine(station)
            machine.start()
            pickups(machine)
            application(machine)
            machine.judge()
            for device in machine.devices:
                device.goodbye()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
