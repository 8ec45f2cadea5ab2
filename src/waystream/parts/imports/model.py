"""An import as it is told, and a saved mapping; what either may be. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from waystream.core.errors import Invalid

TARGETS = ("orders", "skus", "warehouses", "accounts")
NAME_MAX, COLUMNS_MAX = 64, 200
RUNS_KEPT = timedelta(days=30)
FILES_KEPT = timedelta(days=1)
#: A process that reads a file says so every few seconds; silent for this long, it is gone.
SILENT_S = 20.0

State = Literal["kept", "running", "tried", "imported", "refused"]


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A saved mapping: header → field, "" for a column to leave out."""

    name: str
    target: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """What a person hands in with a file."""

    name: str
    target: str
    shop: str = ""
    warehouse: str = ""
    mapping: str = ""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """`stopped`: the process that read it is gone, and with it everything it did. `has_file`: it can be run again.

    `result` are (word, count) pairs, `problems` (where, sentence); `columns` were chosen for this file alone.
    """

    id: str
    actor: str
    given: Given
    state: State
    rehearsal: bool
    stopped: bool
    done: int
    total: int
    result: tuple[tuple[str, int], ...]
    problems: tuple[tuple[str, str], ...]
    columns: Mapping[str, str] | None
    has_file: bool
    given_at: datetime
    ended_at: datetime | None


def checked_mapping(mapping: SavedMapping) -> SavedMapping:
    """Raises `Invalid` for a target nobody imports, a name too long, a header twice as long as any."""
    if mapping.target not in TARGETS:
        raise Invalid("target", f"choose from {', '.join(TARGETS)}")
    if not 1 <= len(mapping.name) <= NAME_MAX or len(mapping.columns) > COLUMNS_MAX:
        raise Invalid("name", f"between 1 and {NAME_MAX} characters, for at most {COLUMNS_MAX} columns")
    if not mapping.name.isprintable() or any(
        len(header) > 200 or len(to) > 64 for header, to in mapping.columns.items()
    ):
        raise Invalid("columns", "a header has at most 200 characters")
    return mapping
