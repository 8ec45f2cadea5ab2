"""What is true of a running Waystream, in words: engines, versions, invariants."""

import platform
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType

from waystream.kernel.tx import Tx

SHOWN_MAX = 20


def engines(tx: Tx) -> dict[str, str]:
    """Name and version of everything Waystream stands on."""
    row = tx.conn.execute("SELECT current_setting('server_version'), max(version) FROM migration").fetchone()
    assert row is not None
    return {
        "waystream": version("waystream"),
        "python": platform.python_version(),
        "postgresql": row[0],
        "schema": str(row[1]),
    }


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant: its sentence, and the first of what breaks it (empty: it holds)."""

    name: str
    sentence: str
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.broken


def check(tx: Tx, invariants: tuple[ModuleType, ...]) -> list[Finding]:
    """Every invariant of the open list against the database as the transaction sees it."""
    return [_check_one(tx, module) for module in invariants]


def _check_one(tx: Tx, module: ModuleType) -> Finding:
    sentence = (module.__doc__ or "").strip().split("\n")[0]
    if hasattr(module, "broken"):
        broken = [str(row) for row in module.broken(tx)]
    else:
        broken = [str(tuple(row)) for row in tx.conn.execute(module.SQL).fetchmany(SHOWN_MAX)]
    return Finding(module.__name__.rpartition(".")[2], sentence, tuple(broken[:SHOWN_MAX]))
