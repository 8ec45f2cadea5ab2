"""Given: a warehouse with a printer, parcels with labels as fulfilment stores them, and the real runner and rules."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import zxingcpp

from tests.parts.world import World, order, put_parcel
from waystream.app import load_adapters
from waystream.core.label import Contact
from waystream.core.ports import Ask, Reply, Routing
from waystream.integrations.kdniao.faketemplate import FakeLabel, render_template
from waystream.kernel import log
from waystream.kernel.dispatcher import Dispatcher
from waystream.kernel.exchange import Exchange
from waystream.kernel.jobs import Handler, Outside
from waystream.kernel.runner import Runner
from waystream.kernel.tx import Tx, Work
from waystream.parts.floor import actions, jobs
from waystream.parts.floor.model import Print, PrinterIn
from waystream.parts.fulfilment import numbers, store_takes
from waystream.parts.orders import actions as orders
from waystream.rules import voided_label_leaves_queue, waybill_issued_prints_label

ROUTING = Routing(mark="528-A12", package_name="成都转运", sorting_code="528-A12-03")
RULES = (waybill_issued_prints_label, voided_label_leaves_queue)


@dataclass(frozen=True, slots=True)
class Floor:
    """A world, and the outside that its printers are reached through."""

    world: World
    outside: Outside

    def handlers(self) -> tuple[Handler, ...]:
        return jobs.handlers(self.outside)

    def runner(self) -> Runner:
        return Runner(self.world.work, self.handlers(), jobs.SWEEPS)

    def run(self) -> int:
        """Everything that is due or waits for a retry, once."""
        with self.world.work.begin() as tx:
            tx.conn.execute("UPDATE job SET due_at = clock_timestamp() WHERE state = 'ready'")
        return self.runner().drain()

    def follow_rules(self) -> None:
        while self.world.work.database.run(log.sequence):
            pass
        Dispatcher(self.world.work, RULES).drain()

    def prints(self) -> list[tuple[str, str]]:
        """(state, said) of every print, in the order they were asked for."""
        with self.world.work.begin() as tx:
            return tx.conn.execute("SELECT state, said FROM print ORDER BY id").fetchall()

    def printer(self, printer_id: int) -> tuple[str, str]:
        with self.world.work.begin() as tx:
            row = actions.get_printer(tx, printer_id)
        return row.state, row.said

    def told(self, *names: str) -> list[tuple[str, int]]:
        """(event, print) of what was said of prints."""
        with self.world.work.begin() as tx:
            return tx.conn.execute(
                "SELECT name, (body ->> 'print_id')::bigint FROM event WHERE name = ANY(%s) ORDER BY id",
                [list(names or ("LabelPrinted", "PrintFailed"))],
            ).fetchall()


@contextmanager
def open_floor(world: World, exchange: Exchange | None = None) -> Iterator[Floor]:
    networks, drivers = load_adapters()
    with exchange or Exchange() as opened:
        yield Floor(world, Outside(opened, networks, drivers))


class Eventful(Exchange):
    """The real exchange; after each delivery something happens, as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Ask] = []
        self.then = lambda: None

    def send(self, ask: Ask) -> Reply:
        reply = super().send(ask)
        self.sent.append(ask)
        self.then()
        return reply


def put_printer(tx: Tx, world: World, uri: str, *, name: str = "一号", size: str = "100x180") -> int:
    """A printer, as the warehouse's own."""
    printer_id = actions.add_printer(tx, PrinterIn(name, uri, label_size=size), actor="staff:1")  # type: ignore[arg-type]
    tx.conn.execute("UPDATE warehouse SET printer_id = %s WHERE id = %s", [printer_id, world.yh])
    return printer_id


def put_labels(tx: Tx, *given: str, shop: str = "tea", templates: Sequence[str] = ()) -> list[int]:
    """A parcel with a live label for each number; the carrier's template where one is given."""
    answers = orders.accept(tx, [order(f"{shop}-{number}", shop=shop) for number in given])
    parcels = []
    for at, (number, answer) in enumerate(zip(given, answers, strict=True)):
        [parcel_id] = numbers.new_ids(tx, 1)
        put_parcel(tx, answer.order_id, parcel_id=parcel_id, stage="issued", number=number)
        put_label(tx, parcel_id, template=templates[at] if at < len(templates) else "")
        parcels.append(parcel_id)
    return parcels


def put_label(tx: Tx, parcel_id: int, *, template: str = "") -> None:
    """As fulfilment seals and stores it."""
    shop_id = tx.conn.execute("SELECT shop_id FROM parcel WHERE id = %s", [parcel_id]).fetchone()[0]
    labels = numbers.make_labels(tx, shop_id, [(parcel_id, parcel_id, template)], ROUTING)
    store_takes.insert_labels(tx.conn, labels, at=tx.now)


def carriers_label(number: str) -> str:
    return render_template(FakeLabel(
        carrier="圆通速递", number=number, mark=ROUTING.mark, package=ROUTING.package_name,
        receiver=Contact("罗**", "158****6021", "四川省成都市"), sender=Contact("发*", "139****0000", "浙江省杭州市"),
        order_number="A1"))  # fmt: skip


def read_pdf(paper: Path | bytes) -> tuple[str, list[str]]:
    """The words on a paper and the barcodes a reader finds."""
    document = pypdfium2.PdfDocument(paper if isinstance(paper, bytes) else paper.read_bytes())
    try:
        words = document[0].get_textpage().get_text_bounded()
        image = document[0].render(scale=203 / 72).to_pil().convert("L")
    finally:
        document.close()
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.Code128)
    return words, [bars.text for bars in found]


def number_on(paper: Path | bytes) -> str:
    """The one number whose barcode is on the paper."""
    [number] = set(read_pdf(paper)[1])
    return number


def states(prints: Sequence[Print]) -> list[str]:
    return [row.state for row in prints]


def papers(folder: Path) -> list[Path]:
    """In the order they came out: the names end in the id of the print."""
    return sorted(folder.glob("*.pdf"), key=lambda path: int(path.stem.split("-")[2]))


def unfinished(work: Work) -> list[tuple[str, str]]:
    with work.begin() as tx:
        return tx.conn.execute("SELECT kind, key FROM job WHERE finished_at IS NULL ORDER BY id").fetchall()
