"""A device that speaks MQTT itself, written from AsyncAPI and the JSON Schemas alone, with Eclipse paho and nothing of this project."""

import json
import pathlib
import threading
import uuid

import jsonschema
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SCHEMAS = pathlib.Path(__file__).parents[3] / "schemas/json/messages"
SESSION_EXPIRY_S = 3600


def valid(name, message):
    """The message, if it is one of that name by the contract."""
    jsonschema.validate(message, json.loads((SCHEMAS / f"{name}.json").read_text()))
    return message


class Device:
    """Birth and last will, description, status, commands once by their id, replies again for a repeated command."""

    def __init__(self, port, device, description, commands):
        self.base = f"station/v1/demo/{device}"
        self.description, self.commands = description, commands
        self.boot_id = str(uuid.uuid4())
        self.answered, self.acted = {}, []
        self.failure, self.present = None, threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device, protocol=mqtt.MQTTv5)
        client.will_set(f"{self.base}/$state", self.life("lost"), qos=1, retain=True)
        client.on_connect, client.on_message = self.connected, self.message
        client.on_publish = lambda *told: self.published(told[3])
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        self.client = client
        client.connect("127.0.0.1", port, keepalive=10, clean_start=True, properties=properties)
        client.loop_start()

    def life(self, state):
        return json.dumps(valid("life", {"state": state, "protocol": 1, "boot_id": self.boot_id}))

    def connected(self, client, _userdata, _flags, reason, _properties):
        assert not reason.is_failure, f"{self.base}: {reason}"
        client.subscribe([(f"{self.base}/cmd/+", 1), (f"{self.base}/receipt/+", 1), (f"{self.base}/session", 1)])
        # The status before the birth, so that whoever sees the birth finds the status right.
        if self.description["kind"] != "kiosk":
            self.send("state", valid("status", {"status": "online"}), retain=True)
        self.send("desc", valid("description", self.description), retain=True)
        client.publish(f"{self.base}/$state", self.life("online"), qos=1, retain=True)
        self.present.set()

    def published(self, reason):
        if reason.is_failure:
            self.failure = f"{self.base}: refused at the door: {reason}"

    def message(self, _client, _userdata, message):
        channel = message.topic.removeprefix(f"{self.base}/")
        try:
            self.take(channel, json.loads(message.payload))
        except Exception as error:  # on another thread: kept for the main one
            self.failure = f"{self.base}/{channel}: {error!r}"

    def take(self, channel, body):
        if not channel.startswith("cmd/"):
            return self.told(channel, body)
        name = channel.removeprefix("cmd/")
        valid(f"{name}-command", body)
        if body["command_id"] in self.answered:
            # A command that comes twice is acted on once and answered again, unchanged.
            return self.send(f"cmd/{name}/reply", self.answered[body["command_id"]])
        self.acted.append(body["command_id"])
        reply = {"message_id": str(uuid.uuid4()), "command_id": body["command_id"], **self.commands[name](self, body)}
        self.answered[body["command_id"]] = valid(f"{name}-reply", reply)
        self.send(f"cmd/{name}/reply", reply)

    def told(self, channel, body):
        """Receipts, and what a kiosk shows."""

    def event(self, name, command_id):
        event = {"message_id": str(uuid.uuid4()), "command_id": command_id}
        self.send(f"event/{name}", valid("device-event", event))

    def send(self, channel, message, retain=False):
        payload = message if isinstance(message, bytes) else json.dumps(message)
        return self.client.publish(f"{self.base}/{channel}", payload, qos=1, retain=retain)

    def goodbye(self):
        self.client.publish(f"{self.base}/$state", self.life("offline"), qos=1, retain=True).wait_for_publish(5)
        self.client.disconnect()
        self.client.loop_stop()
