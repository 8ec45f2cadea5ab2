"""OPEN LIST: what a buyer can be told, one file a kind. Adding a file adds the kind: its pages, limits and log follow.

`title` names it; `holds` are the states of a parcel in which it is still true, and with `troubles` which kinds of an
exception; `once` says what makes it one thing: `parcel` (once for a parcel), `attempt` (once a day of the parcel at the
door), `given` (whoever plans it says: `nth`); `lives_h`: said later it is no news. `moves = "ends"`: a newer scan ends
it; `slowdown`: one that holds the parcel `mutes` it, or it `needs` one, which is its `nth`. `zh` and `en` are the words
it is said in until a shop has its own.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from waystream.core.state import Kind as TrackKind
from waystream.core.state import State

Once = Literal["parcel", "attempt", "given"]
Slowdown = Literal["", "mutes", "needs"]

LANGUAGES = ("zh", "en")
#: What a person says: no file of words, no conditions.
SAID = "said"
#: What a person says to every buyer of an incident.
INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class NoticeKind:
    name: str
    title: Mapping[str, str]
    holds: frozenset[State]
    troubles: frozenset[TrackKind]
    once: Once
    lives: timedelta
    ended_by_move: bool
    slowdown: Slowdown
    words: Mapping[str, Words]


@cache
def load_kinds() -> Mapping[str, NoticeKind]:
    """Every kind by its name, in the order of their files' `order`."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    told = [(path.stem, tomllib.loads(path.read_text(encoding="utf-8"))) for path in files]
    return {name: _read(name, table) for name, table in sorted(told, key=lambda each: each[1]["order"])}


def _read(name: str, table: Mapping[str, Any]) -> NoticeKind:
    """Raises `KeyError` or `ValueError` for a file that is not whole: a fault of whoever wrote it."""
    once: Once = table.get("once", "parcel")
    assert once in ("parcel", "attempt", "given"), f"{name}.toml: once"
    return NoticeKind(
        name=name,
        title={language: table["title"][language] for language in LANGUAGES},
        holds=frozenset(State(word) for word in table["holds"]),
        troubles=frozenset(TrackKind(word) for word in table.get("troubles", ())),
        once=once,
        lives=timedelta(hours=table["lives_h"]),
        ended_by_move=table.get("moves", "") == "ends",
        slowdown=table.get("slowdown", ""),
        words={language: Words(**table[language]) for language in LANGUAGES},
    )
