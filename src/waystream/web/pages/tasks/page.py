"""GET /tasks: what waits for a person on the floor, each kind with what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.ports import Network
from waystream.kernel.tx import Tx
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.pages.tasks import deeds
from waystream.web.pages.tasks.sections import Drawing, Section, draw_sections
from waystream.web.pages.tasks.waiting import Tasks, gather
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language

READ = "parcels:read"
NAV = (Entry(35, "rail", "/tasks", "tickets", N_("Tasks"), READ),)

router = APIRouter()
router.include_router(deeds.router)


@dataclass(frozen=True, slots=True)
class TasksPage:
    answer: Markup
    aside: Markup | str
    sections: tuple[Section, ...]


@router.get("/tasks")
def list_tasks(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    context = context_of(request)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language_of(request), context.networks)
    return show(request, "tasks/page.html", page, live="parcels floor")


def draw(tx: Tx, seat: Seat, language: Language, networks: Mapping[str, Network]) -> TasksPage:
    tasks = gather(tx, seat)
    sections = draw_sections(Drawing(language, seat, networks, tasks))
    return TasksPage(_answer(language, tasks, sections), _aside(language, tasks), sections)


def _answer(language: Language, tasks: Tasks, sections: tuple[Section, ...]) -> Markup:
    if not tasks.count:
        return language.say("Nothing needs a person on the floor.")
    facts = {"first": sections[0].name, "longest": language.lasting((tasks.now - tasks.oldest).total_seconds())}
    if tasks.oldest == tasks.now:
        return language.say_n(
            '<a href="#%(first)s">%(n)s thing</a> needs a person.',
            '<a href="#%(first)s">%(n)s things</a> need a person.',
            tasks.count,
            first=facts["first"],
        )
    return language.say_n(
        '<a href="#%(first)s">%(n)s thing</a> needs a person; it has waited for %(longest)s.',
        '<a href="#%(first)s">%(n)s things</a> need a person; the oldest has waited for %(longest)s.',
        tasks.count,
        **facts,
    )


def _aside(language: Language, tasks: Tasks) -> Markup | str:
    if not tasks.doubts:
        return ""
    return language.say_n(
        "%(n)s attempt is in doubt and asked again by itself.",
        "%(n)s attempts are in doubt and asked again by themselves.",
        len(tasks.doubts),
    )
