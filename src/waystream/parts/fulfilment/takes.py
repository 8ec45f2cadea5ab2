"""One attempt to get a number, in two transactions around the call: `begin` and `settle` (or `unanswered`).

Guaranteed: the same code is sent however often the call is repeated; an answer becomes the parcel's number only if it
is still wanted when it arrives, in the transaction that binds, labels and says so; otherwise it is an orphan and is
given back in that same transaction. What is unclear goes to a person.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from waystream.core import account as accounts
from waystream.core import person
from waystream.core.errors import Conflict, Missing
from waystream.core.events.fulfilment import TakeConflicted, TakeInDoubt
from waystream.core.ports import Aggregator, Goods, TakeAnswer, TakeDenied, Taken, TakeRequest, TakeUnclear
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.fulfilment import numbers, store, store_ranges, store_takes
from waystream.parts.fulfilment.codes import Codes, random_code
from waystream.parts.fulfilment.family import OPEN_TAKES, Family, TakeRow
from waystream.parts.fulfilment.model import DOUBT_S, ERASED, NONE_RESERVED, UNREACHABLE
from waystream.parts.fulfilment.store_takes import AskRow, NewBinding, NewCancel

OWNS_BEFORE = timedelta(hours=24)
DOUBT = timedelta(seconds=DOUBT_S)
UNSETTLED = ("planned", "asked", "doubt", "abandoned")

Verdict = Literal["bind", "give_back", "dismiss"]


@dataclass(frozen=True, slots=True)
class Asking:
    """All that the call needs. `attempts_before`: how often it left already."""

    take_id: int
    integration: str
    attempts_before: int
    aggregator: Aggregator = field(repr=False)
    request: TakeRequest = field(repr=False)


def begin(tx: Tx, take_id: int, *, codes: Codes = random_code) -> Asking | None:
    """Note that the call is about to leave and give what it needs; None when there is nothing to ask."""
    family, take = _locked(tx, take_id)
    if take.state not in UNSETTLED or (take.state == "abandoned" and not take.sent):
        return None
    if not take.sent and not family.wants(take):
        store_takes.drop_takes(tx.conn, [take.id])
        numbers.follow(tx, [family.mother.id], codes=codes)
        return None
    row = store_takes.load_ask(tx.conn, take_id)
    keys = tx.keys.load(tx.conn, [row.person_key, row.warehouse_key])
    if row.person_key not in keys:
        _settle_erased(tx, family, take)
        return None
    if row.draws and not take.sent:
        _draw(tx, family, take, codes)
        return None

    store_takes.mark_asked(tx.conn, take_id, at=tx.now)

    aggregator = Aggregator(row.merchant_id, _aggregator_key(tx, row), row.base_url)
    return Asking(take_id, row.integration, take.attempts, aggregator, _request(tx, row, take, keys))


def _locked(tx: Tx, take_id: int) -> tuple[Family, TakeRow]:
    found = store_takes.find_take(tx.conn, take_id)
    assert found is not None, "a job is about a take that exists"
    [family] = store.lock_families(tx.conn, [found.parcel_id])
    return family, store_takes.lock_take(tx.conn, take_id)


def _aggregator_key(tx: Tx, row: AskRow) -> str:
    return tx.keys.vault.open_secret(row.key_sealed, aad=accounts.aggregator_aad(row.aggregator_code))


def _request(tx: Tx, row: AskRow, take: TakeRow, keys: dict[int, bytes]) -> TakeRequest:
    parameters = tx.keys.vault.open_secret(row.parameters_sealed, aad=accounts.account_aad(row.account_id))
    receiver = open_sealed(keys[row.person_key], row.person_sealed, aad=person.person_aad(row.person_id))
    sender = open_sealed(keys[row.warehouse_key], row.warehouse_sealed, aad=person.warehouse_aad(row.warehouse_code))
    buyer = person.from_bytes(receiver)
    return TakeRequest(
        code=take.code, account=accounts.from_text(parameters), sender=person.from_bytes(sender).contact,
        receiver=buyer.contact,
        goods=tuple(Goods(goods.name or goods.sku, goods.sku, goods.quantity, goods.price_fen, goods.weight_g)
                    for goods in store_takes.list_goods(tx.conn, take.parcel_id)),
        quantity=row.pieces, weight_g=row.weight_g, volume_cm3=row.volume_cm3, cod_fen=row.cod_fen,
        declared_fen=row.declared_fen, remark=buyer.buyer_remark,
    )  # fmt: skip


def _settle_erased(tx: Tx, family: Family, take: TakeRow) -> None:
    """The receiver was erased: the call cannot be made, or not be repeated."""
    if take.sent:
        _conflict(tx, family, take, number="", said="the receiver was erased while the call was unanswered")
        return
    store_takes.set_take(tx.conn, take.id, state="refused", at=None, said=ERASED)
    numbers.refuse(tx, family, take_id=take.id, code="", mend=ERASED)


def _draw(tx: Tx, family: Family, take: TakeRow, codes: Codes) -> None:
    """The carrier assigned numbers beforehand: take the next, without a call. Bound as a number made elsewhere is, for
    the network knows no code of it: it is watched by a subscription of its own, and nobody can give it back."""
    store_takes.mark_asked(tx.conn, take.id, at=tx.now)
    found = store_ranges.draw(tx.conn, take.account_id, parcel_id=family.mother.id, n=family.mother.pieces, at=tx.now)
    if found:
        _bind(tx, family, replace(take, asked_at=tx.now), Taken(found[0], children=tuple(found[1:])), drawn=True)
        return
    store_takes.set_take(tx.conn, take.id, state="refused", at=tx.now, said=NONE_RESERVED)
    numbers.refuse(tx, family, take_id=take.id, code="", mend=NONE_RESERVED)
    numbers.follow(tx, [family.mother.id], codes=codes)


def unanswered(tx: Tx, asking: Asking, *, sent: bool, said: str) -> None:
    """The call failed. If it may have arrived, the number may exist: the attempt is in doubt and repeated as it is."""
    family, take = _locked(tx, asking.take_id)
    if take.state not in UNSETTLED:
        return
    if not sent:
        store_takes.mark_unsent(tx.conn, take.id, attempts=asking.attempts_before, said=said)
        return
    _in_doubt(tx, family, take, said=said)


def _in_doubt(tx: Tx, family: Family, take: TakeRow, *, said: str) -> None:
    if take.state != "asked":
        return
    store_takes.set_take(tx.conn, take.id, state="doubt", at=None, said=said)
    if not take.unwanted and family.mother.stage == "asked":
        store.set_answer(tx.conn, family.parcel_ids, stage="doubt", at=tx.now)

    tx.emit(TakeInDoubt(shop_id=family.mother.shop_id, parcel_id=family.mother.id, take_id=take.id))


def doubt_after_restore(tx: Tx) -> int:
    """The database came back to an earlier moment: each open attempt may have been answered since, and its own code
    will tell. How many; their jobs, which came back too, ask again."""
    doubted = store_takes.doubt_open(tx.conn, at=tx.now)
    for take_id in doubted:
        family, take = _locked(tx, take_id)
        if not take.unwanted and family.mother.stage == "asked":
            store.set_answer(tx.conn, family.parcel_ids, stage="doubt", at=tx.now)
        tx.emit(TakeInDoubt(shop_id=family.mother.shop_id, parcel_id=family.mother.id, take_id=take.id))
    return len(doubted)


def settle(tx: Tx, take_id: int, answer: TakeAnswer, *, reply: bytes = b"", codes: Codes = random_code) -> bool:
    """What the carrier's answer makes of the attempt and its parcel. False: not believed yet, ask again later."""
    family, take = _locked(tx, take_id)
    if take.state not in UNSETTLED:
        return True
    if isinstance(answer, TakeDenied) and _may_have_given(tx, take):
        _in_doubt(tx, family, take, said=answer.code)
        return False
    _keep(tx, take, reply)
    match answer:
        case TakeDenied():
            _denied(tx, family, take, answer)
        case TakeUnclear():
            _conflict(tx, family, take, number="", said="unclear")
        case Taken() if unclear := _unclear(tx, family, take, answer):
            _conflict(tx, family, take, number=answer.number, said=unclear)
        case Taken() if family.wants(take):
            _bind(tx, family, take, answer)
            return True
        case Taken():
            _orphan(tx, family, take, answer.number)
    numbers.follow(tx, [family.mother.id], codes=codes)
    return True


