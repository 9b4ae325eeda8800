"""A card dispenser made of pymodbus's server, for the gateway's adapter: the judge of its requests and of how it reads answers.

    dispenser.py tcp 5020            Modbus TCP on this port of loopback
    dispenser.py rtu /dev/pts/7      RTU frames at this serial line, 19200 8N1

It follows ops/docs/dispenser-register-map.md, has 2 columns of 10 slots, a card in slot 1/2, and prints each motion that it makes.
"""

import asyncio
import importlib
import sys

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

COLUMNS, SLOTS_PER_COLUMN = 2, 10
NONE = 0xFFFF
TO_READER, INVENTORY, TO_OUTLET, TO_SLOT, TO_READER_AGAIN = 5, 8, 11, 12, 13
IN_READER, AT_OUTLET = 1, 4


class Dispenser:
    def __init__(self):
        self.block = [0] * 6
        self.result = 0
        self.detail = 0
        self.position = 0
        self.slots = {(1, 2)}
        self.beats = 0

    def named(self):
        return tuple(self.block[2:4]) if self.block[1] in (TO_READER, TO_SLOT) else None

    def inputs(self):
        self.beats += 1
        words = [0] * 34
        words[0:5] = [1, 1, 0x0100, self.beats & 0xFFFF, 2]
        words[6:10] = [self.block[0], self.block[1], self.result, self.detail]
        words[10:15] = [COLUMNS, SLOTS_PER_COLUMN, COLUMNS * SLOTS_PER_COLUMN - len(self.slots), len(self.slots), 2]
        words[18] = self.position
        named = self.named()
        words[23:26] = [*named, int(named in self.slots)] if named else [NONE] * 3
        words[26] = int(self.position == AT_OUTLET)
        for column, slot in self.slots:
            bit = column * SLOTS_PER_COLUMN + slot
            words[32 + bit // 16] |= 1 << bit % 16
        return words

    def command(self, block):
        if block[0] == self.block[0]:
            return None if block == self.block else ExcCodes.ILLEGAL_VALUE
        _, command, column, slot, _, _ = block
        if command in (TO_READER, TO_SLOT) and (column >= COLUMNS or slot >= SLOTS_PER_COLUMN):
            return ExcCodes.ILLEGAL_VALUE
        self.block = block
        self.result, self.detail = 2, 0
        if command == TO_READER and (column, slot) not in self.slots:
            self.result, self.detail = 4, 0xE509
        elif command == TO_READER:
            self.slots.remove((column, slot))
            self.position = IN_READER
        elif command == TO_OUTLET:
            self.position = AT_OUTLET
        elif command == TO_READER_AGAIN:
            self.position = IN_READER
        elif command == TO_SLOT:
            self.slots.add((column, slot))
            self.position = 0
        elif command != INVENTORY:
            self.result, self.detail = 4, 0xE528
        print("moved" if self.result == 2 else "rejected", *block[:4], flush=True)
        return None

    async def act(self, function, _start, address, _count, registers, values):
        if function == 4:
            registers[:] = self.inputs()
        elif function == 16 and address == 0:
            # The sequence comes first, and all six words come at once.
            return self.command(list(values)) if len(values) == 6 else ExcCodes.ILLEGAL_ADDRESS
        return None


def data(count, datatype):
    return [SimData(0, count=count, values=0 if datatype == DataType.REGISTERS else False, datatype=datatype)]


async def main(kind, where):
    words = data(8, DataType.REGISTERS), data(34, DataType.REGISTERS)
    device = SimDevice(1, simdata=(data(16, DataType.BITS), data(16, DataType.BITS), *words), action=Dispenser().act)
    if kind == "rtu":
        importlib.import_module("serial")  # pymodbus says only later, and elsewhere, that it is missing
    print("ready", flush=True)
    if kind == "tcp":
        await StartAsyncTcpServer(device, address=("127.0.0.1", int(where)))
    else:
        await StartAsyncSerialServer(device, framer=FramerType.RTU, port=where, baudrate=19200, parity="N")


asyncio.run(main(*sys.argv[1:]))
