"""The left pane: which tickets are open, in the order they are due.

Guaranteed: many workbenches that show the same cost one reading of the database and one drawing a second; what is the
viewer's own (which ticket is open, their own eye on it) is marked in the drawn rows afterwards.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

from waystream.core.state import Kind
from waystream.kernel.tx import Tx
from waystream.web.auth import Seat
from waystream.web.context import WebContext
from waystream.web.cursor import write_cursor
from waystream.web.live import Looker
from waystream.web.pages.orders import store as order_lists
from waystream.web.pages.overview.fresh import Fresh
from waystream.web.pages.workbench import store
from waystream.web.pages.workbench.filters import Filters, tonight, want
from waystream.web.pages.workbench.words import CAUSES, PRIORITIES, Due, cause_word, say_due
from waystream.web.render import COUNTED_AT_MOST, environment
from waystream.web.shell.language import Language
from waystream.web.shell.vocabulary import KIND_WORDS, carrier_name
from waystream.web.views import Menu, Option

MASKED = "person:masked"

#: A ticket is watched, and so looked at, under this key of a live page.
TICKET_KEY = "ticket:"


@dataclass(frozen=True, slots=True)
class Line:
    """One ticket of the queue."""

    id: int
    href: str
    shape: str
    title: str
    note: str
    due: Due | None
    about: str
    taker: str
    lookers: tuple[Looker, ...]
    high: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """What everybody who sees the same is shown: the rows as HTML, the ids in them, where the next page begins."""

    html: str
    ids: tuple[int, ...]
    next: str
    groups: tuple[store.Group, ...]
    shops: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class QueueView:
    """The pane for one viewer: `here` is its own address, `at` where it is asked for again."""

    title: Markup
    aside: str
    chips: tuple[Option, ...]
    menus: tuple[Menu, ...]
    rows: Markup
    first: str
    next: str
    searched: str
    clear_search: str
    n: int
    narrowed: bool
    here: str
    at: str


_drawn: Fresh[Drawn] = Fresh()
_open: Fresh[int] = Fresh()


def read_queue(
    tx_of: Callable[[], Drawn], context: WebContext, seat: Seat, filters: Filters, language: Language, *,
    position: int, fresh: bool,
) -> Drawn:  # fmt: skip
    """The shared drawing; read anew for who has just changed something, and for a search, which is one's own."""
    if fresh or filters.q:
        return tx_of()
    own = seat.caller.actor if filters.mine else ""
    key = (
        id(context), seat.shops.ids, seat.caller.warehouses, seat.caller.may(MASKED), language.code, own,
        filters.address.but(after=filters.after),
    )  # fmt: skip
    return _drawn.get(key, tx_of, position=position)


def draw_rows(
    tx: Tx, seat: Seat, filters: Filters, language: Language, lookers: Mapping[str, Sequence[Looker]]
) -> Drawn:
    wanted = want(tx, seat, filters, language)
    rows = store.list_queue(tx.conn, wanted, limit=store.QUEUE_ROWS + 1)
    shown, more = rows[: store.QUEUE_ROWS], len(rows) > store.QUEUE_ROWS
    masked = seat.caller.may(MASKED)
    lines = [_line(language, filters, row, tx.now, lookers, masked=masked) for row in shown]
    template = environment(language.code, language.zone).get_template("workbench/rows.html")
    groups = store.list_groups(tx.conn, now=tx.now, tonight=tonight(language, tx.now), warehouses=wanted.warehouses)
    last = shown[-1] if shown else None
    return Drawn(
        html=template.render(lines=lines),
        ids=tuple(row.id for row in shown),
        next=write_cursor(last.due_at, last.id) if last and more else "",
        groups=tuple(groups),
        shops=tuple((shop.id, shop.name) for shop in order_lists.list_shops(tx.conn) if shop.id in seat.shops),
    )


def _line(
    language: Language, filters: Filters, row: store.Row, now: datetime, lookers: Mapping[str, Sequence[Looker]], *,
    masked: bool,
) -> Line:  # fmt: skip
    word = cause_word(row.cause)
    place = " ".join(filter(None, (row.province, row.city)))
    about = (row.name_mask if masked else "", place, carrier_name(language, row.carrier) if row.carrier else "")
    closed = row.state == "closed"
    return Line(
        id=row.id,
        href=filters.address.but(after=filters.after, t=str(row.id)),
        shape="s-done" if closed else word.shape,
        title=language.say(word.title),
        note=kind_note(language, row.cause, row.kind),
        due=None if closed else say_due(language, row.due_at, now),
        about=" · ".join(filter(None, about)) or row.warehouse,
        taker=row.taker,
        lookers=tuple(lookers.get(f"{TICKET_KEY}{row.id}", ())),
        high=row.priority == "high",
        closed=closed,
    )


def kind_note(language: Language, cause: str, kind: str) -> str:
    """The finer word of the state where it says more than the cause does."""
    if kind not in set(Kind) or kind in {cause, ""}:
        return ""
    return language.say(KIND_WORDS[Kind(kind)]) if KIND_WORDS[Kind(kind)] else ""


