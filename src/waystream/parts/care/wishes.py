"""What a person asks of a carrier or a shop for a ticket, and what became of it: asked, confirmed, refused.

Guaranteed: one thing is asked once at a time; an interception is settled by what the carrier scans, whatever anybody
said; what is written is sealed under the receiver's key and gone when it is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events.wishes import InterceptionAsked, InterceptionSettled, RefundRequested
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.care import store_wishes
from waystream.parts.care.store_wishes import About, WishRow

TEXT_MAX_CHARS = 2_000
WISHES_SHOWN_MAX = 50
AAD = b"care_wish"


class Wanted(StrEnum):
    """What can be asked."""

    URGE = "urge"  # 催件
    INTERCEPT = "intercept"  # 拦截
    READDRESS = "readdress"  # 改地址
    RESHIP = "reship"  # 补发
    REFUND = "refund"  # 退款申请
    CLAIM = "claim"  # 理赔


#: States in which no carrier can stop or turn a parcel any more.
OUT_OF_REACH = frozenset({
    "out_for_delivery", "ready_for_pickup", "delivered", "intercepted", "returning", "returned", "lost", "cancelled",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """`text` is what is told to whoever has to do it, ready to be sent; empty where the receiver was erased."""

    id: int
    kind: Wanted
    state: str
    amount_fen: int | None
    text: str
    actor: str
    asked_at: datetime
    settled_at: datetime | None
    settled_by: str


def ask(tx: Tx, ticket_id: int, kind: Wanted, *, actor: str, text: str = "", amount_fen: int | None = None) -> int:
    """Write down what is asked; the wish's id. Raises `Missing`, `Conflict` where it is being asked already."""
    about = store_wishes.lock_about(tx.conn, ticket_id)
    if about is None:
        raise Missing("There is no such ticket.")
    if len(text) > TEXT_MAX_CHARS:
        raise Invalid("text", f"at most {TEXT_MAX_CHARS} characters")
    refuse_impossible(kind, about, amount_fen)
    key = tx.keys.load(tx.conn, [about.key_id]).get(about.key_id)
    if key is None:
        raise Conflict("This receiver was erased.")

    sealed = seal(key, text.encode(), aad=AAD)
    wish_id = store_wishes.insert(
        tx.conn, about, kind=kind, sealed=sealed, amount_fen=amount_fen, actor=actor, at=tx.now
    )
    if wish_id is None:
        raise Conflict("This is being asked already: wait for the answer.")

    _say_asked(tx, about, kind, amount_fen)
    tx.note(Entry(actor, f"ticket.{kind}", f"ticket:{ticket_id}", about.shop_id))
    return wish_id


def refuse_impossible(kind: Wanted, about: About, amount_fen: int | None) -> None:
    """Raises `Conflict` for what no carrier can do any more, `Invalid` for a refund of nothing. Pure."""
    if about.closed:
        raise Conflict("The ticket is closed: reopen it first.")
    if kind in (Wanted.URGE, Wanted.RESHIP, Wanted.CLAIM) and about.parcel_id is None:
        raise Conflict("This ticket is about no parcel.")
    if kind in (Wanted.INTERCEPT, Wanted.READDRESS):
        if about.stage != "dispatched":
            raise Conflict("The parcel has not left: change it in the warehouse.")
        if about.state in OUT_OF_REACH:
            raise Conflict("It is too late: the parcel is with its courier, or further.")
    if kind is Wanted.REFUND and not (amount_fen and 0 < amount_fen <= about.total_fen):
        raise Invalid("amount", "a refund is more than nothing and at most what was paid")
    if kind is Wanted.CLAIM and not (amount_fen and amount_fen > 0):
        raise Invalid("amount", "a claim is more than nothing")


def _say_asked(tx: Tx, about: About, kind: Wanted, amount_fen: int | None) -> None:
    shop_id, ticket_id = about.shop_id, about.ticket_id
    if kind is Wanted.INTERCEPT and about.parcel_id:
        tx.emit(InterceptionAsked(shop_id=shop_id, parcel_id=about.parcel_id, ticket_id=ticket_id))
    if kind is Wanted.REFUND and amount_fen:
        tx.emit(RefundRequested(shop_id=shop_id, order_id=about.order_id, ticket_id=ticket_id, amount_fen=amount_fen))


def answer(tx: Tx, ticket_id: int, wish_id: int, *, confirmed: bool, actor: str) -> None:
    """A person heard the answer. Raises `Missing`, `Conflict` for what is settled."""
    row = store_wishes.lock(tx.conn, ticket_id, wish_id)
    if row is None:
        raise Missing("There is no such ticket.")
    if row.state != "asked":
        raise Conflict("This is settled already.")

    store_wishes.settle(tx.conn, [wish_id], state=_state(confirmed), by=actor, at=tx.now)

    _say_settled(tx, [row], confirmed=confirmed)
    tx.note(Entry(actor, f"ticket.{row.kind}.{_state(confirmed)}", f"ticket:{ticket_id}", row.shop_id))


def settle_interceptions(tx: Tx, stopped: Mapping[int, bool]) -> list[WishRow]:
    """The carrier's scans show what became of these parcels: True, it was stopped. The wishes that came too late."""
    rows = store_wishes.lock_intercepted(tx.conn, stopped)
    done = [row for row in rows if row.parcel_id and stopped[row.parcel_id]]
    late = [row for row in rows if row.parcel_id and not stopped[row.parcel_id]]

    for settled, confirmed in ((done, True), (late, False)):
        store_wishes.settle(tx.conn, [row.id for row in settled], state=_state(confirmed), by="", at=tx.now)
        _say_settled(tx, settled, confirmed=confirmed)
    return late


def _say_settled(tx: Tx, rows: Collection[WishRow], *, confirmed: bool) -> None:
    tx.emit(*(
        InterceptionSettled(
            shop_id=row.shop_id, parcel_id=row.parcel_id, ticket_id=row.ticket_id, confirmed=confirmed
        )
        for row in rows if row.kind == Wanted.INTERCEPT and row.parcel_id
    ))  # fmt: skip


def _state(confirmed: bool) -> str:
    return "confirmed" if confirmed else "refused"


def list_wishes(tx: Tx, ticket_id: int) -> list[Wish]:
    """The newest first, with what was written."""
    rows = store_wishes.list_wishes(tx.conn, ticket_id, limit=WISHES_SHOWN_MAX)
    keys = tx.keys.load(tx.conn, [row.key_id for row in rows]) if rows else {}
    return [_wish(row, keys.get(row.key_id)) for row in rows]


def _wish(row: WishRow, key: bytes | None) -> Wish:
    return Wish(
        id=row.id,
        kind=Wanted(row.kind),
        state=row.state,
        amount_fen=row.amount_fen,
        text=open_sealed(key, row.sealed, aad=AAD).decode() if key else "",
        actor=row.actor,
        asked_at=row.asked_at,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
    )
