"""What people write about a buyer, sealed: under the buyer's own key, so that erasing the buyer takes it along.

A ticket without a buyer, or whose buyer was erased, is sealed under the root key.
"""

from collections.abc import Collection, Mapping, Sequence

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.care import store
from waystream.parts.care.model import Entry

TEXT_MAX = 2_000

#: An entry, the id of the key of its text and the sealed text.
Row = tuple[Entry, int | None, bytes]


def checked_text(text: str, *, required: bool = False) -> str:
    text = text.strip()
    if len(text) > TEXT_MAX or (required and not text):
        raise Invalid("text", f"between {1 if required else 0} and {TEXT_MAX} characters")
    return text


def seal_entries(tx: Tx, entries: Sequence[Entry]) -> list[Row]:
    keys = _keys_of(tx, {entry.ticket_id for entry in entries if entry.text})
    return [(entry, *_sealed(tx, entry, keys)) for entry in entries]


def _keys_of(tx: Tx, ticket_ids: Collection[int]) -> Mapping[int, tuple[int, bytes]]:
    """By ticket: the key of the buyer, where it still exists."""
    if not ticket_ids:
        return {}
    ids = store.list_buyer_keys(tx.conn, ticket_ids)
    keys = tx.keys.load(tx.conn, ids.values())
    return {ticket_id: (key_id, keys[key_id]) for ticket_id, key_id in ids.items() if key_id in keys}


def _sealed(tx: Tx, entry: Entry, keys: Mapping[int, tuple[int, bytes]]) -> tuple[int | None, bytes]:
    if not entry.text:
        return None, b""
    if entry.ticket_id not in keys:
        return None, tx.keys.vault.seal_secret(entry.text, aad=_aad(entry.ticket_id))
    key_id, key = keys[entry.ticket_id]
    return key_id, seal(key, entry.text.encode(), aad=_aad(entry.ticket_id))


def open_texts(tx: Tx, rows: Sequence[tuple[int, int | None, bytes]]) -> list[str | None]:
    """Of (ticket, key, sealed text) each; None for one whose buyer was erased."""
    keys = tx.keys.load(tx.conn, {key_id for _, key_id, sealed in rows if key_id and sealed})
    return [_opened(tx, ticket_id, key_id, sealed, keys) for ticket_id, key_id, sealed in rows]


def _opened(tx: Tx, ticket_id: int, key_id: int | None, sealed: bytes, keys: Mapping[int, bytes]) -> str | None:
    if not sealed:
        return ""
    if key_id is None:
        return tx.keys.vault.open_secret(sealed, aad=_aad(ticket_id))
    return open_sealed(keys[key_id], sealed, aad=_aad(ticket_id)).decode() if key_id in keys else None


def _aad(ticket_id: int) -> bytes:
    return f"ticket:{ticket_id}".encode()
