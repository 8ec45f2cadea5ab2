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
FETCH_ROWS = 5_000

_PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: its headers, about how many rows there are, and the rows, once."""

    headers: tuple[str, ...]
    about: int
    rows: Iterator[Row]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Raises `Invalid` for a file that is missing, empty or unreadable, `TooLarge` beyond a gigabyte or `ROWS_MAX`."""
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
    with duckdb.connect(":memory:") as conn:
        try:
            counted = conn.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
            found = conn.execute("SELECT * FROM read_parquet(?)", [str(path)])
        except duckdb.Error:
            raise Invalid("file", f"{path.name} is not a Parquet file that can be read.") from None
        headers = _headers(Row(1, tuple(column[0] for column in found.description)))
        yield Table(headers, counted[0] if counted else 0, _bounded(_parquet_rows(found)))


def _parquet_rows(found: Any) -> Iterator[Row]:
    line = 1
    while rows := found.fetchmany(FETCH_ROWS):
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
        yield row