def _may_have_given(tx: Tx, take: TakeRow) -> bool:
    """A no to a repeated call says nothing of the first, which stayed unanswered: a network that refuses for the
    account (a wrong key, an empty pool) looks no code up. For the time of doubt the number may still show itself."""
    return take.attempts > 1 and take.asked_at is not None and tx.now - take.asked_at < DOUBT


def _keep(tx: Tx, take: TakeRow, reply: bytes) -> None:
    if reply:
        key_id, key = tx.keys.day_key(tx.conn, tx.now.date())
        store_takes.keep_reply(tx.conn, take.id, key_id=key_id, sealed=seal(key, reply, aad=reply_aad(take.id)))


def reply_aad(take_id: int) -> bytes:
    """What `take.reply_sealed` is bound to."""
    return f"take:{take_id}".encode()


def _denied(tx: Tx, family: Family, take: TakeRow, answer: TakeDenied) -> None:
    wanted = family.wants(take)
    # The carrier's own words may quote the buyer: they stay in the sealed reply.
    store_takes.set_take(tx.conn, take.id, state="refused", at=tx.now, said=answer.code)
    if wanted:
        numbers.refuse(tx, family, take_id=take.id, code=answer.code, mend=answer.mend)


def _unclear(tx: Tx, family: Family, take: TakeRow, taken: Taken) -> str:
    """Why this number must not be claimed without a person; empty when it may."""
    if taken.again and take.attempts <= 1 and take.state != "doubt":
        return "the network knew our code though we never used it"
    wanted = (taken.number, *taken.children)
    if len(set(wanted)) != family.mother.pieces:
        return f"{family.mother.pieces} numbers were asked for, {len(set(wanted))} given"
    for number in wanted:
        holder = store_takes.holder_of(tx.conn, carrier=take.carrier, number=number)
        if holder is not None:
            return f"the number {number} belongs to parcel {holder.parcel_id}"
    return ""


