"""GET /import/{id}/columns: the file's header and first rows, and which column is which field, guessed and chosen.

Without scripts: a choice for each column, then tried, saved under a name, or imported. What the headers are is read
from the file each time; the form only says which number is what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid, TooLarge
from waystream.core.sheet import choices, guess, lay_out
from waystream.kernel.table_file import open_table
from waystream.kernel.tx import Tx
from waystream.parts.imports import actions as imports
from waystream.parts.imports.model import ImportRun, SavedMapping
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form
from waystream.web.pages.imports.desk import Wanted, unsealed
from waystream.web.pages.imports.runs import desk, find_own
from waystream.web.pages.imports.targets import TARGETS, WRITE, label_columns
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language

ROWS_SHOWN = 3
CELL_SHOWN = 60
COLUMNS_AT_MOST = 150  # choices are what a form may hold

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Sample:
    """The header and the first rows of a file."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def examples(self, at: int) -> tuple[str, ...]:
        cells = [row[at].strip() if at < len(row) else "" for row in self.rows]
        return tuple(cell[:CELL_SHOWN] for cell in cells if cell)


@dataclass(frozen=True, slots=True)
class ColumnView:
    name: str
    header: str
    examples: tuple[str, ...]
    chosen: str
    label: str


@dataclass(frozen=True, slots=True)
class ColumnsPage:
    id: str
    file: str
    answer: Markup
    aside: str
    columns: tuple[ColumnView, ...]
    options: tuple[tuple[str, str], ...]
    mapping: str
    problem: str


@router.get("/import/{import_id}/columns")
def look(request: Request, seat: Annotated[Seat, requires(WRITE)], import_id: str) -> Response:
    run, sample = _open(request, seat, import_id)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        chosen = _chosen_before(tx, run, sample.headers)
    page = draw(language_of(request), run, sample, chosen, mapping=run.given.mapping)
    return show(request, "imports/columns.html", page)


@router.post("/import/{import_id}/columns")
def choose(request: Request, seat: Annotated[Seat, requires(WRITE)], import_id: str, form: Form) -> Response:
    """Save, try or import: `do` says which."""
    language, (run, sample) = language_of(request), _open(request, seat, import_id)
    chosen = tuple(form.text(f"column-{at}") for at in range(len(sample.headers)))
    name, do = form.text("mapping"), form.text("do")
    try:
        columns = read_choices(run.given.target, sample.headers, chosen)
        if do == "save" and not name:
            raise Invalid("name", "Give the mapping a name to save it under.")
        saved = _save(request, seat, SavedMapping(name, run.given.target, columns)) if name else False
        if do in {"try", "import"}:
            wanted = Wanted(run.id, run.given, seat.caller.actor, rehearsal=do == "try", columns=columns)
            desk().start(context_of(request), seat.shops, wanted)
            return go(f"/import/{run.id}")
    except (Invalid, Conflict) as error:
        refused = form.refused(error)
        page = draw(language, run, sample, chosen, mapping=name, refused=refused)
        return show(request, "imports/columns.html", page, status=error.status)
    said = language.say("The mapping %(name)s is saved.", name=name) if saved else ""
    return go(f"/import/{run.id}/columns", said=said)


def read_choices(target: str, headers: Sequence[str], chosen: Sequence[str]) -> dict[str, str]:
    """Header → choice. Raises `Invalid` for a field chosen twice, or one that has to be there and is not."""
    columns = {header: choice for header, choice in zip(headers, chosen, strict=True) if header}
    lay_out([header for header in headers if header], TARGETS[target].columns, columns)
    return columns


def _save(request: Request, seat: Seat, mapping: SavedMapping) -> bool:
    context_of(request).work.run(
        lambda tx: imports.save_mapping(tx, mapping, actor=seat.caller.actor), shops=seat.shops
    )
    return True


def _open(request: Request, seat: Seat, import_id: str) -> tuple[ImportRun, Sample]:
    context = context_of(request)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        run = find_own(tx, seat, import_id)
    if not run.has_file:
        raise Conflict("The file is no longer kept: give it again.")
    with unsealed(context.machine, run.id, run.given.name, run.actor) as file:
        return run, read_sample(file)


def read_sample(file: Path) -> Sample:
    """Raises `Invalid` for what is no table, `TooLarge` for more columns than a form holds."""
    with open_table(file) as table:
        if len(table.headers) > COLUMNS_AT_MOST:
            raise TooLarge(f"The file has more than {COLUMNS_AT_MOST} columns: leave out what is not needed.")
        return Sample(table.headers, tuple(row.cells for row in islice(table.rows, ROWS_SHOWN)))


def _chosen_before(tx: Tx, run: ImportRun, headers: Sequence[str]) -> tuple[str, ...]:
    """What was chosen for this file, or the saved mapping says; what neither knows is guessed."""
    known = run.columns
    if known is None and run.given.mapping:
        known = imports.get_mapping(tx, run.given.mapping).columns
    known = known or {}
    guessed = guess(headers, TARGETS[run.given.target].columns)
    return tuple(known.get(header, "" if known else choice) for header, choice in zip(headers, guessed, strict=True))


def draw(
    language: Language, run: ImportRun, sample: Sample, chosen: Sequence[str], *, mapping: str,
    refused: Filled | None = None,
) -> ColumnsPage:  # fmt: skip
    known = sum(1 for choice in chosen if choice)
    return ColumnsPage(
        id=run.id,
        file=run.given.name,
        answer=language.say_n(
            "%(known)s of %(n)s column of %(file)s is understood.",
            "%(known)s of %(n)s columns of %(file)s are understood.",
            len(sample.headers),
            known=language.number(known),
            file=run.given.name,
        ),
        aside=_lacking(language, run.given.target, chosen),
        columns=tuple(
            ColumnView(f"column-{at}", header, sample.examples(at), choice, language.say("Field of column %(header)s",
                       header=header))
            for at, (header, choice) in enumerate(zip(sample.headers, chosen, strict=True)) if header
        ),
        options=tuple(label_columns(language, run.given.target)),
        mapping=mapping,
        problem=" ".join(language.echo(sentence) for _, sentence in refused.problems) if refused else "",
    )  # fmt: skip


def _lacking(language: Language, target: str, chosen: Sequence[str]) -> str:
    """Which fields have to be there and are not, by name."""
    by_choice, labels = dict(choices(TARGETS[target].columns)), dict(label_columns(language, target))
    filled = {by_choice[choice].field for choice in chosen if choice in by_choice}
    lacking = [labels[name] for name, column in by_choice.items() if column.required and column.field not in filled]
    if not lacking:
        return language.say("Everything that has to be there is there.")
    return language.say("Still needed: %(names)s", names=" / ".join(lacking))
