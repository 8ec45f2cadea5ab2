"""Deadlines as a file that a spreadsheet opens as it is meant. No receiver and no scan text is in it. Pure."""

from collections.abc import Iterable, Iterator

from waystream.core.deadline import DeadlineKind
from waystream.parts.deadlines.lists import Row
from waystream.web.pages.deadlines.words import KINDS, STANDS, reason_of
from waystream.web.pages.orders.sheet import ROWS_AT_MOST, as_text, instant, lines, plain
from waystream.web.shell.language import N_, Language
from waystream.web.shell.vocabulary import carrier_name

HEADS = (
    N_("Awaited"), N_("State"), N_("Due"), N_("Since"), N_("Order"), N_("Carrier"), N_("Waybill"), N_("Shop"),
    N_("Warehouse"), N_("Why"),
)  # fmt: skip
CUT = N_("Only the first %(n)s deadlines are in this file: narrow the list.")


def write_sheet(language: Language, batches: Iterable[list[Row]]) -> Iterator[bytes]:
    """One piece for the head and one for each batch, up to `ROWS_AT_MOST` rows; a last line says if there are more."""
    yield b"\xef\xbb\xbf" + lines([[str(language.say(head)) for head in HEADS]])
    left = ROWS_AT_MOST
    for batch in batches:
        yield lines([_fields(language, row) for row in batch[:left]])
        if len(batch) > left:
            yield lines([[str(language.say(CUT, n=language.number(ROWS_AT_MOST)))]])
            return
        left -= len(batch)


def _fields(language: Language, row: Row) -> list[object]:
    return [
        str(language.say(KINDS[DeadlineKind(row.kind)])), str(language.say(STANDS[row.stand])),
        instant(language, row.due_at), instant(language, row.since), as_text(row.number),
        plain(carrier_name(language, row.carrier) if row.carrier else ""), as_text(row.waybill), plain(row.shop),
        plain(row.warehouse), reason_of(language, row.doubts),
    ]  # fmt: skip