def _conflict(tx: Tx, family: Family, take: TakeRow, *, number: str, said: str) -> None:
    wanted = family.wants(take)
    store_takes.set_take(tx.conn, take.id, state="conflict", at=tx.now, number=number, said=said)
    if wanted:
        store.set_answer(tx.conn, family.parcel_ids, stage="conflict", at=tx.now)
    tx.emit(TakeConflicted(shop_id=family.mother.shop_id, parcel_id=family.mother.id, take_id=take.id))


def _bind(tx: Tx, family: Family, take: TakeRow, taken: Taken, *, drawn: bool = False) -> None:
    """Number, parcel and orders belong together from here: one transaction for all of it. `drawn`: the network did not
    give the number and knows no attempt of ours by it."""
    assert take.asked_at is not None, "an answer follows a call"
    given = list(zip(family.parcels, (taken.number, *taken.children), strict=True))
    bindings = [
        NewBinding(an_id, parcel.id, parcel.shop_id, None if drawn else take.id, take.aggregator_id, take.carrier,
                   number, take.asked_at - OWNS_BEFORE)
        for an_id, (parcel, number) in zip(numbers.new_ids(tx, len(given)), given, strict=True)
    ]  # fmt: skip
    templates = (taken.template, *taken.child_templates, *[""] * len(given))

    store_takes.set_take(tx.conn, take.id, state="bound", at=tx.now, number=taken.number, said=taken.network_order)
    store_takes.insert_bindings(tx.conn, bindings, at=tx.now)
    papers = [(b.parcel_id, b.id, template) for b, template in zip(bindings, templates, strict=False)]
    labels = numbers.make_labels(tx, family.mother.shop_id, papers, taken.routing)
    store_takes.insert_labels(tx.conn, labels, at=tx.now)
    store.set_issued(tx.conn, family.parcel_ids, carrier=take.carrier, at=tx.now)

    numbers.say_issued(tx, family, {b.parcel_id: b.id for b in bindings})


