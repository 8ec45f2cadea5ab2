"""The description of the HTTP interface, OpenAPI 3.1: made from the routes themselves, so that it cannot lie.

Paths and parameters come from FastAPI, bodies and answers from what each route says with `told(...)`, permissions
from the dependency that demands them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from waystream.web import idempotency, wire
from waystream.web.errors import PROBLEM
from waystream.web.interface import DOCS, Doc, May
from waystream.web.wire import Id

Json = dict[str, Any]

REFS = "#/components/schemas/{name}"
EVERY_ROUTE = (401, 403, 429)
WRITES = frozenset({"POST", "PUT", "DELETE"})
INTRO = """Everything Waystream does, for programs. Ids are text. Amounts are fen, weights grams, sizes millimetres,
instants UTC. Lists go by key: hand `after` in again. Errors are problem+json and name the wrong field in
`errors[].path`. An `Idempotency-Key` makes a repeated request harmless for 24 hours."""


class FieldProblem(msgspec.Struct):
    """`path` is the field that is wrong: `orders[3].lines[0].quantity`."""

    path: str
    detail: str


class Problem(msgspec.Struct):
    """RFC 9457. `code` is in the server's log too, for faults that are ours."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldProblem, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the interface as it is described."""

    path: str
    method: str
    endpoint: Callable[..., Any]
    permission: str

    @property
    def doc(self) -> Doc:
        """Raises `KeyError` for a route that does not say what it takes and gives."""
        return DOCS[self.endpoint]


def list_routes(app: FastAPI) -> list[Route]:
    """Every route of the interface."""
    return [
        Route(context.path or "", method, context.endpoint, permission)
        for context in iter_route_contexts(app.routes)
        if context.endpoint is not None and (permission := _permission(context)) is not None
        for method in sorted(context.methods or ())
    ]


def _permission(context: Any) -> str | None:
    calls = [dependency.call for dependency in getattr(getattr(context, "dependant", None), "dependencies", ())]
    return next((call.permission for call in calls if isinstance(call, May)), None)


def describe(app: FastAPI) -> Json:
    """The whole document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _describe(app)
    return app.openapi_schema


def _describe(app: FastAPI) -> Json:
    routes = list_routes(app)
    document = get_openapi(title=app.title, version=app.version, description=INTRO, routes=app.routes)
    schemas, components = _schemas(routes)
    for route in routes:
        operation: Json = document["paths"][route.path][route.method.lower()]
        if route.method in WRITES:
            operation.setdefault("parameters", []).append(_KEY)
        operation |= _operation(route, schemas)
    words = {name: schema for name, schema in document["components"]["schemas"].items() if "enum" in schema}
    document["components"] = {
        "schemas": words | components,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key"}},
    }
    document["security"] = [{"key": []}]
    return document


def _schemas(routes: list[Route]) -> tuple[dict[Any, Json], Json]:
    """The schema of every shape that is taken or given, and the named ones they refer to."""
    shapes = list(dict.fromkeys([Problem, *(shape for route in routes for shape in _shapes(route.doc))]))
    made, components = msgspec.json.schema_components(shapes, schema_hook=_describe_own, ref_template=REFS)
    return dict(zip(shapes, made, strict=True)), components


def _shapes(doc: Doc) -> Iterator[Any]:
    yield from (shape for shape in (doc.takes, doc.gives) if shape is not None and shape is not bytes)


def _describe_own(kind: type) -> Json:
    assert kind is Id, f"no description of a {kind.__name__}"
    return {"type": "string", "pattern": "^[0-9]{1,19}$"}


def _operation(route: Route, schemas: dict[Any, Json]) -> Json:
    doc = route.doc
    found: Json = {
        "operationId": route.endpoint.__name__,
        "x-permission": route.permission,
        "responses": {str(doc.status): _answer(doc, schemas)} | _errors(doc, schemas[Problem]),
    }
    if doc.takes is not None:
        body = {"schema": schemas[doc.takes]} | ({"example": doc.example} if doc.example is not None else {})
        found["requestBody"] = {"required": True, "content": {wire.JSON: body}}
    return found


_KEY: Json = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "Random; the same request under the same key is done once and answered the same.",
    "schema": {"type": "string", "maxLength": idempotency.KEY_MAX},
}


def _answer(doc: Doc, schemas: dict[Any, Json]) -> Json:
    schema = {"type": "string", "format": "binary"} if doc.gives is bytes else schemas[doc.gives]
    return {"description": HTTPStatus(doc.status).phrase, "content": {doc.media: {"schema": schema}}}


def _errors(doc: Doc, problem: Json) -> Json:
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": {PROBLEM: {"schema": problem}}}
        for status in sorted({*EVERY_ROUTE, *doc.errors})
    }
