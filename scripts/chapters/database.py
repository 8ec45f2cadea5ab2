"""Every table with its owner, from the migrations and the tidy test's table of owners."""

import re
from dataclasses import dataclass

from scripts.chapters.markdown import code, codes, table
from tests.tidy.test_tidy import OWNERS
from waystream.kernel.migrations import FOLDER, read_folder

TITLE = "Database"
ABOUT = """Every table, who writes it, and what it holds.

A part writes only its own tables and may read any ([decision 3](../decisions/0003-parts-read-any-table.md)). Tables
marked "by shop" are held by row-level security. Names, phones and addresses are in sealed columns only."""

KERNEL = "kernel"
KERNEL_TABLES = {
    "event", "event_new", "log", "sequencer", "rule_cursor", "parked", "job", "vault_key", "idempotent_reply", "audit",
    "rule_request", "machine_sample",
}  # fmt: skip

#: What the migrations do not say above a table.
_MORE_ABOUT = {
    "event": "What happened, in the transaction in which it happened.",
    "log": "The order in which readers see events, given by the sequencer.",
    "rule_cursor": "How far each rule has read, and why it halted.",
    "parked": "Events a rule could not digest, and those of the same order or parcel that wait behind them.",
    "job": "What must happen in the outside world: due when, leased until when, tried how often.",
    "vault_key": "Data keys, wrapped under the root key: one per person, one per day.",
    "audit": "Who did what to what, and why. Never changed or removed.",
    "shop": "Shops and their policy of when an order is complete.",
    "staff": "People who sign in.",
    "staff_shop": "The shops a person is limited to.",
    "staff_warehouse": "The warehouses a person is limited to.",
    "session": "Who is signed in, by the hash of the token.",
    "api_key": "Keys of programs, by the hash of the secret.",
    "api_key_shop": "The shops a key is limited to.",
    "printer": "Printers and what they last said.",
    "warehouse": "Where parcels leave from: sealed sender, working days, cut-offs, what dispatches a parcel.",
    "sku": "What is sold: weight, size, cost.",
    "orders": "Orders as the shop told them, with the word derived from their parcels.",
    "order_line": "Lines of orders.",
    "import_mapping": "Saved mappings of an import's headers to fields.",
    "parcel": "Boxes, from the wish to ship until they left the warehouse.",
    "parcel_order": "Which orders are in which parcel.",
    "parcel_line": "How many pieces of which order line are in which parcel.",
    "label": "The label of a binding, sealed; at most one of a parcel is not void.",
    "print": "One label on its way through one printer.",
    "subscription": "Whether the aggregator watches a bound number for us.",
    "scan": "What a source said happened, once; partitioned by the time-ordered parcel id.",
    "decision": "A person's word on a parcel: carriers cannot undo it.",
    "unknown_code": "Codes without a meaning here, counted.",
}

_TABLE = re.compile(r"((?:^--[^\n]*\n)*)^CREATE TABLE (\w+) \((.*?)\)( PARTITION BY[^;]*| WITH[^;]*)?;", re.M | re.S)
_HELD = re.compile(r"CALL hold_by_shop\('(\w+)'\)|ALTER TABLE (\w+) ENABLE ROW LEVEL SECURITY")
_TYPES = "bigint|int|float8|double precision|real|text|bytea|boolean|jsonb|date|timestamptz|smallint"
_COLUMN = re.compile(rf"\s*([a-z_]+) (?:{_TYPES})", re.I)


@dataclass(frozen=True, slots=True)
class StoredTable:
    name: str
    about: str
    columns: tuple[str, ...]
    by_shop: bool


def page() -> str:
    tables = {each.name: each for each in list_tables()}
    owner_of = {name: owner for owner, names in OWNERS.items() for name in names}
    owners = sorted({owner_of.get(name, KERNEL) for name in tables}, key=lambda owner: (owner != KERNEL, owner))
    return "\n".join(
        _owner(owner, [each for name, each in tables.items() if owner_of.get(name, KERNEL) == owner])
        for owner in owners
    )


def list_unowned() -> list[str]:
    """Tables that are neither a part's nor the kernel's."""
    owned = KERNEL_TABLES.union(*OWNERS.values())
    return [table.name for table in list_tables() if table.name not in owned]


def list_tables() -> list[StoredTable]:
    """Every table of the migrations, in their order."""
    text = "\n".join(migration.statements for migration in read_folder(FOLDER))
    held = {name for pair in _HELD.findall(text) for name in pair if name}
    return [
        StoredTable(name, _MORE_ABOUT.get(name) or _about(remark), tuple(_columns(body)), name in held)
        for remark, name, body, _ in _TABLE.findall(text)
    ]


def _about(remark: str) -> str:
    return " ".join(line.removeprefix("--").strip() for line in remark.splitlines())


def _columns(body: str) -> list[str]:
    body = re.sub(r"--[^\n]*", "", body)
    return [match[1] for line in body.splitlines() if (match := _COLUMN.match(line))]


def _owner(owner: str, tables: list[StoredTable]) -> str:
    rows = [(code(each.name), "yes" if each.by_shop else "", each.about, codes(each.columns)) for each in tables]
    return f"## {owner}\n\n" + table(("table", "by shop", "what", "columns"), rows)
