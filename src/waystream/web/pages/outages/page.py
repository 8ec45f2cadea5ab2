"""GET /outages: times in which pushes were lost, and how far the asking after them is; stop it, go on."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.tracking import outages
from waystream.parts.tracking.outages import Networks, Progress
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill, carrier_name

READ, WRITE = "machine:read", "machine:write"
NAV = (Entry(56, "settings", "/outages", "settings", N_("Outages"), READ),)
STATES = {
    "noticed": ("s-later", N_("Noticed")),
    "asking": ("s-transit", N_("Asking")),
    "stopped": ("s-hold", N_("Stopped")),
    "done": ("s-delivered", N_("Done")),
}
SHOWN, REFUSED_SHOWN = 20, 50

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Line:
    """One outage: when it was, how long, and how far the asking is."""

    id: int
    ended: Moment | None
    lasted: str
    state: Pill
    asked: str
    changed: str
    heard: str
    refused: str
    left: str
    may_stop: bool
    may_go_on: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    href: str
    number: str
    carrier: str
    said: str


@dataclass(frozen=True, slots=True)
class OutagesPage:
    answer: Markup
    running: bool
    done: int
    of: int
    told: str
    lines: tuple[Line, ...]
    refusals: tuple[Refusal, ...]


@router.get("/outages")
def list_outages(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    context = context_of(request)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language_of(request), context.networks)
    return show(request, "outages/page.html", page)


def draw(tx: Tx, seat: Seat, language: Language, networks: Networks) -> OutagesPage:
    found = outages.list_progress(tx, networks, limit=SHOWN)
    newest = found[0] if found else None
    refused = outages.list_refused(tx, newest.outage.id, limit=REFUSED_SHOWN) if newest and newest.refused else []
    return OutagesPage(
        answer=_answer(language, newest),
        running=newest is not None and newest.outage.state in ("noticed", "asking"),
        done=newest.parcels - newest.left if newest else 0,
        of=max(1, newest.parcels) if newest else 1,
        told=_told(language, newest) if newest else "",
        lines=tuple(_line(tx, language, each, may_write=seat.caller.may(WRITE)) for each in found),
        refusals=tuple(
            Refusal(f"/parcels/{row.parcel_id}", row.number, carrier_name(language, row.carrier), row.said)
            for row in refused
        ),
    )


def _answer(language: Language, newest: Progress | None) -> Markup:
    if newest is None:
        return language.say("No outage so far: every push was taken in, or was sent again in time.")
    facts = {
        "gone": language.lasting((newest.outage.ended_at - newest.outage.began_at).total_seconds()),
        "asked": language.number(newest.asked),
        "changed": language.number(newest.changed),
        "left": language.number(newest.left),
        "time": language.lasting(newest.left_s),
    }
    match newest.outage.state:
        case "noticed":
            return language.say("Waystream was away for %(gone)s; the carriers are about to be asked.", **facts)
        case "asking":
            return language.say(
                "Waystream was away for %(gone)s. Parcels asked for: %(asked)s, of which had moved: %(changed)s; "
                "left for about %(time)s: %(left)s.",
                **facts,
            )
        case "stopped":
            return language.say(
                "The asking after %(gone)s away is stopped. Parcels asked for: %(asked)s; left: %(left)s.",
                **facts,
            )
    return language.say(
        "Waystream was away for %(gone)s. Parcels asked for: %(asked)s, of which had moved: %(changed)s.", **facts
    )


def _told(language: Language, newest: Progress) -> str:
    done, of = language.number(newest.parcels - newest.left), language.number(newest.parcels)
    return language.say("%(done)s of %(of)s", done=done, of=of)


def _line(tx: Tx, language: Language, each: Progress, *, may_write: bool) -> Line:
    outage = each.outage
    shape, word = STATES[outage.state]
    return Line(
        id=outage.id,
        ended=language.when(outage.ended_at, tx.now),
        lasted=language.lasting((outage.ended_at - outage.began_at).total_seconds()),
        state=Pill(shape, language.say(word)),
        asked=language.number(each.asked),
        changed=language.number(each.changed),
        heard=language.number(each.heard + each.over),
        refused=language.number(each.refused),
        left=language.number(each.left),
        may_stop=may_write and outage.state in ("noticed", "asking"),
        may_go_on=may_write and (outage.state == "stopped" or (outage.state == "done" and each.refused > 0)),
    )


@router.post("/outages/{outage_id:int}/stop")
def stop(request: Request, seat: Annotated[Seat, requires(WRITE)], outage_id: RowId) -> Response:
    act_on_setup(request, lambda tx: outages.stop(tx, outage_id, actor=seat.caller.actor))
    return go("/outages", said=language_of(request).say("No more is asked; go on whenever you like."))


@router.post("/outages/{outage_id:int}/go-on")
def go_on(request: Request, seat: Annotated[Seat, requires(WRITE)], outage_id: RowId) -> Response:
    act_on_setup(request, lambda tx: outages.go_on(tx, outage_id, actor=seat.caller.actor))
    return go("/outages", said=language_of(request).say("What is left is being asked for."))
