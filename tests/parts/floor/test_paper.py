"""What stands on our own label, and which drawing a label becomes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.parts.floor.given import carriers_label, number_on
from waystream.app import load_adapters
from waystream.core import carriers
from waystream.core.label import Barcode, Drawing
from waystream.core.ports import CarrierAccount
from waystream.parts.floor import paper
from waystream.parts.floor.model import Label, LabelRow, Printer, label_facts, service_words

NETWORKS = load_adapters()[0]
AT = datetime(2026, 11, 12, 16, 5, tzinfo=UTC)
ROW = LabelRow(
    id=1, parcel_id=2, source="own", network="kdniao", key_id=1, sealed=b"", carrier="YTO", number="YT8812409633175",
    mark="成都 武侯", package_name="成都转运", sorting_code="528-A12-03", piece=2, pieces=3, weight_g=800, cod_fen=1200,
    declared_fen=0, name_mask="罗**", phone_mask="158****6021", province="四川省", city="成都市", district="武侯区",
    address_mask="文三路***号", warehouse="余杭仓", warehouse_city="杭州市", warehouse_district="余杭区",
    account_id=None, parameters_sealed=None, order_numbers="A1 A2", goods="龙井 × 2", size="76x130",
)  # fmt: skip
FACTS = label_facts(ROW, service="标准快件", at=AT)


def label(number: str = "YT8812409633175", template: str = "", *, size: str = "100x180", carrier: bool = True) -> Label:
    facts = replace(FACTS, waybill=number)
    return Label(1, 2, number, "kdniao", carrier, template, facts, size)  # type: ignore[arg-type]


class Network:
    """A network whose template is this drawing."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing

    def draw_template(self, template: str) -> Drawing:
        return self._drawing


def bars(value: str, *, width: float = 100, height: float = 150) -> dict[str, Network]:
    return {"kdniao": Network(Drawing(width, height, (Barcode(5, 5, 90, 15, value),)))}


def test_our_label_says_who_where_what_and_when_but_no_remark() -> None:
    assert (FACTS.carrier, FACTS.service, FACTS.printed_at) == ("圆通速递", "标准快件", "2026-11-13 00:05")
    assert FACTS.receiver.address == "四川省成都市武侯区文三路***号"
    assert (FACTS.sender.name, FACTS.sender.address) == ("余杭仓", "杭州市余杭区")
    assert (FACTS.parcel_number, FACTS.parcel_count, FACTS.cod_fen) == (2, 3, 1200)
    assert FACTS.remark == ""


@pytest.mark.parametrize(
    ("account", "declared_fen", "words"),
    [
        (None, 0, ""),
        (None, 1, "保价"),
        (CarrierAccount("YTO"), 0, "标准快件 月结"),
        (CarrierAccount("YTO", pay_type=2, product_type="1"), 9, "标准快件 到付 保价"),
        (CarrierAccount("SF", pay_type=9, product_type="231"), 0, ""),
    ],
)
def test_service_words(account: CarrierAccount | None, declared_fen: int, words: str) -> None:
    assert service_words(account, declared_fen=declared_fen) == words


@pytest.mark.parametrize(("value", "taken"), [
    ("JDVA00012345678", True), ("JDVA00012345678-1-1", True), ("JDVA000123456789", False), ("JDVA0001234567", False),
    ("jdva00012345678", False),
])  # fmt: skip
def test_a_carriers_label_must_carry_the_number(value: str, taken: bool) -> None:
    drawn = paper.draw_label(label("JDVA00012345678", "<x>"), bars(value))  # type: ignore[arg-type]
    assert drawn.note == ("" if taken else paper.TEMPLATE_OF_ANOTHER)


@pytest.mark.parametrize(("width", "height", "size", "fits"), [
    (101.6, 152.4, "100x180", True), (98.7, 178.9, "100x180", True), (100, 203, "100x180", False),
    (100, 150, "76x130", False), (76.2, 130, "76x130", True),
])  # fmt: skip
def test_a_label_larger_than_the_paper_is_not_cut(width: float, height: float, size: str, fits: bool) -> None:
    networks, given = bars("YT1", width=width, height=height), label("YT1", "<x>", size=size)
    assert paper.draw_label(given, networks, fit=True).note == ("" if fits else paper.TEMPLATE_TOO_LARGE)  # type: ignore[arg-type]
    assert paper.draw_label(given, networks).note == ""  # type: ignore[arg-type]


def test_a_carriers_label_that_cannot_be_drawn_becomes_ours() -> None:
    networks = bars("YT8812409633175", width=1000)
    made, note = paper.render_label(label(template="<x>"), networks, format="pdf")  # type: ignore[arg-type]
    assert (number_on(made), note) == ("YT8812409633175", paper.TEMPLATE_UNREADABLE)


def test_a_real_template_is_drawn_as_it_is() -> None:
    made, note = paper.render_label(label(template=carriers_label("YT8812409633175")), NETWORKS, format="pdf", fit=True)
    assert (number_on(made), note) == ("YT8812409633175", "")


def test_our_own_label_needs_no_note() -> None:
    assert paper.draw_label(label(carrier=False), NETWORKS).note == ""


@pytest.mark.parametrize("size", ["100x180", "76x130"])
def test_a_test_page_scans_on_every_paper(size: str) -> None:
    printer = Printer(1, "打包台 三号" * 6, "socket://h", 203, size, "unknown", "", None, False, 0)  # type: ignore[arg-type]
    assert number_on(paper.render(paper.draw_trial(printer), "pdf")) == "WAYSTREAM-TEST"


def test_carriers_have_names_in_both_languages() -> None:
    assert (carriers.name_of("YTO"), carriers.name_of("YTO", "en")) == ("圆通速递", "YTO Express")
    assert carriers.name_of("NEW") == "NEW"
    assert all(carriers.name_of(code, "en").isascii() for code in carriers.CODES)
