"""GET /import/{id}: how far an import is, what came of it, every line that is wrong, or that it stopped."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated

from fastapi import APIRouter
from fastapi import Form as FormValue
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.imports import actions as imports
from waystream.parts.imports.model import ImportRun
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.pages.imports.desk import Desk, Wanted
from waystream.web.pages.imports.targets import TARGETS, WRITE
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language

PROBLEMS_SHOWN = 200

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ProgressPage:
    """`again`: what reading the file once more would do: import or try; empty where it cannot be read again."""

    id: str
    name: str
    answer: Markup
    aside: str
    running: bool
    done: int
    of: int
    told: str
    tone: str
    problems: tuple[tuple[str, str], ...]
    more: str
    again: str
    again_told: str
    columns: str
    place: str
    place_told: str
    new: str


@cache
def desk() -> Desk:
    return Desk()


def find_own(tx: Tx, seat: Seat, import_id: str) -> ImportRun:
    """A run of the caller's, of a kind they may still import. Raises `Missing`, `Forbidden`."""
    run = imports.get_run(tx, import_id, actor=seat.caller.actor)
    seat.caller.require(TARGETS[run.given.target].needs)
    return run


@router.get("/import/{import_id}")
def show_progress(request: Request, seat: Annotated[Seat, requires(WRITE)], import_id: str) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw_progress(language_of(request), find_own(tx, seat, import_id))
    return show(request, "imports/progress.html", page)


@router.post("/import/{import_id}/again")
def run_again(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    import_id: str,
    do: Annotated[str, FormValue(max_length=10)] = "import",
) -> Response:
    """Read the file once more as it was read before: after a stop, or to take in what was tried."""
    context = context_of(request)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        run = find_own(tx, seat, import_id)
    wanted = Wanted(run.id, run.given, seat.caller.actor, rehearsal=do == "try", columns=run.columns)
    desk().start(context, seat.shops, wanted)
    return go(f"/import/{run.id}")


def draw_progress(language: Language, run: ImportRun) -> ProgressPage:
    problems = tuple((language.echo(path), language.echo(sentence)) for path, sentence in run.problems[:PROBLEMS_SHOWN])
    more, target = len(run.problems) - len(problems), TARGETS[run.given.target]
    again, again_told = _again(language, run)
    return ProgressPage(
        id=run.id,
        name=run.given.name,
        answer=_answer(language, run),
        aside=_aside(language, run),
        running=run.state == "running" and not run.stopped,
        done=run.done,
        of=max(run.total, 1),
        told=tell(language, run),
        tone="s-done" if run.state == "imported" else "s-later",
        problems=problems,
        more=language.number(more) if more else "",
        again=again,
        again_told=again_told,
        columns=f"/import/{run.id}/columns" if run.has_file and (run.stopped or run.state != "running") else "",
        place=target.place if run.state == "imported" else "",
        place_told=language.say(target.place_told),
        new=f"/import?target={run.given.target}",
    )


def _again(language: Language, run: ImportRun) -> tuple[str, str]:
    """What the one button does, and its words."""
    if not run.has_file:
        return "", ""
    if run.stopped:
        return ("try" if run.rehearsal else "import"), language.say("Run it again")
    if run.state in {"tried", "kept"}:
        return "import", language.say("Import the file")
    return "", ""


def _answer(language: Language, run: ImportRun) -> Markup:
    name = run.given.name
    if run.stopped:
        return language.say("Reading %(name)s stopped before the end; nothing was imported.", name=name)
    if run.state == "running" and run.rehearsal:
        return language.say("%(name)s is being tried; nothing of it is taken in.", name=name)
    if run.state == "running":
        return language.say("%(name)s is being read; you may close this page.", name=name)
    if run.state == "kept":
        return language.say("%(name)s is here and not imported yet.", name=name)
    if run.state == "tried":
        return language.say("Every line of %(name)s is good; nothing is imported yet.", name=name)
    if run.state == "refused":
        return _refused(language, run)
    return language.say("%(name)s is imported.", name=name)


def _refused(language: Language, run: ImportRun) -> Markup:
    n = len(run.problems)
    if run.rehearsal:
        return language.say_n("%(n)s line has to be mended first.", "%(n)s lines have to be mended first.", n)
    return language.say_n(
        "Nothing was imported: %(n)s line has to be mended first.",
        "Nothing was imported: %(n)s lines have to be mended first.",
        n,
    )


def _aside(language: Language, run: ImportRun) -> str:
    if run.stopped:
        return language.say("The process that read it has ended. An import is taken in whole or not at all.")
    if run.rehearsal and run.state == "refused":
        return language.say("It was only tried: nothing was imported, and nothing would have been.")
    return ""


def tell(language: Language, run: ImportRun) -> str:
    """What came of it, short."""
    if run.stopped:
        return language.say(N_("stopped, nothing imported"))
    if run.state == "running":
        return language.say("%(done)s of about %(of)s", done=language.number(run.done), of=language.number(run.total))
    if run.state in {"refused", "kept"}:
        return language.say("not imported")
    told = " · ".join(language.say(word, n=language.number(count)) for word, count in run.result if count)
    told = told or language.say("nothing new")
    return language.say("only tried: %(told)s", told=told) if run.state == "tried" else told
