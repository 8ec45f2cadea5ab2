"""GET /backups: the newest backup and its age, an alarm when it is too old, the last tries, every restore."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.backups import actions as backups
from waystream.parts.backups.model import BackupRow, RestorationRow, Standing
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment

READ = "setup:read"
NAV = (Entry(80, "settings", "/backups", "settings", N_("Backups"), READ),)
MIB = 1024 * 1024

router = APIRouter()


@dataclass(frozen=True, slots=True)
class TryView:
    """One try; `error` says why there is no backup."""

    at: Moment | None
    name: str
    folder: str
    size: str
    lasted: str
    error: str


@dataclass(frozen=True, slots=True)
class RestoreView:
    at: Moment | None
    backup: str
    sentence: Markup
    settled: bool


@dataclass(frozen=True, slots=True)
class BackupsPage:
    answer: Markup
    alarm: bool
    tries: tuple[TryView, ...]
    restores: tuple[RestoreView, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """`now` is the machine's time, as the times of backups are. `every` is how often one is wanted."""

    language: Language
    now: datetime
    every: timedelta


@router.get("/backups")
def show_backups(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    context = context_of(request)
    drawing = Drawing(language_of(request), context.machine.clock.machine_now(), context.backup_every)
    return show(request, "backups/page.html", act_on_setup(request, lambda tx: draw(tx, drawing)))


def draw(tx: Tx, drawing: Drawing) -> BackupsPage:
    standing = backups.look(tx)
    return BackupsPage(
        answer=_answer(drawing, standing),
        alarm=standing.is_late(drawing.now, drawing.every),
        tries=tuple(_try(drawing, row) for row in backups.list_backups(tx)),
        restores=tuple(_restore(drawing.language, row, tx.now) for row in backups.list_restorations(tx)),
    )


def _answer(drawing: Drawing, standing: Standing) -> Markup:
    language, newest = drawing.language, standing.newest
    if newest is None:
        return language.say("There is no backup: if this disk dies, everything is gone.")
    age = language.lasting((drawing.now - newest.began_at).total_seconds())
    if standing.is_late(drawing.now, drawing.every):
        return language.say("The last backup is %(age)s old, and that is too old.", age=age)
    return language.say("The last backup is %(age)s old; nothing is missing.", age=age)


def _try(drawing: Drawing, row: BackupRow) -> TryView:
    language = drawing.language
    return TryView(
        at=language.when(row.began_at, drawing.now),
        name=row.name,
        folder=row.folder,
        size=f"{row.bytes / MIB:,.1f} MiB" if row.name else "",
        lasted=f"{row.seconds:,.1f} s",
        error=row.error,
    )


def _restore(language: Language, row: RestorationRow, now: datetime) -> RestoreView:
    return RestoreView(language.when(row.since, now), row.backup, tell_forgotten(language, row), row.settled)


def tell_forgotten(language: Language, row: RestorationRow) -> Markup:
    """What was asked again by itself, and what only people can find out."""
    told = row.forgotten
    return language.say(
        "Asked again by itself: attempts to get a number (%(doubts)s), the traces of numbers (%(watched)s). "
        "To look through: labels that may be on paper (%(prints)s), orders that may have left (%(waiting)s).",
        doubts=language.number(told.doubts),
        watched=language.number(told.watched),
        prints=language.number(told.prints),
        waiting=language.number(told.waiting),
    )
