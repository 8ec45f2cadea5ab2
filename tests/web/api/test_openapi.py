"""The description: whole, valid, and true."""

import json
import re
from typing import Any

import pytest

from tests.web.api.desk import Desk
from waystream.parts.people.model import Permission
from waystream.web.auth import SIGNED_IN
from waystream.web.openapi import list_routes
from waystream.web.wire import read

METHODS = {"get", "post", "put", "delete"}


@pytest.fixture
def document(desk: Desk) -> dict[str, Any]:
    answer = desk.client.get("/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Waystream"
    assert len(document["paths"]) > 50
    assert all(path.startswith("/api/") for path in document["paths"])
    for path, method, operation in operations(document):
        assert method in METHODS, (path, method)
        in_path = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), path
        assert all(each.get("schema") for each in operation.get("parameters", ())), path


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    refs = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert refs
    for ref in refs:
        assert ref.removeprefix("#/components/schemas/") in document["components"]["schemas"], ref


def test_every_route_says_what_it_does_needs_gives_and_refuses(document: dict[str, Any]) -> None:
    permissions = {*Permission, SIGNED_IN}
    for path, _, operation in operations(document):
        assert operation["summary"], path
        assert operation["x-permission"] in permissions, path
        statuses = set(operation["responses"])
        assert {"401", "403", "429"} <= statuses, path
        assert len([status for status in statuses if status < "300"]) == 1, path
        if "{" in path:
            assert "404" in statuses, path
        if operation.get("requestBody"):
            assert "422" in statuses, path


def test_names_of_operations_are_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_examples_are_what_the_route_takes(desk: Desk) -> None:
    shown = [route.doc for route in list_routes(desk.client.app) if route.doc.example is not None]
    assert len(shown) > 8
    for doc in shown:
        read(doc.example, doc.takes)
