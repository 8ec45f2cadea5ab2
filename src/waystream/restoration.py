"""`waystream restore` from its first check to its last: the engine comes back, the schema is brought up to date, what
a return to an earlier moment must ask again is asked, and every invariant is checked.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from waystream.app import App, build
from waystream.core.errors import Invalid
from waystream.doctor import Finding, check
from waystream.kernel import restore
from waystream.kernel.backup_folder import Backup, choose_backup
from waystream.kernel.job_table import release_leases
from waystream.kernel.tx import Tx
from waystream.parts.backups import actions as backups_part
from waystream.parts.backups.model import Forgotten
from waystream.parts.floor import actions as floor
from waystream.parts.fulfilment import takes
from waystream.parts.hub import actions as hub
from waystream.settings import Settings


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """`sentences` say what was done beside it. `asked_beyond`: nothing was kept of the moment that was named."""

    backup: Backup
    restored: restore.Restored
    asked_beyond: bool
    applied: tuple[str, ...]
    released: int
    forgotten: Forgotten
    findings: tuple[Finding, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        schema = (f"The schema was brought up to date: {', '.join(self.applied)}.",) if self.applied else ()
        told = self.forgotten
        return (
            *schema,
            f"{self.released} jobs that were running are ready again.",
            f"Asked again by itself: {told.doubts} attempts to get a number, the traces of {told.watched} numbers.",
            f"For people, on the page of tasks: {told.prints} labels may be on paper already, {told.waiting} orders to "
            f"ship may have left.",
        )


def bring_back(settings: Settings, backups: Path, *, at: datetime | None = None, name: str = "") -> BroughtBack:
    """Restore into the settings' folders. Raises `Conflict`, `Invalid`, `Missing` before anything is written."""
    if not settings.embedded:
        raise Invalid(
            "database_url",
            "The database is your own PostgreSQL: restore it with what keeps it, and the files beside it by hand.",
        )
    backup = choose_backup(backups, at=at, name=name)
    order = restore.Order(backups, backup, at, settings.data_folder, settings.key_folder)
    restored = restore.restore(order)
    app = build(settings)
    app.attach()
    try:
        return _settle(app, order, restored)
    finally:
        app.stop()


def _settle(app: App, order: restore.Order, restored: restore.Restored) -> BroughtBack:
    restore.pass_over_ids(app.urls.owner)
    released = app.machine.run(lambda tx: release_leases(tx.conn))
    forgotten = app.machine.run(lambda tx: _ask_again(tx, order, restored))
    with app.machine.begin(read_only=True) as tx:
        findings = check(tx, app.invariants)
    return BroughtBack(
        backup=order.backup,
        restored=restored,
        asked_beyond=order.at is not None and restored.ended_early,
        applied=tuple(app.applied),
        released=released,
        forgotten=forgotten,
        findings=tuple(findings),
    )


def _ask_again(tx: Tx, order: restore.Order, restored: restore.Restored) -> Forgotten:
    """What may have happened after the moment we came back to: asked again where asking twice is harmless, told to
    people where it is not."""
    forgotten = Forgotten(
        doubts=takes.doubt_after_restore(tx),
        prints=floor.fail_after_restore(tx),
        watched=hub.watch_after_restore(tx),
        waiting=backups_part.count_waiting_orders(tx),
    )
    backups_part.note_restoration(tx, forgotten, backup=order.backup.name, reached_at=restored.reached)
    return forgotten
