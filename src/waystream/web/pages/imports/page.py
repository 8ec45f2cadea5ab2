"""GET /import: hand in a file; its columns are looked at first (`columns`) or it is imported at once (`runs`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from fastapi import Form as FormValue
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.imports import actions as imports
from waystream.parts.imports.model import Given
from waystream.parts.shops import actions as shops
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.pages.imports import columns, mappings, runs
from waystream.web.pages.imports.desk import Wanted
from waystream.web.pages.imports.runs import desk, tell
from waystream.web.pages.imports.targets import TARGETS, WRITE
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language, Moment

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet")

router = APIRouter()
for part in (mappings.router, columns.router, runs.router):
    router.include_router(part)


@dataclass(frozen=True, slots=True)
class MappingLine:
    name: str
    target: str
    columns: str
    href: str


@dataclass(frozen=True, slots=True)
class ImportPage:
    answer: Markup
    target: str
    targets: tuple[tuple[str, str], ...]
    shops: tuple[tuple[str, str], ...]
    warehouses: tuple[tuple[str, str], ...]
    mappings: tuple[tuple[str, str], ...]
    saved: tuple[MappingLine, ...]
    past: tuple[tuple[str, str, Moment | None, str], ...]


@router.get("/import")
def show_import(request: Request, seat: Annotated[Seat, requires(WRITE)], target: str = "orders") -> Response:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language, target)
    return show(request, "imports/page.html", page)


def draw(tx: Tx, seat: Seat, language: Language, target: str) -> ImportPage:
    may = {code: each for code, each in TARGETS.items() if seat.caller.may(each.needs)}
    saved = [each for each in imports.list_mappings(tx) if each.target in may]
    return ImportPage(
        answer=language.say(
            "Give a CSV or Parquet file; everything in it is taken, or nothing and every wrong line is named."
        ),
        target=target if target in may else "orders",
        targets=tuple((code, str(language.say(each.word))) for code, each in may.items()),
        shops=tuple((shop.code, shop.name) for shop in shops.list_shops(tx)),
        warehouses=tuple((house.code, house.name) for house in catalogue.list_warehouses(tx)),
        mappings=tuple((each.name, each.name) for each in saved),
        saved=tuple(
            MappingLine(
                each.name,
                str(language.say(may[each.target].word)),
                language.number(sum(1 for to in each.columns.values() if to)),
                mappings.address_of(each.name),
            )
            for each in saved
        ),
        past=tuple(
            (run.id, run.given.name, language.when(run.given_at, tx.now), tell(language, run))
            for run in imports.list_runs(tx, seat.caller.actor)
        ),
    )


@router.post("/import")
def begin(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    file: Annotated[UploadFile, File()],
    target: Annotated[str, FormValue()] = "orders",
    shop: Annotated[str, FormValue(max_length=64)] = "",
    warehouse: Annotated[str, FormValue(max_length=64)] = "",
    mapping: Annotated[str, FormValue(max_length=64)] = "",
    do: Annotated[str, FormValue(max_length=10)] = "import",
) -> Response:
    """Keep the file; then look at its columns, or read it at once."""
    name = Path(file.filename or "file").name[:100]
    if target not in TARGETS:
        raise Invalid("target", f"choose from {', '.join(TARGETS)}")
    seat.caller.require(TARGETS[target].needs)
    if not name.lower().endswith(SUFFIXES):
        raise Invalid("file", f"a file ending in {', '.join(SUFFIXES)}")
    given = Given(name, target, shop=shop, warehouse=warehouse, mapping=mapping)
    run_id = context_of(request).work.run(lambda tx: _keep(tx, file, given, seat), shops=seat.shops)
    if do == "look":
        return go(f"/import/{run_id}/columns")
    desk().start(context_of(request), seat.shops, Wanted(run_id, given, seat.caller.actor, rehearsal=False))
    return go(f"/import/{run_id}")


def _keep(tx: Tx, file: UploadFile, given: Given, seat: Seat) -> str:
    file.file.seek(0)
    return imports.keep_file(tx, file.file, given, actor=seat.caller.actor)
