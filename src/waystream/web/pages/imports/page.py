"""GET /import: hand in a file; GET /import/{id}: how far it is, what came of it, or every line that is wrong."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from fastapi import Form as FormValue
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue import importing as catalogue_importing
from waystream.parts.hub import importing as hub_importing
from waystream.parts.orders import importing
from waystream.parts.shops import actions as shops
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.pages.imports.desk import Desk, Import, Running
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment

WRITE = "orders:write"
TARGETS = {
    "orders": N_("Orders"),
    "skus": N_("Goods (SKUs)"),
    "warehouses": N_("Warehouses"),
    "accounts": N_("Carrier accounts"),
}
NEEDS = {"orders": WRITE, "skus": "shop:write", "warehouses": "setup:write", "accounts": "setup:write"}
#: Where what was imported is seen.
PLACES = {
    "orders": ("/orders", N_("See the orders")),
    "skus": ("/catalogue", N_("See the goods")),
    "warehouses": ("/setup", N_("See what is set up")),
    "accounts": ("/setup", N_("See what is set up")),
}
SUFFIXES = (".csv", ".txt", ".tsv", ".parquet")
PROBLEMS_SHOWN = 200

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ImportPage:
    answer: Markup
    target: str
    targets: tuple[tuple[str, str], ...]
    shops: tuple[tuple[str, str], ...]
    warehouses: tuple[tuple[str, str], ...]
    mappings: tuple[tuple[str, str], ...]
    past: tuple[tuple[str, str, Moment | None, str], ...]


@dataclass(frozen=True, slots=True)
class ProgressPage:
    id: str
    name: str
    answer: Markup
    running: bool
    done: int
    of: int
    told: str
    problems: tuple[tuple[str, str], ...]
    more: str
    place: str
    place_told: str
    again: str


@cache
def desk() -> Desk:
    return Desk()


@router.get("/import")
def show_import(request: Request, seat: Annotated[Seat, requires(WRITE)], target: str = "orders") -> Response:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language, target)
    return show(request, "imports/page.html", page)


def draw(tx: Tx, seat: Seat, language: Language, target: str) -> ImportPage:
    past = desk().list_of(seat.caller.actor)
    return ImportPage(
        answer=language.say(
            "Give a CSV or Parquet file; everything in it is taken, or nothing and every wrong line is named."
        ),
        target=target if target in TARGETS else "orders",
        targets=tuple(
            (code, str(language.say(word))) for code, word in TARGETS.items() if seat.caller.may(NEEDS[code])
        ),
        shops=tuple((shop.code, shop.name) for shop in shops.list_shops(tx)),
        warehouses=tuple((house.code, house.name) for house in catalogue.list_warehouses(tx)),
        mappings=tuple((mapping.name, mapping.name) for mapping in importing.list_mappings(tx)),
        past=tuple((run.id, run.name, language.when(run.began_at, tx.now), _told(language, run)) for run in past),
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
) -> Response:
    name = Path(file.filename or "file").name[:100]
    if target not in TARGETS:
        raise Invalid("target", f"choose from {', '.join(TARGETS)}")
    seat.caller.require(NEEDS[target])
    if not name.lower().endswith(SUFFIXES):
        raise Invalid("file", f"a file ending in {', '.join(SUFFIXES)}")
    kept = _keep(file, name)
    do = _importer(target, kept, seat, shop=shop, warehouse=warehouse, mapping=mapping)
    running = desk().begin(
        context_of(request).work, seat.shops, file=kept, name=name, target=target, actor=seat.caller.actor, do=do
    )
    return go(f"/import/{running.id}")


def _keep(file: UploadFile, name: str) -> Path:
    """Under its own name, which problems tell, in a folder of its own."""
    kept = Path(tempfile.mkdtemp(prefix="waystream-import-")) / name
    with kept.open("wb") as copy:
        shutil.copyfileobj(file.file, copy)
    return kept


def _importer(target: str, file: Path, seat: Seat, *, shop: str, warehouse: str, mapping: str) -> Import:
    """What to run, by what is imported."""
    actor = seat.caller.actor

    def orders(tx: Tx, progress: Callable[[int, int], None]) -> tuple[tuple[str, int], ...]:
        done = importing.import_file(
            tx, file, shop=shop, actor=actor, warehouse=warehouse, mapping=mapping, progress=progress
        )
        return (
            (N_("%(n)s new"), done.created),
            (N_("%(n)s changed"), done.changed),
            (N_("%(n)s as before"), done.unchanged),
            (N_("%(n)s too late to change"), done.refused),
        )

    def skus(tx: Tx, progress: Callable[[int, int], None]) -> tuple[tuple[str, int], ...]:
        done = catalogue_importing.import_skus(tx, file, shop=shop, actor=actor, mapping=mapping, progress=progress)
        return ((N_("%(n)s changed"), done.changed), (N_("%(n)s as before"), done.rows - done.changed))

    def warehouses(tx: Tx, progress: Callable[[int, int], None]) -> tuple[tuple[str, int], ...]:
        done = catalogue_importing.import_warehouses(tx, file, actor=actor, mapping=mapping, progress=progress)
        return ((N_("%(n)s changed"), done.changed), (N_("%(n)s as before"), done.rows - done.changed))

    def accounts(tx: Tx, progress: Callable[[int, int], None]) -> tuple[tuple[str, int], ...]:
        done = hub_importing.import_accounts(tx, file, actor=actor, mapping=mapping, progress=progress)
        return ((N_("%(n)s changed"), done.changed), (N_("%(n)s as before"), done.rows - done.changed))

    return {"orders": orders, "skus": skus, "warehouses": warehouses, "accounts": accounts}[target]


@router.get("/import/{import_id}")
def show_progress(request: Request, seat: Annotated[Seat, requires(WRITE)], import_id: str) -> Response:
    running = desk().find(import_id, actor=seat.caller.actor)
    if running is None:
        raise Missing("There is no such import; only the newest are remembered.")
    return show(request, "imports/progress.html", draw_progress(language_of(request), running))


def draw_progress(language: Language, run: Running) -> ProgressPage:
    problems = tuple((language.echo(path), language.echo(sentence)) for path, sentence in run.problems[:PROBLEMS_SHOWN])
    more = len(run.problems) - len(problems)
    place, told = PLACES[run.target]
    return ProgressPage(
        id=run.id,
        name=run.name,
        answer=_answer(language, run),
        running=run.ended_at is None,
        done=run.done,
        of=max(run.of, 1),
        told=_told(language, run),
        problems=problems,
        more=language.number(more) if more else "",
        place=place,
        place_told=language.say(told),
        again=f"/import?target={run.target}",
    )


def _answer(language: Language, run: Running) -> Markup:
    if run.ended_at is None:
        return language.say("%(name)s is being read; you may close this page.", name=run.name)
    if run.problems:
        return language.say_n(
            "Nothing was imported: %(n)s line has to be mended first.",
            "Nothing was imported: %(n)s lines have to be mended first.",
            len(run.problems),
        )
    return language.say("%(name)s is imported.", name=run.name)


def _told(language: Language, run: Running) -> str:
    if run.ended_at is None:
        return language.say("%(done)s of about %(of)s", done=language.number(run.done), of=language.number(run.of))
    if run.problems:
        return language.say("not imported")
    told = [language.say(word, n=language.number(count)) for word, count in run.result if count]
    return " · ".join(told) or language.say("nothing new")
