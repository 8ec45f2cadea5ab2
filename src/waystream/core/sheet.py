"""Sheets people send: which column means what, and what a cell says.

Guaranteed: a header is recognised however it is spaced, cased or bracketed; money is read exactly; a time without a
zone is Chinese time. Reading files is `kernel.table_file`; which columns there are is the `columns.py` of each part.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from waystream.core.errors import Invalid

PROBLEMS_MAX = 1_000

_CHINA = ZoneInfo("Asia/Shanghai")
_NOISE = re.compile(r"[\s_\-*:：()（）\[\]【】/.]+")
_DATE = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})日?(?:[T\s]+(\d{1,2})[:：时](\d{1,2})(?:[:：分](\d{1,2})秒?)?分?)?")
_ROUNDED = re.compile(r"\d(?:\.\d+)?[Ee]\+\d+")
_TRUE = frozenset({"1", "true", "yes", "y", "是", "√", "有"})
_FALSE = frozenset({"", "0", "false", "no", "n", "否", "无"})

#: Text of a cell → value; raises `ValueError` with the sentence that says what is wrong.
Read = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a sheet; `line` is where a person finds it in the file, the header being line 1."""

    line: int
    cells: tuple[str, ...]


def text(cell: str) -> str:
    return cell


def identifier(cell: str) -> str:
    """A number that names something; a spreadsheet may have rounded it to 2.61111E+11."""
    if _ROUNDED.fullmatch(cell):
        raise ValueError("the spreadsheet has cut this number: format its column as text and export again")
    return cell


def whole(cell: str) -> int:
    """2, 2.0 and 1,000 are whole numbers."""
    number = _decimal(cell)
    if number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)


def yuan(cell: str) -> int:
    """¥1,234.50 → 123450 fen."""
    return _scaled(cell.strip("¥￥元 "), 100, "more than two decimals")


def kilograms(cell: str) -> int:
    """1.25 → 1250 g."""
    return _scaled(cell.lower().removesuffix("kg").strip(), 1000, "finer than a gram")


def centimetres(cell: str) -> int:
    """12.5 → 125 mm."""
    return _scaled(cell.lower().removesuffix("cm").strip(), 10, "finer than a millimetre")


def percent(cell: str) -> int:
    """13 or 13% → 1300 basis points."""
    return _scaled(cell.strip("%％ "), 100, "more than two decimals")


def yes(cell: str) -> bool:
    word = cell.casefold()
    if word not in _TRUE | _FALSE:
        raise ValueError("neither yes nor no")
    return word in _TRUE


def instant(cell: str) -> datetime:
    """2026-11-11 08:00:00, 2026/11/11, 2026年11月11日 8:00 in China, or any ISO instant with its zone."""
    try:
        at = datetime.fromisoformat(cell)
    except ValueError:
        found = _DATE.fullmatch(cell)
        if found is None:
            raise ValueError("not a date and time") from None
        at = _moment([int(part or 0) for part in found.groups()])
    return (at if at.tzinfo else at.replace(tzinfo=_CHINA)).astimezone(UTC)


def _moment(parts: Sequence[int]) -> datetime:
    year, month, day, hour, minute, second = parts
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_CHINA)
    except ValueError:
        raise ValueError("there is no such day or time") from None


def _scaled(cell: str, factor: int, too_fine: str) -> int:
    number = _decimal(cell) * factor
    if number != number.to_integral_value():
        raise ValueError(too_fine)
    return int(number)


def _decimal(cell: str) -> Decimal:
    try:
        number = Decimal(cell.replace(",", "").replace("，", ""))
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > 15:
        raise ValueError("not a number")
    return number


@dataclass(frozen=True, slots=True)
class Column:
    """A field a sheet may fill, by the headers people give it; several columns may fill one field in other units."""

    field: str
    headers: tuple[str, ...]
    read: Read = text
    required: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Which cell of each row is which column; `ignored` headers mean nothing to us."""

    places: tuple[tuple[int, str, Column], ...]
    ignored: tuple[str, ...]

    def fills(self, field: str) -> bool:
        return any(column.field == field for _, _, column in self.places)

    def header_of(self, field: str) -> str:
        """The header that fills the field, as the file spells it, or the field itself."""
        return next((header for _, header, column in self.places if column.field == field), field)


def choices(columns: Sequence[Column]) -> list[tuple[str, Column]]:
    """What a mapping may name: a field, or for its other units the first header of each."""
    named: dict[str, Column] = {}
    for column in columns:
        named.setdefault(column.field if column.field not in named else column.headers[0], column)
    return list(named.items())


def guess(headers: Sequence[str], columns: Sequence[Column]) -> tuple[str, ...]:
    """What each header probably means, as `choices` names it, "" for nothing; no field twice.

    A header we know wins; then one that contains such a header, the longest first: 收货人手机（必填）.
    """
    names = {column: name for name, column in choices(columns)}
    known = {_folded(header): column for column in reversed(columns) for header in (column.field, *column.headers)}
    longest = sorted((header for header in known if len(header) > 1), key=len, reverse=True)
    found: dict[int, Column] = {}
    for at, header in enumerate(headers):
        _suppose(found, at, known.get(_folded(header)))
    for at, header in enumerate(headers):
        if at not in found:
            _suppose(found, at, next((known[each] for each in longest if each in _folded(header)), None))
    return tuple(names[found[at]] if at in found else "" for at in range(len(headers)))


def _suppose(found: dict[int, Column], at: int, column: Column | None) -> None:
    if column is not None and all(other.field != column.field for other in found.values()):
        found[at] = column


def lay_out(headers: Sequence[str], columns: Sequence[Column], chosen: Mapping[str, str]) -> Layout:
    """Recognise the headers; `chosen` (header → one of `choices`, "" for none) wins.

    Raises `Invalid` for a field that is lacking or told twice.
    """
    by_header = {_folded(name): column for column in columns for name in (column.field, *column.headers)}
    by_choice = dict(choices(columns))
    places: list[tuple[int, str, Column]] = []
    for at, header in enumerate(headers):
        wanted = chosen.get(header)
        if wanted and wanted not in by_choice:
            raise Invalid(header, f"there is no field {wanted}")
        column = by_header.get(_folded(header)) if wanted is None else by_choice.get(wanted)
        if column is None:
            continue
        if any(other.field == column.field for _, _, other in places):
            raise Invalid(header, "two columns say the same thing")
        places.append((at, header, column))
    _require(places, columns)
    used = {at for at, _, _ in places}
    return Layout(tuple(places), tuple(header for at, header in enumerate(headers) if header and at not in used))


def _require(places: Sequence[tuple[int, str, Column]], columns: Sequence[Column]) -> None:
    filled = {column.field for _, _, column in places}
    for column in columns:
        if column.required and column.field not in filled:
            raise Invalid(column.field, f"no column says it; name one {column.headers[0]}")


def read_row(layout: Layout, row: Row) -> tuple[dict[str, Any], list[Invalid]]:
    """The values of the cells that hold something, by field, and every cell that cannot be read."""
    values: dict[str, Any] = {}
    problems: list[Invalid] = []
    for at, header, column in layout.places:
        cell = row.cells[at].strip() if at < len(row.cells) else ""
        if not cell:
            continue
        try:
            values[column.field] = column.read(cell)
        except ValueError as error:
            problems.append(problem(row.line, header, str(error)))
    return values, problems


def problem(line: int, header: str, sentence: str) -> Invalid:
    """A row's error as everybody names it."""
    return Invalid(f"line {line}, {header}" if header else f"line {line}", sentence)


def _folded(header: str) -> str:
    return _NOISE.sub("", header).casefold()
