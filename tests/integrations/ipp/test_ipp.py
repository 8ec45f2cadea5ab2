"""IPP as bytes: what a real printer answers, what each status means for the queue, and answers that are no IPP."""

import struct
import time
from pathlib import Path

import pytest

from tests.integrations.ipp.real_printer import real_printer
from waystream.core.errors import Unavailable, Unreadable
from waystream.core.label import Drawing, Text
from waystream.core.ports import HttpAsk, PrintAnswer, PrinterAddress, Reply
from waystream.integrations.ipp.adapter import driver
from waystream.kernel.exchange import Exchange
from waystream.parts.floor.draw import draw_pdf

PRINTER = PrinterAddress("ipp://10.0.0.7/ipp/print")
PAGE = draw_pdf(Drawing(100, 180, (Text(5, 5, 90, 10, "面单", 6),)))
ENUM, INTEGER, KEYWORD = 0x23, 0x21, 0x44


def attribute(tag: int, name: str, value: bytes) -> bytes:
    return struct.pack(">bh", tag, len(name)) + name.encode() + struct.pack(">h", len(value)) + value


def answer(*, status: int = 0, state: int | None = None, reasons: tuple[str, ...] = ("none",)) -> Reply:
    """A printer's reply (RFC 8010, section 3.1) about job 7."""
    body = struct.pack(">bbhi", 2, 0, status, 1) + b"\x01" + attribute(0x47, "attributes-charset", b"utf-8")
    if state is not None:
        body += b"\x02" + attribute(INTEGER, "job-id", struct.pack(">i", 7))
        body += attribute(ENUM, "job-state", struct.pack(">i", state))
        for at, reason in enumerate(reasons):
            body += attribute(KEYWORD, "" if at else "job-state-reasons", reason.encode())
    return Reply(200, (), body + b"\x03")


def test_a_real_printer_takes_prints_and_says_so(tmp_path: Path) -> None:
    with real_printer(tmp_path) as printer, Exchange() as exchange:
        address = PrinterAddress(printer.uri)
        asked = driver.ask_print(address, title="waystream-1-2", format="pdf", document=PAGE)
        said = driver.read_print(exchange.send(asked))
        assert (said.outcome, said.job) in (("accepted", "1"), ("printed", "1"))
        ends = time.monotonic() + 10
        while said.outcome == "accepted" and time.monotonic() < ends:
            said = driver.read_progress(exchange.send(driver.ask_progress(address, said.job)))
        assert said == PrintAnswer("printed", "job-completed-successfully", "1")
        [paper] = printer.papers()
        assert paper.read_bytes() == PAGE
        assert "waystream-1-2" in paper.name
        lost = driver.read_progress(exchange.send(driver.ask_progress(address, "99")))
        assert (lost.outcome, lost.job) == ("offline", "")


@pytest.mark.parametrize(
    ("state", "reasons", "outcome"),
    [
        (3, ("none",), "accepted"),
        (4, ("job-hold-until-specified",), "accepted"),
        (5, ("job-printing",), "accepted"),
        (5, ("job-printing", "printer-stopped"), "offline"),
        (6, ("printer-stopped",), "offline"),
        (7, ("job-canceled-at-device",), "refused"),
        (8, ("aborted-by-system",), "refused"),
        (9, ("job-completed-successfully",), "printed"),
    ],
)
def test_states_of_a_job(state: int, reasons: tuple[str, ...], outcome: str) -> None:
    told = PrintAnswer(outcome, ", ".join(reasons), "7")
    assert driver.read_print(answer(state=state, reasons=reasons)) == told
    assert driver.read_progress(answer(state=state, reasons=reasons)) == told


@pytest.mark.parametrize("status", [0x0408, 0x0410, 0x0411, 0x0412, 0x041A, 0x0508])
def test_a_fault_of_this_label_fails_it(status: int) -> None:
    assert driver.read_print(answer(status=status)).outcome == "refused"


@pytest.mark.parametrize("status", [0x0400, 0x0401, 0x0403, 0x0406, 0x040A, 0x0500, 0x0502, 0x0503, 0x0506, 0x0507])
def test_a_fault_of_the_printer_keeps_the_queue(status: int) -> None:
    said = driver.read_print(answer(status=status))
    assert (said.outcome, said.job) == ("offline", "")
    assert f"0x{status:04x}" in said.reason


def test_a_printer_that_may_still_have_the_job_is_asked_again() -> None:
    with pytest.raises(Unavailable):
        driver.read_progress(answer(status=0x0507))


def test_what_is_no_ipp_is_unreadable() -> None:
    whole = answer(state=9).body
    for end in range(len(whole)):
        with pytest.raises(Unreadable):
            driver.read_print(Reply(200, (), whole[:end]))
    with pytest.raises(Unreadable):
        driver.read_print(Reply(200, (), b"<html>"))
    with pytest.raises(Unavailable):
        driver.read_print(Reply(404, (), b""))


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("ipp://10.0.0.7", "http://10.0.0.7:631/ipp/print"),
        ("ipps://printer.lan/ipp/print/labels", "https://printer.lan:631/ipp/print/labels"),
        ("ipp://10.0.0.7:8631/p", "http://10.0.0.7:8631/p"),
        ("ipp://[fe80::1]:631/p", "http://[fe80::1]:631/p"),
    ],
)
def test_addresses(uri: str, url: str) -> None:
    asked = driver.ask_print(PrinterAddress(uri), title="t", format="pdf", document=PAGE)
    assert isinstance(asked, HttpAsk)
    assert (asked.method, asked.url, asked.trusted) == ("POST", url, True)
    assert asked.body.endswith(PAGE)


def test_the_document_is_not_in_its_repr() -> None:
    assert "PDF" not in repr(driver.ask_print(PRINTER, title="t", format="pdf", document=PAGE))
