"""Files of rows: CSV in UTF-8 or GBK, and Parquet, read as text cells, a row at a time.

Guaranteed: the file is closed when reading ends; what a spreadsheet wraps around numbers (="123", a leading quote or
tab) is taken off. A file that is neither, or too large, is one sentence. What cells mean is `core.sheet`.
"""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from waystream.core.errors import Invalid, TooLarge
from waystream.core.sheet import Row

ROWS_MAX = 1_000_000
BYTES_MAX = 1 << 30
CHUNK_BYTES = 1 << 20
FETCH_ROWS = 500
CELL_MAX = 10_000

_PARQUET = b"PAR1"
#: A file of a few kilobytes can hold gigabytes of text: the reader may fail, never take the machine's memory.
_BOUNDS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "512MB", "threads": 1}
#: How the types begin whose values are short by nature; all others are cut where they are read.
_SHORT = ("BOOL", "TINYINT", "SMALLINT", "INT", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
          "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIME", "UUID")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: its headers, about how many rows there are, and the rows, once."""

    headers: tuple[str, ...]
    about: int
    rows: Iterator[Row]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Raises `Invalid` for a file that is missing, empty or unreadable, `TooLarge` beyond a gigabyte or `ROWS_MAX`.

    A cell of more than `CELL_MAX` characters is `Invalid` too, named by its line.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(len(_PARQUET))
    except OSError as error:
        raise Invalid("file", f"{path.name} cannot be read: {error.strerror}") from None
    if size > BYTES_MAX:
        raise TooLarge(f"{path.name} is larger than a gigabyte: import it in parts.")
    with _open_parquet(path) if start == _PARQUET else _open_csv(path) as table:
        yield table


@contextmanager
def _open_csv(path: Path) -> Iterator[Table]:
    encoding, lines = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(",\t;", key=first.count), strict=True)
        headers = _headers(next(_csv_rows(reader), None))
        yield Table(headers, max(lines - 1, 0), _bounded(_csv_rows(reader)))


def _csv_rows(reader: Any) -> Iterator[Row]:
    """Rows that hold anything, by the line they begin on."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Invalid(f"line {line}", f"not CSV: {error}") from None
        if cells is None:
            return
        if any(cells):
            yield Row(line, tuple(_unwrapped(cell) for cell in cells))


def _encoding(path: Path) -> tuple[str, int]:
    """UTF-8 if all of it is, else GBK in its modern form; and how many line ends there are."""
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        lines = 0
        try:
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    lines += chunk.count(b"\n")
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding, lines
    raise Invalid("file", f"{path.name} is neither UTF-8 nor GBK text: save it as CSV UTF-8.")


def _unwrapped(cell: str) -> str:
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1]
    return cell.removeprefix("'")


@contextmanager
def _open_parquet(path: Path) -> Iterator[Table]:
    unreadable = Invalid("file", f"{path.name} is not a Parquet file that can be read.")
    with duckdb.connect(":memory:", config=_BOUNDS) as conn:
        try:
            counted = conn.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
            columns = conn.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            chosen = ", ".join(_column(name, kind) for name, kind, *_ in columns)
            found = conn.execute(f"SELECT {chosen} FROM read_parquet(?)", [str(path)])
        except duckdb.Error:
            raise unreadable from None
        headers = _headers(Row(1, tuple(name for name, *_ in columns)))
        yield Table(headers, counted[0] if counted else 0, _bounded(_parquet_rows(found, unreadable)))


def _column(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return quoted if kind.startswith(_SHORT) and "[" not in kind else f"left(CAST({quoted} AS VARCHAR), {CELL_MAX + 1})"


def _parquet_rows(found: Any, unreadable: Invalid) -> Iterator[Row]:
    line = 1
    while True:
        try:
            rows = found.fetchmany(FETCH_ROWS)
        except duckdb.Error:
            raise unreadable from None
        if not rows:
            return
        for row in rows:
            line += 1
            yield Row(line, tuple("" if cell is None else str(cell) for cell in row))


def _headers(row: Row | None) -> tuple[str, ...]:
    if row is None:
        raise Invalid("file", "The file is empty.")
    return row.cells


def _bounded(rows: Iterator[Row]) -> Iterator[Row]:
    for at, row in enumerate(rows):
        if at >= ROWS_MAX:
            raise TooLarge(f"The file has more than {ROWS_MAX} rows: import it in parts.")
        if any(len(cell) > CELL_MAX for cell in row.cells):
            raise Invalid(f"line {row.line}", f"a cell has more than {CELL_MAX} characters")
        yield row
