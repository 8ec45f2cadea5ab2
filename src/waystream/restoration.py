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
from waystream.settings import Settings


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """`sentences` say what was done beside it. `asked_beyond`: nothing was kept of the moment that was named."""

    backup: Backup
    restored: restore.Restored
    asked_beyond: bool
    applied: tuple[str, ...]
    released: int
    findings: tuple[Finding, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        schema = (f"The schema was brought up to date: {', '.join(self.applied)}.",) if self.applied else ()
        return (*schema, f"{self.released} jobs that were running are ready again.")


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
    released = app.machine.run(lambda tx: release_leases(tx.conn))
    with app.machine.begin(read_only=True) as tx:
        findings = check(tx, app.invariants)
    return BroughtBack(
        backup=order.backup,
        restored=restored,
        asked_beyond=order.at is not None and restored.ended_early,
        applied=tuple(app.applied),
        released=released,
        findings=tuple(findings),
    )
