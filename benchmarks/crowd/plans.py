"""What a page reads: every statement it executes, explained afterwards.

A fault is a big table that no index serves, a sequential scan of one, more than READ_AT_MOST of its rows read by any
way, or more statements than STATEMENTS_AT_MOST for one page: somebody asks row by row.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import psycopg

from waystream.kernel.tx import Work

READ_AT_MOST = 20_000
COUNTED_AT_MOST = 100_000  # of an index alone
SCANNED_AT_MOST = 1_000
STATEMENTS_AT_MOST = 60
#: Every table that grows with what is sold, and those of partitions by their beginning.
BIG = frozenset({
    "orders", "order_line", "person", "person_index", "parcel", "parcel_order", "parcel_line", "binding", "take",
    "label", "print", "subscription", "waybill_cancel", "track", "telling", "event", "log", "audit", "stranger", "job",
    "ticket", "ticket_entry", "care_wish", "notice", "notice_thing", "deadline", "silence", "inquiry", "disputed_scan",
    "webhook_delivery", "buyer_word", "sku", "reserved_number", "replay_scan", "replay_parcel", "inbox_digest",
})  # fmt: skip
PARTITIONED = ("scan_", "inbox_")


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that was executed, with its values and for which shops."""

    text: bytes
    values: Any
    shops: str


@dataclass(slots=True)
class Record:
    statements: list[Said] = field(default_factory=list)


@contextmanager
def recorded() -> Iterator[Record]:
    """Every statement any connection of this process executes meanwhile."""
    record, execute, shops = Record(), psycopg.Cursor.execute, ["*"]

    def listen(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        text = query if isinstance(query, bytes) else str(query).encode()
        if b"waystream.shops" in text:
            shops[0] = params[0]
        elif text.lstrip()[:6].upper().startswith((b"SELECT", b"WITH")):
            record.statements.append(Said(text, params, shops[0]))
        return execute(self, query, params, **options)

    psycopg.Cursor.execute = cast(Any, listen)  # type: ignore[method-assign]
    try:
        yield record
    finally:
        psycopg.Cursor.execute = cast(Any, execute)  # type: ignore[method-assign]


def list_faults(work: Work, record: Record) -> tuple[str, ...]:
    """`orders scanned in SELECT …` for each fault in a statement's plan, once as it is made, once without scans."""
    n = len(record.statements)
    found = [f"{n} statements"] if n > STATEMENTS_AT_MOST else []
    with work.begin(read_only=True) as tx:
        for said in record.statements:
            tx.conn.execute("select set_config('waystream.shops', %s, true)", [said.shops])
            words = " ".join(said.text.decode().split())[:100]
            found += [f"{fault} in {words}" for fault in _list_faults(tx.conn, said)]
    return tuple(found)


def _list_faults(conn: psycopg.Connection[Any], said: Said) -> Iterator[str]:
    try:
        with conn.transaction():
            plan = _explain(conn, said, b"ANALYZE, TIMING OFF, BUFFERS OFF, ")
    except psycopg.errors.QueryCanceled:
        yield "time-out"
        return
    yield from _list_read(plan)
    with conn.transaction():
        conn.execute("SET LOCAL enable_seqscan = off")
        yield from _list_unindexed(_explain(conn, said, b""))
        conn.execute("SET LOCAL enable_seqscan = on")


def _explain(conn: psycopg.Connection[Any], said: Said, options: bytes) -> Mapping[str, Any]:
    row = conn.execute(b"EXPLAIN (" + options + b"FORMAT JSON) " + said.text, said.values).fetchone()
    assert row is not None
    plan: Mapping[str, Any] = row[0][0]["Plan"]
    return plan


def _list_read(plan: Mapping[str, Any]) -> Iterator[str]:
    """What is read too much, as the statement ran."""
    for node, table in _walk(plan):
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        if node["Node Type"] == "Seq Scan" and read > SCANNED_AT_MOST:
            yield f"{table} scanned"
        elif read > (COUNTED_AT_MOST if node["Node Type"] == "Index Only Scan" else READ_AT_MOST):
            yield f"{read:,.0f} rows of {table}"


def _list_unindexed(plan: Mapping[str, Any]) -> Iterator[str]:
    """What is scanned though any index would have been taken: true of few rows as of many."""
    for node, table in _walk(plan):
        if node["Node Type"] == "Seq Scan":
            yield f"no index of {table} serves"


def _walk(plan: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The nodes that read a big table."""
    table = str(plan.get("Relation Name", ""))
    if table in BIG or table.startswith(PARTITIONED):
        yield plan, table
    for child in plan.get("Plans", ()):
        yield from _walk(child)
