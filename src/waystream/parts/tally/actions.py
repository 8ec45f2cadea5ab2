"""What the machine does about the tally, now and then."""

from waystream.kernel.tx import Tx
from waystream.parts.tally import model, store


def sum_up(tx: Tx) -> int:
    """Make one row of equal ones and forget what passed long ago; how many rows went."""
    return store.fold(tx.conn) + store.forget(tx.conn, before=model.forgotten_before(tx.now))
