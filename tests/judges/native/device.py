"""A device that speaks MQTT itself, written from AsyncAPI, the JSON Schemas and ops/docs/native-devices.md alone, with Eclipse paho and
nothing of this project."""

import functools
import json
import pathlib
import queue
import socket
import threading
import time
import uuid
from typing import Any

import jsonschema
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

Message = dict[str, Any]

SCHEMAS = pathlib.Path(__file__).parents[3] / "schemas/json/messages"
SESSION_EXPIRY_S = 3600


@functools.cache
def schema(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text()))


def valid(name: str, message: Message) -> Message:
    """The message, if it is one of that name by the contract."""
    schema(name).validate(message)
    return message


class PowerCut(Exception):
    """The device is without power from here on: no reply, no goodbye."""


class Device:
    """Birth and last will, description, status, commands once by their id, replies again for a repeated command.

    A kind of device has a method for each of its commands: `read` answers `cmd/read`, `match_on_sensor` `cmd/match-on-sensor`. It gets the
    command and returns what the reply says beyond its ids.
    """

    kind: str
    commands: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    def __init__(self, port: int, device: str) -> None:
        self.base = f"station/v1/demo/{device}"
        self.boot_id = str(uuid.uuid4())
        self.answered: dict[str, Message] = {}
        self.acted: list[str] = []
        self.repeated: list[str] = []
        #: The line is cut when this command has been acted on, before its arrival is acknowledged: the broker sends it again.
        self.cut_line_after: str | None = None
        self.failure: str | None = None
        self.waiting: queue.Queue[tuple[str, Message, float] | None] = queue.Queue()
        self.port, self.client = port, self.connection(device)
        # What takes long is done beside the connection, one command after the other.
        self.worker = threading.Thread(target=self.work, daemon=True)

    def start(self) -> "Device":
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        self.client.connect(
            "127.0.0.1", self.port, keepalive=10, clean_start=mqtt.MQTT_CLEAN_START_FIRST_ONLY, properties=properties
        )
        self.worker.start()
        self.client.loop_start()
        return self

    def connection(self, device: str) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=device, protocol=mqtt.MQTTv5, manual_ack=True)
        client.reconnect_delay_set(1, 1)
        client.will_set(f"{self.base}/$state", self.life("lost"), qos=1, retain=True)
        client.on_connect, client.on_message = self.connected, self.message
        client.on_publish = lambda *told: self.published(told[3])
        return client

    def life(self, state: str) -> str:
        return json.dumps(valid("life", {"state": state, "protocol": 1, "boot_id": self.boot_id}))

    def description(self) -> Message:
        about = {"kind": self.kind, "vendor": "Somebody Else", "model": "native", "firmware": "7"}
        return about | {"commands": list(self.commands), "events": list(self.events)}

    def connected(self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        assert not reason.is_failure, f"{self.base}: {reason}"
        client.subscribe([(f"{self.base}/cmd/+", 1), (f"{self.base}/receipt/+", 1), (f"{self.base}/session", 1)])
        # The status before the birth, so that whoever sees the birth finds the status right.
        self.tell_status()
        self.send("desc", valid("description", self.description()), retain=True)
        client.publish(f"{self.base}/$state", self.life("online"), qos=1, retain=True)

    def tell_status(self) -> None:
        self.send("state", valid("status", self.status()), retain=True)

    def status(self) -> Message:
        return {"status": "online"}

    def published(self, reason: Any) -> None:
        if reason.is_failure:
            self.failure = f"{self.base}: refused at the door: {reason}"

    def message(self, client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        channel = message.topic.removeprefix(f"{self.base}/")
        body = json.loads(message.payload)
        if channel != f"cmd/{self.cut_line_after}":
            client.ack(message.mid, message.qos)
        if channel.startswith("cmd/"):
            self.waiting.put((channel.removeprefix("cmd/"), body, time.monotonic()))
        else:
            self.told(channel, body)

    def work(self) -> None:
        while (next_one := self.waiting.get()) is not None:
            try:
                self.take(*next_one)
            except PowerCut:
                return self.lose_power()
            except Exception as error:  # on another thread: kept for the main one
                self.failure = f"{self.base}/cmd/{next_one[0]}: {error!r}"

    def take(self, name: str, command: Message, came: float) -> None:
        valid(f"{name}-command", command)
        command_id: str = command["command_id"]
        if command_id in self.answered:
            self.repeated.append(command_id)
        else:
            # Whoever asked has stopped waiting: nothing is begun any more.
            if time.monotonic() - came > command["timeout_s"]:
                return
            self.acted.append(command_id)
            said = getattr(self, name.replace("-", "_"))(command)
            reply = {"message_id": str(uuid.uuid4()), "command_id": command_id, **said}
            self.answered[command_id] = valid(f"{name}-reply", reply)
        # A command that comes twice is acted on once and answered again, byte for byte.
        self.send(f"cmd/{name}/reply", self.answered[command_id])
        line = self.client.socket()
        if name == self.cut_line_after and isinstance(line, socket.socket):
            self.cut_line_after = None
            line.shutdown(socket.SHUT_RDWR)

    def told(self, channel: str, body: Message) -> None:
        """Receipts, and what a kiosk shows."""

    def event(self, name: str, command_id: str | None = None) -> None:
        event = {"message_id": str(uuid.uuid4())} | ({"command_id": command_id} if command_id else {})
        self.send(f"event/{name}", valid("device-event", event))

    def measure(self, name: str, value: float) -> None:
        self.send(f"prop/{name}", valid("measurement", {"value": value}), retain=True)

    def blob(self, content: bytes, command: Message | None = None) -> str:
        """Publishes it, for the command that asked for it, and waits until it is durable: only then may a reply name it."""
        blob = str(uuid.uuid4())
        asked = f"/{command['command_id']}" if command else ""
        self.send(f"blob/{blob}{asked}", content).wait_for_publish(10)
        return blob

    def send(self, channel: str, message: Message | bytes, retain: bool = False) -> mqtt.MQTTMessageInfo:
        payload = message if isinstance(message, bytes) else json.dumps(message)
        return self.client.publish(f"{self.base}/{channel}", payload, qos=1, retain=retain)

    def lose_power(self) -> None:
        """No DISCONNECT: the broker publishes the last will."""
        self.client.loop_stop()
        if line := self.client.socket():
            line.close()

    def goodbye(self) -> None:
        self.client.publish(f"{self.base}/$state", self.life("offline"), qos=1, retain=True).wait_for_publish(5)
        self.waiting.put(None)
        self.client.disconnect()
        self.client.loop_stop()

    def judge(self) -> int:
        """How many commands it acted on: each once."""
        assert self.failure is None, self.failure
        assert len(self.acted) == len(set(self.acted)), f"{self.base}: a command was acted on twice"
        return len(self.acted)
