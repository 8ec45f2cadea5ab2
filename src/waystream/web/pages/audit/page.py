"""GET /audit: newest first, by person, by thing or by action."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.people import actions as people
from waystream.parts.people.model import AuditLine
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.cursor import read_cursor, write_cursor
from waystream.web.navigation import Entry
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.views import Address

READ = "audit:read"
NAV = (Entry(40, "settings", "/audit", "settings", N_("Audit"), READ),)
SHOWN = 50

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Line:
    at: Moment | None
    who: str
    who_href: str
    action: str
    action_href: str
    subject: str
    subject_href: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    answer: Markup
    lines: tuple[Line, ...]
    chosen: tuple[tuple[str, str], ...]
    first: str
    next: str


@router.get("/audit")
def show_audit(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    subject: Annotated[str, Query(max_length=80)] = "",
    actor: Annotated[str, Query(max_length=80)] = "",
    action: Annotated[str, Query(max_length=80)] = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    language = language_of(request)
    address = Address("/audit", {"subject": subject, "actor": actor, "action": action})
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, language, address, after)
    return show(request, "audit/page.html", page)


def draw(tx: Tx, language: Language, address: Address, after: str) -> AuditPage:
    filters = address.filters
    found = people.list_audit(
        tx,
        subject=filters["subject"],
        actor=filters["actor"],
        action=filters["action"],
        before=read_cursor(after),
        limit=SHOWN + 1,
    )
    shown = found[:SHOWN]
    names = {f"staff:{staff.id}": staff.name for staff in people.list_staff(tx)}
    return AuditPage(
        answer=_answer(language, shown, names),
        lines=tuple(_line(language, line, names, address, tx.now) for line in shown),
        chosen=tuple((value, address.but(**{name: ""})) for name, value in filters.items() if value),
        first=address.but() if after else "",
        next=address.but(after=write_cursor(shown[-1].at, shown[-1].id)) if len(found) > SHOWN else "",
    )


def _answer(language: Language, lines: list[AuditLine], names: dict[str, str]) -> Markup:
    if not lines:
        return language.say("Nothing has been written down here.")
    unmasked = sum(line.action == "unmask" for line in lines)
    last = names.get(lines[0].actor, lines[0].actor)
    if unmasked:
        return language.say_n(
            "%(who)s did the last thing here; among these lines a buyer was unmasked %(n)s time.",
            "%(who)s did the last thing here; among these lines buyers were unmasked %(n)s times.",
            unmasked,
            who=last,
        )
    return language.say("%(who)s did the last thing here; nobody was unmasked among these lines.", who=last)


def _line(language: Language, line: AuditLine, names: dict[str, str], address: Address, now: datetime) -> Line:
    kind, _, number = line.subject.partition(":")
    place = {"order": "/orders/", "parcel": "/parcels/"}.get(kind)
    return Line(
        at=language.when(line.at, now),
        who=names.get(line.actor, line.actor),
        who_href=address.but(actor=line.actor),
        action=line.action,
        action_href=address.but(action=line.action),
        subject=line.subject,
        subject_href=f"{place}{number}" if place else address.but(subject=line.subject),
        reason=line.reason,
        detail=" ".join(f"{name}={value}" for name, value in line.detail.items()),
    )
