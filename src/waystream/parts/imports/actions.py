"""Keeping files to be imported, and mappings to read them by.

Guaranteed: bytes, headers and what is wrong with a line lie sealed under the key of the day; a file goes when it is
imported or a day old; a run is begun by one process, ended by that one or not at all, and an import ends in the
transaction that holds what it took in. A process that fell silent took in nothing: its run can be begun again.
"""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.imports import store
from waystream.parts.imports.model import (
    FILES_KEPT,
    RUNS_KEPT,
    SILENT_S,
    TARGETS,
    Given,
    ImportRun,
    SavedMapping,
    checked_mapping,
)
from waystream.parts.imports.store import RunRow

T = TypeVar("T")

PIECE_BYTES = 1 << 20
LISTED_MAX = 20

Result = Sequence[tuple[str, int]]
Problems = Sequence[tuple[str, str]]

NO_IMPORT = "There is no such import; only the newest are remembered."


def keep_file(tx: Tx, file: BinaryIO, given: Given, *, actor: str) -> str:
    """Seal a file piece by piece; the id of its run, which is not begun."""
    if given.target not in TARGETS:
        raise Invalid("target", f"choose from {', '.join(TARGETS)}")
    run_id = secrets.token_hex(8)
    key_id, key = tx.keys.day_key(tx.conn, tx.now.date())

    store.insert_run(tx.conn, run_id, given, actor=actor, key_id=key_id, size_bytes=0, at=tx.now)
    size_bytes = nth = 0
    while piece := file.read(PIECE_BYTES):
        store.insert_piece(tx.conn, run_id, nth, seal(key, piece, aad=_aad(run_id, f"piece {nth}")))
        size_bytes, nth = size_bytes + len(piece), nth + 1
    if not size_bytes:
        raise Invalid("file", "The file is empty.")
    store.set_size(tx.conn, run_id, size_bytes)
    return run_id


def copy_file(tx: Tx, run_id: str, to: Path, *, actor: str) -> None:
    """Write the file in the clear where an importer reads it; whoever asked removes it."""
    row = _get(tx, run_id, actor)
    key = _key(tx, row)
    with to.open("xb") as copy:
        for nth, sealed in store.list_pieces(tx.conn, run_id):
            copy.write(open_sealed(key, sealed, aad=_aad(run_id, f"piece {nth}")))


def get_run(tx: Tx, run_id: str, *, actor: str) -> ImportRun:
    """A run of this person. Raises `Missing`."""
    return _told(tx, _get(tx, run_id, actor))


def list_runs(tx: Tx, actor: str) -> list[ImportRun]:
    """A person's newest."""
    return [_told(tx, row) for row in store.list_runs(tx.conn, actor, limit=LISTED_MAX)]


def begin(
    tx: Tx, run_id: str, *, actor: str, rehearsal: bool, mapping: str = "", columns: Mapping[str, str] | None = None
) -> str:
    """Start reading; the token that ends it. Raises `Conflict` while another process reads it, or without its file."""
    row = store.find_run(tx.conn, run_id, actor=actor, lock=True)
    if row is None:
        raise Missing(NO_IMPORT)
    if row.state == "imported":
        raise Conflict("This file is imported already.")
    if row.state == "running" and row.silent_s < SILENT_S:
        raise Conflict("This file is being read already.")
    if not row.has_file:
        raise Conflict("The file is no longer kept: give it again.")
    token = secrets.token_hex(8)
    sealed = None if columns is None else _sealed(tx, row, "columns", dict(columns))

    store.set_running(tx.conn, run_id, token=token, rehearsal=rehearsal, mapping=mapping, columns_sealed=sealed)
    return token


def beat(tx: Tx, run_id: str, *, token: str, done: int, total: int) -> bool:
    """Say that the process lives and how far it is; False when the run is not its own any more."""
    return store.beat(tx.conn, run_id, token=token, done=done, total=total)


