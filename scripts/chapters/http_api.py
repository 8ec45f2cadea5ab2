"""Every route with the permission it asks for, from the routers themselves."""

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType

from fastapi import APIRouter
from fastapi.routing import APIRoute

from scripts.chapters.markdown import code, sentence, table
from waystream.parts.people.model import ROLES, Permission
from waystream.web import health, stream
from waystream.web.navigation import list_pages, list_resources

TITLE = "HTTP"
ABOUT = """Every address Waystream answers at and the permission it asks for.

Programs call `/api/…` with `Authorization: Bearer KEY`. A running Waystream describes the same routes with every
field at `/api/openapi.json`. Errors are problem+json (RFC 9457)."""

PUBLIC_TITLE = "public"


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    permission: str
    says: str


def page() -> str:
    resources = "\n".join(_resource(module) for module in list_resources() if any(module.router.routes))
    pages = [route for module in list_pages() for route in list_routes(module.router)]
    machines = [*list_routes(health.router), *list_routes(stream.router)]
    return (
        f"{resources}\n## For machines\n\n{_table([*machines, _push()])}"
        f"\n## Pages\n\nServer-rendered; a browser session instead of a key.\n\n{_table(pages)}"
        f"\n## Permissions\n\nWhat each role may do; an API key is given permissions one by one.\n\n{_permissions()}"
    )


def _resource(module: ModuleType) -> str:
    name = module.__name__.rpartition(".")[2].replace("_", " ")
    return f"## {name.capitalize()}\n\n{sentence(module)}\n\n{_table(list_routes(module.router, prefix='/api'))}"


def list_routes(router: APIRouter, prefix: str = "") -> Iterator[Route]:
    """Its routes and those of the routers it includes, which FastAPI keeps whole until they are asked for."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from list_routes(included, prefix + route.include_context.prefix)  # type: ignore[attr-defined]
        elif isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield Route(
                    method,
                    prefix + re.sub(r":\w+}", "}", route.path),
                    permission_of(route),
                    route.summary or _says(route),
                )


def _says(route: APIRoute) -> str:
    doc = inspect.cleandoc(route.endpoint.__doc__ or "")
    return " ".join(doc.split("\n\n")[0].split()) if doc else route.endpoint.__name__.replace("_", " ")


def permission_of(route: APIRoute) -> str:
    """What the route's requirement asks for; tests read it the same way."""
    asked = [getattr(each.call, "permission", "") for each in route.dependant.dependencies]
    asked += [getattr(each.dependency, "permission", "") for each in route.dependencies]
    return next((permission for permission in asked if permission), PUBLIC_TITLE)


def _push() -> Route:
    return Route("POST", "/push/{integration}/{code}", "the signature", "carriers push here; answered after the commit")


def _table(routes: Iterable[Route]) -> str:
    rows = [(route.method, code(route.path), _asked(route.permission), route.says) for route in routes]
    return table(("method", "address", "permission", "what"), rows)


def _asked(permission: str) -> str:
    return code(permission) if ":" in permission else permission


def _permissions() -> str:
    rows = [[code(each), *("yes" if each in ROLES[role] else "" for role in ROLES)] for each in Permission]
    return table(("permission", *ROLES), rows)
