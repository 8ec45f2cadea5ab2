"""Orders as a file that a spreadsheet opens as it is meant: UTF-8 with its mark, long numbers as text. Pure.

Only what the list shows: the receiver by mask or not at all, and no scan text, which may name couriers.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from waystream.web.pages.orders.store import Row
from waystream.web.shell.language import N_, Language
from waystream.web.shell.vocabulary import carrier_name

ROWS_AT_MOST = 100_000

HEADS = (
    N_("Order"), N_("Shop"), N_("State"), N_("Changed"), N_("Promised"), N_("Carrier"), N_("Waybill"), N_("Parcels"),
    N_("Receiver"), N_("Province"), N_("City"), N_("District"), N_("Total, CNY"),
)  # fmt: skip
CUT = N_("Only the first %(n)s orders are in this file: narrow the list.")
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Fields = list[object]


def write_sheet(
    language: Language, batches: Iterable[list[Row]], *, state: Callable[[Row], str], masked: bool
) -> Iterator[bytes]:
    """One piece for the head and one for each batch, up to `ROWS_AT_MOST` rows; a last line says if that was not all.

    `state` says how an order stands; `masked` is whether the reader may see masked receivers.
    """
    yield b"\xef\xbb\xbf" + lines([[str(language.say(head)) for head in HEADS]])
    left = ROWS_AT_MOST
    for batch in batches:
        yield lines([_fields(language, row, state=state(row), masked=masked) for row in batch[:left]])
        if len(batch) > left:
            yield lines([[str(language.say(CUT, n=language.number(ROWS_AT_MOST)))]])
            return
        left -= len(batch)


def _fields(language: Language, row: Row, *, state: str, masked: bool) -> Fields:
    return [
        as_text(row.number), plain(row.shop), plain(state), instant(language, row.moved_at),
        instant(language, row.promised_at), plain(carrier_name(language, row.carrier or "")),
        as_text(row.waybill or ""), row.parcels, plain(row.name_mask) if masked else "", plain(row.province),
        plain(row.city), plain(row.district), f"{row.total_fen // 100}.{row.total_fen % 100:02d}",
    ]  # fmt: skip


def lines(rows: list[Fields]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def instant(language: Language, at: datetime | None) -> str:
    return f"{at.astimezone(language.zone):%Y-%m-%d %H:%M:%S}" if at else ""


def as_text(number: str) -> str:
    """A tab keeps a spreadsheet from rounding digits; our own import takes it off again."""
    return f"\t{number}" if number.isdigit() else plain(number)


def plain(text: str) -> str:
    """A text that looks like a formula is none."""
    return f"'{text}" if text.startswith(FORMULA) else text