def finish(tx: Tx, run_id: str, *, token: str, result: Result) -> None:
    """Imported, in the transaction that holds what was taken in. Raises `Conflict` when the run is another's."""
    if not store.end_run(tx.conn, run_id, token=token, state="imported", result=list(result), problems=None, at=tx.now):
        raise Conflict("This import was begun again by another process.")
    store.drop_pieces(tx.conn, run_id)


def end_rehearsal(tx: Tx, run_id: str, *, token: str, result: Result) -> None:
    """It would have been imported; nothing was."""
    store.end_run(tx.conn, run_id, token=token, state="tried", result=list(result), problems=None, at=tx.now)


def refuse(tx: Tx, run_id: str, *, actor: str, token: str, problems: Problems) -> None:
    """Nothing was taken in, because of these."""
    sealed = _sealed(tx, _get(tx, run_id, actor), "problems", list(problems))
    store.end_run(tx.conn, run_id, token=token, state="refused", result=[], problems=sealed, at=tx.now)


def drop_old(tx: Tx) -> int:
    """Forget what is old; how much that was."""
    return store.drop_old(tx.conn, files_before=tx.now - FILES_KEPT, runs_before=tx.now - RUNS_KEPT)


def save_mapping(tx: Tx, mapping: SavedMapping, *, actor: str) -> None:
    """Keep a mapping under its name, over the one there was. Raises `Invalid`."""
    mapping = checked_mapping(mapping)
    store.save_mapping(tx.conn, mapping, at=tx.now)
    tx.note(Entry(actor, "save", f"mapping:{mapping.name}"))


def drop_mapping(tx: Tx, name: str, *, actor: str) -> None:
    """Raises `Missing`."""
    if not store.drop_mapping(tx.conn, name):
        raise Missing("There is no mapping of this name.")
    tx.note(Entry(actor, "drop", f"mapping:{name}"))


def list_mappings(tx: Tx) -> list[SavedMapping]:
    return [SavedMapping(*row) for row in store.list_mappings(tx.conn)]


def get_mapping(tx: Tx, name: str) -> SavedMapping:
    """Raises `Missing`."""
    found = next((each for each in list_mappings(tx) if each.name == name), None)
    if found is None:
        raise Missing("There is no mapping of this name.")
    return found


def _get(tx: Tx, run_id: str, actor: str) -> RunRow:
    row = store.find_run(tx.conn, run_id, actor=actor)
    if row is None:
        raise Missing(NO_IMPORT)
    return row


def _told(tx: Tx, row: RunRow) -> ImportRun:
    problems = _opened(tx, row, "problems", row.problems_sealed, list[tuple[str, str]])
    columns = _opened(tx, row, "columns", row.columns_sealed, dict[str, str])
    return ImportRun(
        id=row.id,
        actor=row.actor,
        given=Given(row.name, row.target, row.shop, row.warehouse, row.mapping),
        state=row.state,  # type: ignore[arg-type]
        rehearsal=row.rehearsal,
        stopped=row.state == "running" and row.silent_s >= SILENT_S,
        done=row.done,
        total=row.total,
        result=tuple((word, count) for word, count in row.result),
        problems=tuple(problems or ()),
        columns=columns,
        has_file=row.has_file,
        given_at=row.given_at,
        ended_at=row.ended_at,
    )


def _key(tx: Tx, row: RunRow) -> bytes:
    key = tx.keys.load(tx.conn, [row.key_id]).get(row.key_id)
    if key is None:
        raise Conflict("The file is no longer kept: give it again.")
    return key


def _sealed(tx: Tx, row: RunRow, what: str, value: object) -> bytes:
    return seal(_key(tx, row), msgspec.json.encode(value), aad=_aad(row.id, what))


def _opened(tx: Tx, row: RunRow, what: str, sealed: bytes | None, shape: type[T]) -> T | None:
    """None for nothing, and for what nobody can read any more."""
    key = tx.keys.load(tx.conn, [row.key_id]).get(row.key_id)
    if sealed is None or key is None:
        return None
    return msgspec.json.decode(open_sealed(key, sealed, aad=_aad(row.id, what)), type=shape)


def _aad(run_id: str, what: str) -> bytes:
    return f"import {run_id} {what}".encode()
