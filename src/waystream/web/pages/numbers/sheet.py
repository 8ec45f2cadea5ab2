"""Numbers as a file that a spreadsheet opens as it is meant: UTF-8 with its mark, long numbers as text. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime

from waystream.parts.fulfilment.store_tasks import UnusedNumber
from waystream.web.shell.language import N_, Language
from waystream.web.shell.vocabulary import carrier_name

ROWS_AT_MOST = 50_000

HEADS = (
    N_("Waybill"), N_("Carrier"), N_("State"), N_("Order"), N_("Shop"), N_("Warehouse"), N_("Taken"), N_("Days"),
)  # fmt: skip


def write_sheet(language: Language, rows: Sequence[UnusedNumber], words: Mapping[str, str], *, now: datetime) -> bytes:
    """`words`: how each state is called."""
    text = io.StringIO(newline="")
    sheet = csv.writer(text)
    sheet.writerow([str(language.say(head)) for head in HEADS])
    for row in rows:
        taken = row.since.astimezone(language.zone)
        sheet.writerow([
            _as_text(row.number), _plain(carrier_name(language, row.carrier)), words[row.state], _as_text(row.order),
            _plain(row.shop), _plain(row.warehouse), f"{taken:%Y-%m-%d %H:%M:%S}", (now - row.since).days,
        ])  # fmt: skip
    return text.getvalue().encode("utf-8-sig")


def _as_text(number: str) -> str:
    """A tab keeps a spreadsheet from rounding it; our own import takes it off again."""
    return f"\t{number}" if number else ""


def _plain(name: str) -> str:
    """A name that looks like a formula is none."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
