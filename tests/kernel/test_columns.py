"""Columns arrive in the database as they were given."""

from datetime import UTC, datetime

from waystream.kernel.columns import bigints, blobs, booleans, instants, integers, texts
from waystream.kernel.database import Database

WHEN = datetime(2026, 11, 11, 3, 4, 5, 678901, tzinfo=UTC)


def test_every_type_with_nulls_and_extremes(database: Database) -> None:
    with database.tx() as conn:
        rows = conn.execute(
            """SELECT * FROM unnest(%b::bigint[], %b::int[], %b::text[], %b::timestamptz[], %b::boolean[],
                                    %b::bytea[])""",
            [
                bigints([1, -(2**63), None]),
                integers([2**31 - 1, -1, None]),
                texts(["", "\"{},\\' 派件", None]),
                instants([WHEN, datetime(1970, 1, 1, tzinfo=UTC), None]),
                booleans([True, False, True]),
                blobs([b"", b"\x00\xff", b"x"]),
            ],
        ).fetchall()
    assert rows == [
        (1, 2**31 - 1, "", WHEN, True, b""),
        (-(2**63), -1, "\"{},\\' 派件", datetime(1970, 1, 1, tzinfo=UTC), False, b"\x00\xff"),
        (None, None, None, None, True, b"x"),
    ]


def test_no_rows(database: Database) -> None:
    with database.tx() as conn:
        assert conn.execute("SELECT * FROM unnest(%b::bigint[], %b::text[])", [bigints([]), texts([])]).fetchall() == []


def test_text_becomes_json_in_the_statement(database: Database) -> None:
    with database.tx() as conn:
        assert conn.execute("SELECT unnest(%b::jsonb[])", [texts(['{"a": 1}'])]).fetchall() == [({"a": 1},)]