def draw_queue(language: Language, seat: Seat, filters: Filters, drawn: Drawn, *, open_id: int | None) -> QueueView:
    """The pane as this viewer sees it."""
    groups, address = drawn.groups, filters.address
    n, late = sum(each.n for each in groups), sum(each.n for each in groups if each.late)
    return QueueView(
        title=_title(language, groups, capped=n >= store.GROUPED_AT_MOST),
        aside=language.say_n("%(n)s is late", "%(n)s are late", late) if 0 < late < store.GROUPED_AT_MOST else "",
        chips=_chips(language, seat, filters, groups),
        menus=_menus(language, filters, groups, dict(drawn.shops)),
        rows=mark_own(drawn.html, open_id=open_id, actor=seat.caller.actor),
        first=address.but() if filters.after else "",
        next=address.but(after=drawn.next) if drawn.next else "",
        searched=filters.q,
        clear_search=address.but(q=""),
        n=n,
        narrowed=filters.narrowed,
        here=address.but(after=filters.after),
        at=address.but(after=filters.after, t=str(open_id or "")).replace("/workbench", "/workbench/queue", 1),
    )


def _title(language: Language, groups: Sequence[store.Group], *, capped: bool) -> Markup:
    if capped:
        return language.say("More than %(n)s tickets are open", n=language.number(store.GROUPED_AT_MOST))
    untaken = sum(each.n for each in groups if not each.assignee)
    return language.say_n("%(n)s ticket not taken", "%(n)s tickets not taken", untaken)


def mark_own(html: str, *, open_id: int | None, actor: str) -> Markup:
    """The open ticket marked, the viewer's own eye taken out."""
    if open_id is not None:
        html = html.replace(f'id="k{open_id}"', f'id="k{open_id}" aria-current="true"', 1)
    own = f'<span class="who" data-of="{escape(actor)}">'
    return Markup(re.sub(re.escape(own) + r"[^<]*</span>", "", html))


def _chips(language: Language, seat: Seat, filters: Filters, groups: Sequence[store.Group]) -> tuple[Option, ...]:
    address = filters.address
    today = sum(each.n for each in groups if each.today)
    mine = sum(each.n for each in groups if each.assignee == seat.caller.actor)
    say, tell = language.say, _telling(language, groups)
    return (
        Option(say("Today %(n)s", n=tell(today)), address.but(due="" if filters.due else "today"), bool(filters.due)),
        Option(say("Mine %(n)s", n=tell(mine)), address.but(mine="" if filters.mine else "1"), bool(filters.mine)),
    )


def _menus(
    language: Language, filters: Filters, groups: Sequence[store.Group], shops: Mapping[int, str]
) -> tuple[Menu, ...]:
    say, tell = language.say, _telling(language, groups)
    causes = _counted(groups, lambda each: each.cause)
    carriers = _counted(groups, lambda each: each.carrier)
    priorities = _counted(groups, lambda each: each.priority)
    of_shops = _counted(groups, lambda each: str(each.shop_id))
    named = (
        ("cause", say("Cause"), [(one, say(CAUSES[one].title)) for one in CAUSES], causes),
        ("carrier", say("Carrier"), [(one, carrier_name(language, one)) for one in sorted(carriers) if one], carriers),
        ("priority", say("Priority"), [(one, say(word)) for one, word in PRIORITIES.items()], priorities),
        ("shop", say("Shop"), [(str(one), name) for one, name in shops.items()], of_shops),
    )
    return tuple(
        _menu(filters, (name, label), options, counts, tell)
        for name, label, options, counts in named
        if len([one for one, _ in options if counts[one]]) > 1 or getattr(filters, name)
    )


def _telling(language: Language, groups: Sequence[store.Group]) -> Callable[[int], str]:
    """A count as it is written: `1,234+` where the tickets due later were not counted."""
    more = "+" if sum(each.n for each in groups) >= store.GROUPED_AT_MOST else ""
    return lambda n: language.number(n) + more


def _counted(groups: Iterable[store.Group], of: Callable[[store.Group], str]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for each in groups:
        counted[of(each)] += each.n
    return counted


def _menu(
    filters: Filters, named: tuple[str, str], options: Sequence[tuple[str, str]], counts: Mapping[str, int],
    tell: Callable[[int], str],
) -> Menu:  # fmt: skip
    name, label = named
    chosen, address = getattr(filters, name), filters.address
    return Menu(
        label=label,
        options=tuple(
            Option(f"{text} {tell(counts.get(value, 0))}", address.but(**{name: value}), value == chosen)
            for value, text in options
            if counts.get(value) or value == chosen
        ),
        chosen=dict(options).get(chosen, chosen) if chosen else "",
        clear=address.but(**{name: ""}),
    )


def count_open(context: WebContext, seat: Seat, *, position: int) -> int:
    """Tickets nobody has taken, for the navigation, which writes 999+ at most: one reading a second for all who see
    the same."""

    def read() -> int:
        with context.work.begin(shops=seat.shops, read_only=True) as tx:
            return store.count_untaken(tx.conn, warehouses=seat.caller.warehouses, most=COUNTED_AT_MOST)

    return _open.get((id(context), seat.shops.ids, seat.caller.warehouses), read, position=position)
