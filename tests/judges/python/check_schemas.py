"""The schema files judged by the Python package jsonschema, draft 2020-12: each is a schema, each example fits, what is
to be refused is refused, and the data of every golden event fits the schema that its `dataschema` names. So for what stands in the
centre's store and for what a matcher is asked."""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "schemas"
EXAMPLES = ROOT / "tests" / "contract" / "examples"
URN = "urn:station-gateway:schema:"


def validators(part: str, kind: str) -> dict[str, Draft202012Validator]:
    found = {}
    for path in sorted((SCHEMAS / "json" / part).glob("*.json")):
        schema = json.loads(path.read_text())
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"].endswith("/2020-12/schema"), f"{path.name}: not draft 2020-12"
        assert schema["$id"] == f"{URN}{kind}:{path.stem}", f"{path.name}: $id is {schema['$id']}"
        found[schema["$id"]] = Draft202012Validator(schema)
    return found


def main() -> int:
    messages = validators("messages", "message")
    events = validators("events", "event")
    counted = 0
    for file, wanted in (("messages.json", True), ("refused.json", False)):
        examples = json.loads((EXAMPLES / file).read_text())
        assert len(examples) == len(messages), f"{file}: {len(examples)} of {len(messages)} messages"
        for name, payloads in examples.items():
            for payload in payloads:
                counted += 1
                assert messages[f"{URN}message:{name}"].is_valid(payload) == wanted, f"{file}: {name}: {payload}"
    centre = validators("centre", "centre")
    examples = json.loads((EXAMPLES / "centre.json").read_text())
    assert len(examples) == len(centre), f"centre.json: {len(examples)} of {len(centre)} schemas"
    for name, example in examples.items():
        counted += 1
        schema = centre[f"{URN}centre:{name}"]
        schema.validate(example)
        assert not schema.is_valid({}), f"{name}: nothing at all is taken"
        # What stands beside an event may grow; an instruction may not.
        more = schema.is_valid(example | {"more": 1})
        assert more == (name == "metadata"), f"{name}: an unknown member"
    matcher = validators("matcher", "matcher")
    examples = json.loads((EXAMPLES / "matcher.json").read_text())
    assert len(examples) == len(matcher), f"matcher.json: {len(examples)} of {len(matcher)} schemas"
    for name, judged in examples.items():
        for kind, wanted in (("good", True), ("refused", False)):
            for example in judged[kind]:
                counted += 1
                assert matcher[f"{URN}matcher:{name}"].is_valid(example) == wanted, f"matcher.json: {name}: {example}"
    golden = sorted((SCHEMAS / "golden").glob("*.json"))
    assert len(golden) == len(events), f"{len(golden)} golden events, {len(events)} schemas"
    for path in golden:
        event = json.loads(path.read_text())
        events[event["dataschema"]].validate(event["data"])
        event["data"]["more"] = 1
        assert not events[event["dataschema"]].is_valid(event["data"]), f"{path.name}: an unknown member is taken"
    print(f"{len(messages)} messages, {len(events)} events and {len(centre)} parts of the centre's store, {len(matcher)} of a matcher: {counted} examples judged as they should be")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssertionError as error:
        print(error)
        sys.exit(1)
