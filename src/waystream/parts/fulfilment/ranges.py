"""Numbers a carrier assigned beforehand (号段): handed in, listed, dropped while nobody drew them.

Guaranteed: a number is drawn once; what is bound already, or known from another batch, is not added again. A parcel
that was refused because its account had none left asks again by itself when there are new ones.
"""

from dataclasses import dataclass

from waystream.core.errors import Missing
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions, store_ranges
from waystream.parts.fulfilment.model import NONE_RESERVED
from waystream.parts.fulfilment.reserved import read_numbers
from waystream.parts.fulfilment.store_ranges import Batch

BATCHES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class AddedNumbers:
    """`known`: told, but handed in before or bound to a parcel. `asked`: parcels that ask again now."""

    batch_id: int
    added: int
    known: int
    asked: int


def add_numbers(tx: Tx, account_id: int, told: str, *, actor: str) -> AddedNumbers:
    """Numbers one a line, or ranges. Raises `InvalidMany` with the lines that are wrong, `Missing` for no account."""
    carrier = store_ranges.carrier_of(tx.conn, account_id)
    if carrier is None:
        raise Missing("There is no such carrier account.")
    numbers = read_numbers(told)

    batch_id, added = store_ranges.insert_batch(
        tx.conn, account_id, carrier=carrier, numbers=numbers, actor=actor, at=tx.now
    )
    waiting = store_ranges.parcels_refused(tx.conn, account_id, mends={NONE_RESERVED}) if added else []
    asked = actions.ask_again(tx, waiting, actor=actor) if waiting else 0

    tx.note(Entry(actor, "numbers.add", f"account:{account_id}", detail={"batch": batch_id, "numbers": added}))
    return AddedNumbers(batch_id, added, len(numbers) - added, asked)


def drop_batch(tx: Tx, batch_id: int, *, actor: str) -> int:
    """Forget what nobody drew of it; how many. Raises `Missing`."""
    dropped = store_ranges.drop_free(tx.conn, batch_id)
    if dropped is None:
        raise Missing("There is no such batch of numbers.")
    tx.note(Entry(actor, "numbers.drop", f"batch:{batch_id}", detail={"numbers": dropped}))
    return dropped


def list_batches(tx: Tx) -> list[Batch]:
    return store_ranges.list_batches(tx.conn, limit=BATCHES_SHOWN)
