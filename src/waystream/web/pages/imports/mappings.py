"""GET /import-mappings?name=: a saved mapping, to change or to drop; new ones are made from a file (`columns`)."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.imports import actions as imports
from waystream.parts.imports.model import SavedMapping
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Form
from waystream.web.pages.imports.targets import TARGETS, WRITE, label_columns
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language

router = APIRouter()


@dataclass(frozen=True, slots=True)
class MappingPage:
    """`columns` are (name of the choice, header, what is chosen, label)."""

    name: str
    answer: Markup
    columns: tuple[tuple[str, str, str, str], ...]
    options: tuple[tuple[str, str], ...]


def address_of(name: str) -> str:
    return f"/import-mappings?{urlencode({'name': name})}"


def _get(tx: Tx, seat: Seat, name: str) -> SavedMapping:
    mapping = imports.get_mapping(tx, name)
    seat.caller.require(TARGETS[mapping.target].needs)
    return mapping


@router.get("/import-mappings")
def show_mapping(request: Request, seat: Annotated[Seat, requires(WRITE)], name: str = "") -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        mapping = _get(tx, seat, name)
    return show(request, "imports/mapping.html", draw(language_of(request), mapping))


@router.post("/import-mappings")
def save(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    """The same headers with other fields."""

    def change(tx: Tx) -> None:
        old = _get(tx, seat, form.text("name"))
        allowed = {"", *(choice for choice, _ in label_columns(language_of(request), old.target))}
        columns = {header: form.text(f"column-{at}") for at, header in enumerate(old.columns)}
        if not set(columns.values()) <= allowed:
            raise Invalid("columns", "not a field of this kind of file")
        imports.save_mapping(tx, SavedMapping(old.name, old.target, columns), actor=seat.caller.actor)

    context_of(request).work.run(change, shops=seat.shops)
    said = language_of(request).say("The mapping %(name)s is saved.", name=form.text("name"))
    return go("/import", said=said)


@router.post("/import-mappings/drop")
def drop(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    def forget(tx: Tx) -> None:
        mapping = _get(tx, seat, form.text("name"))
        imports.drop_mapping(tx, mapping.name, actor=seat.caller.actor)

    context_of(request).work.run(forget, shops=seat.shops)
    said = language_of(request).say("The mapping %(name)s is gone.", name=form.text("name"))
    return go("/import", said=said)


def draw(language: Language, mapping: SavedMapping) -> MappingPage:
    filled = sum(1 for choice in mapping.columns.values() if choice)
    return MappingPage(
        name=mapping.name,
        answer=language.say_n(
            "The mapping %(name)s reads %(n)s column.", "The mapping %(name)s reads %(n)s columns.", filled,
            name=mapping.name,
        ),
        columns=tuple(
            (f"column-{at}", header, choice, language.say("Field of column %(header)s", header=header))
            for at, (header, choice) in enumerate(mapping.columns.items())
        ),
        options=tuple(label_columns(language, mapping.target)),
    )  # fmt: skip
