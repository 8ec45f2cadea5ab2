"""A label on a raw port: every byte of it, and the picture in it is the label."""

import pytest
import zxingcpp

from tests.integrations.zpl.raw_port import RawPort
from tests.parts.floor.test_label import decode_field
from waystream.core.errors import Unavailable
from waystream.core.label import Barcode, Drawing
from waystream.core.ports import PrinterAddress, SocketAsk
from waystream.integrations.zpl.adapter import driver
from waystream.kernel.exchange import Exchange
from waystream.parts.floor.draw import draw_zpl

LABEL = draw_zpl(Drawing(76, 130, (Barcode(4, 20, 68, 20, "YT8812409633175"),)))


def test_a_port_gets_the_whole_label_and_it_is_the_label() -> None:
    with RawPort() as port, Exchange() as exchange:
        address = PrinterAddress(f"socket://127.0.0.1:{port.number}")
        asked = driver.ask_print(address, title="t", format="zpl", document=LABEL)
        assert driver.read_print(exchange.send(asked)).outcome == "printed"
    [taken] = port.taken
    assert taken == LABEL
    [found] = zxingcpp.read_barcodes(decode_field(taken.decode()), formats=zxingcpp.BarcodeFormat.Code128)
    assert found.text == "YT8812409633175"


def test_a_printer_that_is_off_is_unavailable_and_got_nothing() -> None:
    with RawPort() as port:
        pass
    asked = driver.ask_print(PrinterAddress(f"socket://127.0.0.1:{port.number}"), title="t", format="zpl", document=b"")
    with Exchange() as exchange, pytest.raises(Unavailable) as off:
        exchange.send(asked)
    assert not off.value.sent


def test_the_port_is_9100_unless_said() -> None:
    asked = driver.ask_print(PrinterAddress("socket://zebra.lan"), title="t", format="zpl", document=LABEL)
    assert asked == SocketAsk("zebra.lan", 9100, LABEL)
    assert driver.ask_progress(PrinterAddress("socket://zebra.lan"), "") is None
