"""The description of events: whole, and each of its references leads somewhere."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

from tests.web.api.desk import Desk
from waystream.core.public_event import public_types

STORED = Path(__file__).resolve().parents[3] / "docs" / "reference" / "asyncapi.json"


def resolve(document: dict[str, Any], ref: str) -> Any:
    found: Any = document
    for step in ref.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_what_is_served_is_what_is_in_the_repository(desk: Desk) -> None:
    answer = desk.client.get("/api/asyncapi.json")
    assert answer.status_code == 200 and answer.json() == json.loads(STORED.read_text(encoding="utf-8"))


def test_the_document_is_asyncapi(desk: Desk) -> None:
    document = desk.client.get("/api/asyncapi.json").json()
    assert document["asyncapi"] == "3.0.0" and {"title", "version"} <= document["info"].keys()
    refs = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert all(resolve(document, ref) for ref in refs)
    assert set(document["components"]["messages"]) == set(public_types())
    for operation in document["operations"].values():
        channel = resolve(document, operation["channel"]["$ref"])
        assert operation["action"] == "send" and len(operation["messages"]) == len(channel["messages"])
    for name, message in document["components"]["messages"].items():
        jsonschema.Draft202012Validator.check_schema(resolve(document, message["payload"]["$ref"]))
        jsonschema.Draft202012Validator.check_schema(resolve(document, message["headers"]["$ref"]))
        assert message["name"] == name and message["summary"]
