"""Kdniao's codes in our words, from `statuses.toml`. Loaded once; an unmapped code is UNKNOWN, never a guess."""

from waystream.core.state import UNKNOWN, Kind, Meaning, State
from waystream.integrations.kdniao.manifest import load_table

PICKUP = "pickup:"  # states of a pickup order, whose numbers collide with StateEx


def _meanings() -> dict[str, Meaning]:
    table = load_table("statuses.toml")
    rows = {**table["codes"], **{PICKUP + code: row for code, row in table["pickup"]["codes"].items()}}
    return {
        code: Meaning(State(row["state"]), Kind(row.get("kind", "")), row.get("coarse", False))
        for code, row in rows.items()
    }


MEANINGS = _meanings()
SILENT_PICKUPS = frozenset(load_table("statuses.toml")["pickup"]["silent"])


def meaning_of(code: str) -> Meaning:
    return MEANINGS.get(code, UNKNOWN)
