"""Speaks to the simulated dispenser as any Modbus master would: `judge_pymodbus.py PORT [rtu]`. Prints `agreed` when the map holds."""

import sys
import time

from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

framer = FramerType.RTU if sys.argv[2:] == ["rtu"] else FramerType.SOCKET
client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]), framer=framer, timeout=10)
assert client.connect(), "no connection"


def inputs(address, count):
    answer = client.read_input_registers(address, count=count, device_id=1)
    assert not answer.isError(), answer
    return answer.registers


def refused(code, answer):
    assert answer.isError() and answer.exception_code == code, answer


status = inputs(0, 27)
assert status[:2] == [1, 1], status
assert status[10:14] == [8, 250, 1999, 1], status
# Slot 1/2 is bit 252: word 15, bit 12.
bitmap = inputs(32, 125)
assert bitmap[15] == 1 << 12 and sum(bitmap) == 1 << 12, bitmap
discrete = client.read_discrete_inputs(0, count=7, device_id=1)
assert discrete.bits[:7] == [False, False, False, True, False, False, False], discrete.bits

refused(3, client.write_registers(0, [7, 5, 8, 0, 0, 0], device_id=1))
move = [7, 5, 1, 2, 0, 0]
assert not client.write_registers(0, move, device_id=1).isError()
assert inputs(6, 3) == [7, 5, 1], "not accepted"
refused(6, client.write_registers(0, [8, 1, 0, 0, 0, 0], device_id=1))
assert not client.write_registers(0, move, device_id=1).isError(), "the same again while it moves"
limit = time.monotonic() + 30
while inputs(8, 1) == [1]:
    assert time.monotonic() < limit, "never done"
    time.sleep(0.05)
assert inputs(6, 4) == [7, 5, 2, 0], "not done"
assert inputs(18, 1) == [1], "not in the reader"
assert not client.write_registers(0, move, device_id=1).isError(), "the same again when it is done"
refused(3, client.write_registers(0, [7, 6, 0, 0, 0, 0], device_id=1))
assert inputs(6, 4) == [7, 5, 2, 0], "it moved again"
assert client.read_holding_registers(0, count=6, device_id=1).registers == move
refused(2, client.read_input_registers(5000, count=1, device_id=1))
client.close()
print("agreed")
