"""Saved mappings of a file's columns over the API."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.core.sheet import choices
from waystream.kernel.tx import Tx
from waystream.parts.imports import actions
from waystream.parts.imports.model import COLUMNS_MAX, NAME_MAX, SavedMapping
from waystream.web.interface import Call, may, told
from waystream.web.pages.imports.targets import TARGETS
from waystream.web.wire import Asked, Told, see

WRITE = "orders:write"

router = APIRouter(tags=["imports"])

Header = Annotated[str, Meta(min_length=1, max_length=200, description="A header as the file spells it")]
Field = Annotated[str, Meta(max_length=64, description="The field it fills, by its name; empty: left out")]


class Mapping(Told, frozen=True):
    """Which header fills which field; `target` is what is imported: orders, skus, warehouses or accounts."""

    name: str
    target: str
    columns: dict[str, str]


class Mappings(Told, frozen=True):
    mappings: tuple[Mapping, ...]


class MappingIn(Asked, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
    target: str
    columns: Annotated[dict[Header, Field], Meta(max_length=COLUMNS_MAX)]


class NameMapping(Asked, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]


class Done(Told, frozen=True):
    name: str


@router.get("/import-mappings", summary="List saved mappings of columns")
@told(gives=Mappings)
def list_mappings(call: Annotated[Call, may(WRITE)]) -> Response:
    return call.show(lambda tx: Mappings(mappings=tuple(see(Mapping, each) for each in actions.list_mappings(tx))))


@router.post("/import-mappings", summary="Save a mapping of columns")
@told(
    takes=MappingIn,
    gives=Mapping,
    errors=(422,),
    example={"name": "erp", "target": "orders", "columns": {"流水号": "number", "内部备注": ""}},
)
def save_mapping(call: Annotated[Call, may(WRITE)]) -> Response:
    """Over the one of this name, if there is one."""
    asked = call.read(MappingIn)
    _require(call, asked.target)
    fields = {name for name, _ in choices(TARGETS[asked.target].columns)}
    for header, field in asked.columns.items():
        if field and field not in fields:
            raise Invalid(f"columns.{header}", "there is no such field")

    def save(tx: Tx) -> Mapping:
        actions.save_mapping(tx, SavedMapping(asked.name, asked.target, asked.columns), actor=call.actor)
        return Mapping(name=asked.name, target=asked.target, columns=asked.columns)

    return call.do(save)


@router.post("/import-mappings/drop", summary="Delete a mapping of columns")
@told(takes=NameMapping, gives=Done, errors=(404, 422))
def drop_mapping(call: Annotated[Call, may(WRITE)]) -> Response:
    asked = call.read(NameMapping)

    def drop(tx: Tx) -> Done:
        _require(call, actions.get_mapping(tx, asked.name).target)
        actions.drop_mapping(tx, asked.name, actor=call.actor)
        return Done(name=asked.name)

    return call.do(drop)


def _require(call: Call, target: str) -> None:
    if target not in TARGETS:
        raise Invalid("target", f"choose from {', '.join(TARGETS)}")
    call.seat.caller.require(TARGETS[target].needs)