def _orphan(tx: Tx, family: Family, take: TakeRow, number: str) -> None:
    """A number nobody wants any more: claimed, so that it can be given back."""
    store_takes.set_take(tx.conn, take.id, state="orphan", at=tx.now, number=number)
    [cancel_id] = numbers.new_ids(tx, 1)
    numbers.give_back(tx, [NewCancel(
        cancel_id, family.mother.id, family.mother.shop_id, take.id, None, take.carrier, number,
        family.why)])  # fmt: skip


def claim(tx: Tx, take_id: int, number: str) -> bool:
    """A push named the code of an attempt that told us no number: it exists. True if it is given back by this.

    While the parcel waits for it the call is repeated soon and brings the label too; a person who has to look in the
    end knows it then. What nobody waits for any more, or was dismissed or refused, is an orphan.
    """
    family, take = _locked(tx, take_id)
    if take.state not in (*UNSETTLED, "conflict", "refused"):
        return False
    if store_takes.holder_of(tx.conn, carrier=take.carrier, number=number) is not None:
        return False
    if take.state == "conflict" or (take.state in OPEN_TAKES and not take.unwanted):
        store_takes.note_number(tx.conn, take.id, number)
        return False

    _orphan(tx, family, take, number)

    numbers.follow(tx, [family.mother.id])
    return True


def give_up(tx: Tx, take_id: int, *, codes: Codes = random_code) -> None:
    """The network did not answer for as long as we ask: refused if nothing ever left, else a person must look."""
    family, take = _locked(tx, take_id)
    if take.state not in ("planned", "asked", "doubt"):
        return
    if take.sent:
        _conflict(tx, family, take, number="", said="never answered")
    else:
        wanted = family.wants(take)
        store_takes.set_take(tx.conn, take.id, state="refused", at=None, said=UNREACHABLE)
        if wanted:
            numbers.refuse(tx, family, take_id=take.id, code="", mend=UNREACHABLE)
    numbers.follow(tx, [family.mother.id], codes=codes)


def decide(tx: Tx, take_id: int, verdict: Verdict, *, reason: str, actor: str, codes: Codes = random_code) -> None:
    """A person looked at a conflict: the number is ours (`bind`), is to be cancelled (`give_back`), or there is none of
    ours (`dismiss`). After the last two another number is asked for, if the parcel still wants one."""
    found = store_takes.find_take(tx.conn, take_id)
    if found is None:
        raise Missing("There is no such attempt.")
    family, take = _locked(tx, take_id)
    if take.state != "conflict":
        raise Conflict("This attempt is settled already.")
    if verdict != "dismiss" and not take.number:
        raise Conflict("The carrier named no number: dismiss the attempt, then another is asked.")

    if verdict == "bind":
        _bind_by_hand(tx, family, take)
    else:
        _set_aside(tx, family, take, verdict)
        numbers.follow(tx, [family.mother.id], codes=codes)

    tx.note(Entry(actor, f"take.{verdict}", family.subject, family.mother.shop_id, reason))


def _bind_by_hand(tx: Tx, family: Family, take: TakeRow) -> None:
    holder = store_takes.holder_of(tx.conn, carrier=take.carrier, number=take.number)
    if holder is not None:
        raise Conflict(f"The number {take.number} belongs to parcel {holder.parcel_id}.")
    if family.mother.stage != "conflict" or family.bindings or family.take is not None or family.children:
        raise Conflict("The parcel has gone on: give the number back instead.")
    if family.stop is not None or family.content_changed:
        raise Conflict("The order changed meanwhile: give the number back instead.")
    _bind(tx, family, take, Taken(take.number))


def _set_aside(tx: Tx, family: Family, take: TakeRow, verdict: Verdict) -> None:
    if verdict == "give_back":
        holder = store_takes.holder_of(tx.conn, carrier=take.carrier, number=take.number)
        if holder is not None:
            raise Conflict(f"The number {take.number} belongs to parcel {holder.parcel_id}.")
        _orphan(tx, family, take, take.number)
    else:
        store_takes.set_take(tx.conn, take.id, state="refused", at=tx.now, said="dismissed by a person")
    if family.mother.stage == "conflict":
        store.set_stage(tx.conn, family.parcel_ids, stage="asked", held_reason="", at=tx.now)
