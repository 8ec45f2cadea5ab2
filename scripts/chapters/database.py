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

_TABLE = re.compile(r"((?:^--[^\n]*\n)*)^CREATE TABLE (\w+) \((.*?)\)( PARTITION BY[^;]*| WITH[^;]*)?;", re.M | re.S)
_HELD = re.compile(r"CALL hold_by_shop\('(\w+)'\)|ALTER TABLE (\w+) ENABLE ROW LEVEL SECURITY")
_COLUMN = re.compile(r"\s*([a-z_]+) (?:bigint|int|text|bytea|boolean|jsonb|date|timestamptz|smallint)", re.I)


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


def list_tables() -> list[StoredTable]:
    """Every table of the migrations, in their order."""
    text = "\n".join(migration.statements for migration in read_folder(FOLDER))
    held = {name for pair in _HELD.findall(text) for name in pair if name}
    return [
        StoredTable(name, _about(remark), tuple(_columns(body)), name in held)
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
