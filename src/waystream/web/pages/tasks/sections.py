"""How each kind of task is shown: what it is about, what happened in one sentence, and what can be done. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from waystream.core.ports import Network
from waystream.parts.backups.model import RestorationRow
from waystream.parts.floor.model import Print
from waystream.parts.fulfilment.store_lists import CancelItem, TakeItem
from waystream.parts.fulfilment.store_tasks import Refusal
from waystream.parts.hub.actions import GAVE_UP
from waystream.parts.hub.model import AccountRow, Watched
from waystream.parts.tracking.store_lists import DisputeRow
from waystream.parts.webhooks.model import Endpoint
from waystream.web.auth import Seat
from waystream.web.mending import say_mend
from waystream.web.pages.backups.page import tell_forgotten
from waystream.web.pages.tasks.waiting import READ_AT_MOST, Tasks
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import carrier_name
from waystream.web.views import Deed

SHOWN = 50
R = TypeVar("R")
SHIP, WATCH, SETUP = "ship:write", "parcels:write", "setup:write"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to settle. `said` are the words of somebody outside, in their language."""

    what: str
    href: str
    of: str
    why: str
    said: str
    order: str
    order_href: str
    more: int
    since: Moment | None
    deeds: tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    shape: str
    title: str
    count: str
    hint: str
    lines: tuple[Line, ...]
    hidden: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What every line needs to be drawn."""

    language: Language
    seat: Seat
    networks: Mapping[str, Network]
    tasks: Tasks

    def line(
        self,
        what: str,
        *,
        of: str,
        why: str,
        since: datetime | None,
        parcel_id: int = 0,
        href: str = "",
        said: str = "",
        deeds: tuple[Deed | None, ...] = (),
    ) -> Line:
        named = self.tasks.names.get(parcel_id)
        return Line(
            what=what,
            href=href,
            of=carrier_name(self.language, of),
            why=why,
            said=said,
            order=named.order if named else "",
            order_href=f"/parcels/{parcel_id}" if named else "",
            more=max(named.orders - 1, 0) if named else 0,
            since=self.language.when(since, self.tasks.now),
            deeds=tuple(deed for deed in deeds if deed),
        )

    def deed(self, label: str, needs: str, **asks: str | int) -> Deed | None:
        """A button that opens its dialog; None for whoever may not."""
        may = self.seat.caller.may(needs)
        return Deed(self.language.say(label), f"/tasks/ask?{urlencode(asks)}") if may else None

    def section(self, name: str, shape: str, rows: Sequence[R], draw: Callable[["Drawing", R], Line]) -> Section:
        """The first rows drawn, the others counted."""
        title, hint = _HEADS[name]
        more = "+" if len(rows) >= READ_AT_MOST else ""
        hidden = len(rows) - SHOWN
        return Section(
            name=name,
            shape=shape,
            title=self.language.say(title),
            count=self.language.number(len(rows)) + more,
            hint=self.language.say(hint),
            lines=tuple(draw(self, row) for row in rows[:SHOWN]),
            hidden=self.language.number(hidden) + more if hidden > 0 else "",
        )


#: Title, and the one sentence that says what to do.
_HEADS: dict[str, tuple[str, str]] = {
    "restores": (
        N_("A restore may have forgotten"),
        N_("Look through what left and what was printed before you ship and print on."),
    ),
    "conflicts": (
        N_("Numbers in conflict"),
        N_("Look the number up with the carrier, then say whose it is; nothing is asked for until then."),
    ),
    "alarms": (
        N_("Cancelled, yet scanned"),
        N_("A parcel travels under a number that was given back: stop it, or ask the carrier to bill it."),
    ),
    "cancels": (
        N_("Numbers to call the carrier about"),
        N_("No machine can take these back; say here what the carrier said."),
    ),
    "refusals": (
        N_("Numbers refused"),
        N_("Mend what the sentence says, then all these parcels ask again at once."),
    ),
    "prints": (
        N_("Labels that did not come out"),
        N_("Look at the printer, then print again."),
    ),
    "dead": (
        N_("Numbers nobody watches"),
        N_("Without a subscription nothing is told of these parcels."),
    ),
    "pools": (
        N_("Accounts running low"),
        N_("Buy more numbers from the outlet; they are counted every hour."),
    ),
    "endpoints": (
        N_("Webhooks switched off"),
        N_("Your system hears nothing. Mend it, use the endpoint again and catch up."),
    ),
    "disputes": (
        N_("Disputed scans"),
        N_("These scans lie outside the time in which the number was the parcel’s; they move nothing."),
    ),
    "doubts": (
        N_("In doubt"),
        N_("The carrier did not answer. Each is asked again by itself; if no answer ever comes, it is yours."),
    ),
}  # fmt: skip


def draw_sections(drawing: Drawing) -> tuple[Section, ...]:
    """The gravest first; a kind without a task is not there."""
    tasks = drawing.tasks
    wanted = (
        drawing.section("restores", "s-exception", tasks.restores, _restore),
        drawing.section("conflicts", "s-exception", tasks.conflicts, _conflict),
        drawing.section("alarms", "s-exception", tasks.alarms, _dispute),
        drawing.section("cancels", "s-exception", tasks.cancels, _cancel),
        drawing.section("refusals", "s-exception", tasks.refusals, _refusal),
        drawing.section("prints", "s-exception", tasks.prints, _print),
        drawing.section("dead", "s-exception", tasks.dead, _dead),
        drawing.section("endpoints", "s-exception", tasks.endpoints, _endpoint),
        drawing.section("pools", "s-hold", tasks.pools, _pool),
        drawing.section("disputes", "s-unknown", tasks.disputes, _dispute),
        drawing.section("doubts", "s-await", tasks.doubts, _doubt),
    )
    return tuple(section for section in wanted if section.lines)


#: Why an attempt is in conflict, by the beginning of what it says.
_CONFLICTS: tuple[tuple[str, str], ...] = (
    ("the number ", N_("Another parcel has this number.")),
    ("the network knew", N_("The carrier knew our code though we never used it.")),
    ("unclear", N_("The carrier knows the attempt but named no number.")),
    ("never answered", N_("The carrier never answered: it may have given a number or not.")),
    ("the receiver was erased", N_("The receiver was erased before the carrier answered.")),
)
_PIECES = N_("The carrier gave more or fewer numbers than the shipment has pieces.")


def _conflict(drawing: Drawing, take: TakeItem) -> Line:
    why = next((sentence for start, sentence in _CONFLICTS if take.said.startswith(start)), _PIECES)
    named = ("bind", "give_back") if take.number else ()
    labels = {"bind": N_("It is ours…"), "give_back": N_("Give it back…"), "dismiss": N_("There is none…")}
    return drawing.line(
        take.number or drawing.language.say("no number"),
        of=take.account,
        why=drawing.language.say(why),
        since=take.created_at,
        parcel_id=take.parcel_id,
        deeds=tuple(drawing.deed(labels[do], SHIP, do=do, id=take.id) for do in (*named, "dismiss")),
    )


def _doubt(drawing: Drawing, take: TakeItem) -> Line:
    say = drawing.language.say
    given_up = take.state == "abandoned" or take.unwanted
    why = N_("Nobody wants this number any more; it is given back when it shows up.") if given_up else ""
    asked = drawing.language.say_n("Asked %(n)s time so far.", "Asked %(n)s times so far.", take.attempts)
    return drawing.line(
        say("no number"), of=take.account, why=say(why) if why else asked, since=take.created_at,
        parcel_id=take.parcel_id,
    )  # fmt: skip


def _cancel(drawing: Drawing, row: CancelItem) -> Line:
    collected = N_("The carrier has collected it already: ask to have it stopped.")
    manual = N_("It cannot be given back by machine: call the carrier.")
    return drawing.line(
        row.number,
        of=row.carrier,
        why=drawing.language.say(collected if row.state == "refused" else manual),
        said=row.reason,
        since=row.asked_at,
        parcel_id=row.parcel_id,
        deeds=(
            drawing.deed(N_("It is dead…"), SHIP, do="confirmed", id=row.id),
            drawing.deed(N_("It lives on…"), SHIP, do="refused", id=row.id),
        ),
    )


def _dispute(drawing: Drawing, row: DisputeRow) -> Line:
    scans = drawing.language.say_n("%(n)s scan, the newest:", "%(n)s scans, the newest:", row.scans)
    early = drawing.language.say("Its time had not come yet when it was told.") + " " if row.ahead else ""
    return drawing.line(
        row.number,
        of=row.carrier,
        why=early + scans,
        said=row.latest,
        since=row.since,
        parcel_id=row.parcel_id,
        deeds=(drawing.deed(N_("Settled…"), WATCH, do="dispute", id=row.parcel_id, number=row.number),),
    )


def _refusal(drawing: Drawing, row: Refusal) -> Line:
    language = drawing.language
    return drawing.line(
        language.say_n("%(n)s parcel", "%(n)s parcels", row.parcels),
        href="/parcels?stage=refused",
        of=row.account or row.carrier,
        why=say_mend(language, row.mend, drawing.networks),
        since=row.since,
        deeds=(drawing.deed(N_("Ship again…"), SHIP, do="ship", mend=row.mend, account=row.account_id or 0),),
    )


def _restore(drawing: Drawing, row: RestorationRow) -> Line:
    """Orders and labels of before may be dealt with already; numbers taken since arrive as strangers."""
    return drawing.line(
        row.backup,
        href="/backups" if drawing.seat.caller.may("setup:read") else "/strangers",
        of="",
        why=tell_forgotten(drawing.language, row),
        since=row.since,
        deeds=(drawing.deed(N_("Looked through…"), SETUP, do="restore", id=row.id),),
    )


def _print(drawing: Drawing, row: Print) -> Line:
    ask = f"/parcels/ask?do=reprint&id={row.parcel_id}"
    again = Deed(drawing.language.say("Print again…"), ask) if drawing.seat.caller.may(SHIP) else None
    return drawing.line(
        row.printer, href="/printers", of="", why=drawing.language.say("The printer gave it up."), said=row.said,
        since=row.queued_at, parcel_id=row.parcel_id, deeds=(again,),
    )  # fmt: skip


def _dead(drawing: Drawing, row: Watched) -> Line:
    gave_up = N_("We asked in vain for as long as we ask.")
    stopped = N_("The aggregator stopped watching it.")
    ours = row.died_reason == GAVE_UP
    return drawing.line(
        row.number,
        of=row.carrier,
        why=drawing.language.say(gave_up if ours else stopped),
        said="" if ours else row.died_reason,
        since=row.died_at,
        parcel_id=row.parcel_id,
        deeds=(drawing.deed(N_("Subscribe again…"), WATCH, do="watch", id=row.binding_id),),
    )


def _endpoint(drawing: Drawing, row: Endpoint) -> Line:
    gone, failing = N_("It said that it is gone."), N_("It failed for days.")
    return drawing.line(
        row.host,
        href=f"/webhooks/{row.id}",
        of=row.shop,
        why=drawing.language.say(gone if row.disabled_why == "gone" else failing),
        since=row.disabled_at,
    )


def _pool(drawing: Drawing, row: AccountRow) -> Line:
    language = drawing.language
    return drawing.line(
        row.name,
        href=f"/setup/accounts/{row.id}" if drawing.seat.caller.may("setup:write") else "",
        of=row.carrier,
        why=language.say(
            "Numbers left: %(left)s; there should be %(mark)s.",
            left=language.number(row.available or 0),
            mark=language.number(row.low_mark),
        ),
        since=row.balance_at,
    )
