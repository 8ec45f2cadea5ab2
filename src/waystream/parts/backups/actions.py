"""Noting backups and restores, and what is known of them."""

from datetime import datetime

from waystream.core.errors import Conflict
from waystream.kernel.audit import Entry
from waystream.kernel.backup_folder import Backup
from waystream.kernel.tx import Tx
from waystream.parts.backups import store
from waystream.parts.backups.model import BackupRow, Forgotten, RestorationRow, Standing

LISTED_AT_MOST = 30
ERROR_MAX = 500


def note_backup(tx: Tx, backup: Backup, *, folder: str) -> None:
    whole, line = backup.wal is not None, backup.wal.line if backup.wal else ""
    row = BackupRow(backup.name, folder, backup.began_at, backup.ended_at, backup.bytes, whole, line, "")
    store.insert_backup(tx.conn, row)


def note_failure(tx: Tx, error: str, *, folder: str, began_at: datetime, ended_at: datetime) -> None:
    store.insert_backup(tx.conn, BackupRow("", folder, began_at, ended_at, 0, False, "", error[:ERROR_MAX]))


def look(tx: Tx) -> Standing:
    return Standing(store.find_newest_whole(tx.conn), next(iter(store.list_backups(tx.conn, limit=1)), None))


def list_backups(tx: Tx) -> list[BackupRow]:
    """The newest tries, failed ones too."""
    return store.list_backups(tx.conn, limit=LISTED_AT_MOST)


def count_waiting_orders(tx: Tx) -> int:
    """Orders that may have been shipped after the moment a restore came back to."""
    return store.count_waiting_orders(tx.conn)


def note_restoration(tx: Tx, forgotten: Forgotten, *, backup: str, reached_at: datetime | None) -> None:
    store.insert_restoration(tx.conn, forgotten, backup=backup, reached_at=reached_at, at=tx.now)
    tx.note(Entry("system", "database.restore", f"backup:{backup}"))


def list_restorations(tx: Tx) -> list[RestorationRow]:
    return store.list_restorations(tx.conn, limit=LISTED_AT_MOST)


def list_unsettled(tx: Tx) -> list[RestorationRow]:
    """Restores nobody has looked through yet."""
    return [row for row in list_restorations(tx) if not row.settled]


def settle_restoration(tx: Tx, restoration_id: int, *, actor: str, reason: str) -> None:
    """A person has compared what left the warehouse and what was printed with what is here."""
    if not store.settle_restoration(tx.conn, restoration_id, actor=actor, at=tx.now):
        raise Conflict("This restore was looked through before.")

    tx.note(Entry(actor, "database.restore_settled", f"restoration:{restoration_id}", reason=reason))
