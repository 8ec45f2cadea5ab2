"""Labels become paper: in order, once, never for a dead number, through switched-off printers and killed processes."""

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from tests.engine import Engine
from tests.integrations.ipp.real_printer import free_port, real_printer
from tests.integrations.zpl.raw_port import RawPort
from tests.kernel.machine import eventually, running
from tests.parts.floor.given import (
    Eventful,
    Floor,
    carriers_label,
    number_on,
    open_floor,
    papers,
    put_label,
    put_labels,
    put_printer,
    read_pdf,
    unfinished,
)
from tests.parts.world import World
from waystream.core.errors import Conflict
from waystream.core.events.fulfilment import WaybillIssued
from waystream.core.ports import Ask, PrintAnswer, PrinterAddress, Reply, SocketAsk
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Runner
from waystream.kernel.tx import Tx, Work
from waystream.parts.floor import actions, jobs, paper
from waystream.parts.floor.model import DESTROY_PAPER, MAYBE_ON_PAPER, RUN_DIED
from waystream.parts.fulfilment import numbers


def void(tx: Tx, parcel_id: int) -> None:
    numbers.void_labels(tx, [parcel_id])


# ---------------------------------------------------------------- from the event to the paper


def test_an_issued_waybill_is_printed_once(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        [parcel_id] = put_labels(tx, "YT8812409633175")
        told = WaybillIssued(shop_id=floor.world.tea, parcel_id=parcel_id, binding_id=parcel_id, order_ids=(1,))
        tx.emit(told, told)

    floor.follow_rules()
    floor.run()

    words, bars = read_pdf(papers(tmp_path)[0])
    assert set(bars) == {"YT8812409633175"}
    facts = ("圆通速递", "罗**", "158****6021", "528-A12-03", "成都转运", "龙井 × 2", "2026-11-12 14:32", "tea-YT8812")
    assert [fact for fact in facts if fact not in words.replace("\r\n", "")] == []
    assert len(papers(tmp_path)) == 1
    assert floor.prints() == [("printed", "")]
    [(name, _)] = floor.told()
    assert name == "LabelPrinted"
    assert unfinished(floor.world.work) == []


def test_the_carriers_own_label_is_what_is_printed(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        parcels = put_labels(tx, "YT8812409633175", templates=[carriers_label("YT8812409633175")])
        actions.print_parcels(tx, parcels)
    floor.run()
    words, bars = read_pdf(papers(tmp_path)[0])
    assert "快件送达收件人地址" in words
    assert set(bars) == {"YT8812409633175"}
    assert floor.prints() == [("printed", "")]


@pytest.mark.parametrize(
    ("template", "note"),
    [
        ("<html></html>", paper.TEMPLATE_UNREADABLE),
        (carriers_label("YT0000000000000"), paper.TEMPLATE_OF_ANOTHER),
        (carriers_label("YT88124096331751"), paper.TEMPLATE_OF_ANOTHER),
    ],
)
def test_a_label_of_another_number_is_never_printed(floor: Floor, tmp_path: Path, template: str, note: str) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        actions.print_parcels(tx, put_labels(tx, "YT8812409633175", templates=[template]))
    floor.run()
    assert number_on(papers(tmp_path)[0]) == "YT8812409633175"
    assert floor.prints() == [("printed", note)]


def test_a_label_outlives_the_key_of_its_day(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        actions.print_parcels(tx, put_labels(tx, "YT8812409633175", templates=[carriers_label("YT8812409633175")]))
        key_id, _ = tx.keys.day_key(tx.conn, date(2026, 11, 12))
        tx.keys.destroy(tx.conn, [key_id], at=tx.now)
    floor.run()
    assert number_on(papers(tmp_path)[0]) == "YT8812409633175"
    assert floor.prints() == [("printed", paper.TEMPLATE_GONE)]


def test_what_cannot_be_drawn_fails_and_the_queue_goes_on(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        actions.print_parcels(tx, put_labels(tx, "圆通一号", "YT2"))
    floor.run()
    assert [number_on(each) for each in papers(tmp_path)] == ["YT2"]
    assert [state for state, _ in floor.prints()] == ["failed", "printed"]
    assert [name for name, _ in floor.told()] == ["PrintFailed", "LabelPrinted"]


def test_a_reprint_is_one_more_paper(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        [parcel_id] = put_labels(tx, "YT1")
        actions.print_parcels(tx, [parcel_id])
        assert actions.print_parcels(tx, [parcel_id]) == []
        actions.reprint(tx, parcel_id, reason="smeared", actor="staff:1")
    floor.run()
    assert [number_on(each) for each in papers(tmp_path)] == ["YT1", "YT1"]
    with floor.world.work.begin() as tx:
        assert [row.reprint for row in actions.list_prints(tx, parcel_id)] == [False, True]
        assert tx.conn.execute("SELECT shop_id, reason FROM audit WHERE action = 'label.reprint'").fetchall() == [
            (floor.world.tea, "smeared")
        ]
        void(tx, parcel_id)
        with pytest.raises(Conflict):
            actions.reprint(tx, parcel_id, reason="again", actor="staff:1")


# ---------------------------------------------------------------- a real printer


def test_a_real_printer_prints_a_queue_in_its_order(floor: Floor, tmp_path: Path) -> None:
    given = [f"YT881240963317{n}" for n in range(4)]
    with real_printer(tmp_path) as printer:
        with floor.world.work.begin() as tx:
            printer_id = put_printer(tx, floor.world, printer.uri)
            actions.print_parcels(tx, put_labels(tx, *given))
        floor.run()
        assert [number_on(each) for each in printer.papers()] == given
    assert floor.prints() == [("printed", "")] * 4
    assert floor.printer(printer_id) == ("ready", "")


def test_a_printer_that_is_off_keeps_its_queue_and_comes_back_by_itself(floor: Floor, tmp_path: Path) -> None:
    port, given = free_port(), ["YT1", "YT2", "YT3"]
    with floor.world.work.begin() as tx:
        printer_id = put_printer(tx, floor.world, f"ipp://127.0.0.1:{port}/ipp/print")
        actions.print_parcels(tx, put_labels(tx, *given))
    floor.run()
    assert floor.prints() == [("queued", "")] * 3
    assert floor.printer(printer_id) == ("offline", "127.0.0.1 cannot be reached")
    assert unfinished(floor.world.work) == [("drain_printer", str(printer_id))]
    with floor.world.work.begin() as tx:
        [waits_s] = tx.conn.execute(
            "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM job WHERE finished_at IS NULL"
        ).fetchone()
    assert 5 < waits_s <= jobs.OFFLINE_RETRY_S

    floor.run()  # still off: it does not wait longer each time
    with real_printer(tmp_path, port) as printer:
        floor.run()
        assert [number_on(each) for each in printer.papers()] == given
    assert floor.printer(printer_id) == ("ready", "")
    assert floor.prints() == [("printed", "")] * 3
    assert unfinished(floor.world.work) == []


def test_a_test_page_shows_the_printer_and_chinese(floor: Floor, tmp_path: Path) -> None:
    with real_printer(tmp_path) as printer:
        with floor.world.work.begin() as tx:
            printer_id = put_printer(tx, floor.world, printer.uri, name="打包台 三号")
            actions.try_printer(tx, printer_id, actor="staff:1")
        floor.run()
        eventually(printer.papers)
        words, bars = read_pdf(printer.papers()[0])
    assert "打包台 三号" in words
    assert "这台打印机就可以打面单了" in words.replace("\r\n", "")
    assert bars == ["WAYSTREAM-TEST"]
    assert floor.printer(printer_id) == ("ready", "")

    with floor.world.work.begin() as tx:
        actions.try_printer(tx, printer_id, actor="staff:1")
    floor.run()
    assert floor.printer(printer_id) == ("offline", "127.0.0.1 cannot be reached")
    assert unfinished(floor.world.work) == []


def test_queues_fill_while_the_runner_works(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        parcels = put_labels(tx, *(f"YT{n:03}" for n in range(30)))
    with running(floor.runner()):
        for parcel_id in parcels:
            with floor.world.work.begin() as tx:
                actions.print_parcels(tx, [parcel_id])
        eventually(lambda: len(papers(tmp_path)) == 30 and not unfinished(floor.world.work), within_s=30)
    assert floor.prints() == [("printed", "")] * 30
    assert len(floor.told("LabelPrinted")) == 30


# ---------------------------------------------------------------- dead numbers


def test_a_label_voided_while_it_waits_is_never_printed(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        first, second = put_labels(tx, "YT1", "YT2")
        actions.print_parcels(tx, [first, second])
        void(tx, first)
    floor.follow_rules()
    assert floor.prints() == [("voided", ""), ("queued", "")]
    floor.run()
    assert [number_on(each) for each in papers(tmp_path)] == ["YT2"]


def test_nor_when_the_printer_is_quicker_than_the_rule(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        parcels = put_labels(tx, "YT1", "YT2")
        actions.print_parcels(tx, parcels)
        void(tx, parcels[0])
    floor.run()
    assert floor.prints() == [("voided", ""), ("printed", "")]
    assert [number_on(each) for each in papers(tmp_path)] == ["YT2"]


def test_a_new_label_for_the_same_parcel_is_printed_instead(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        [parcel_id] = put_labels(tx, "YT1")
        actions.print_parcels(tx, [parcel_id])
        void(tx, parcel_id)
        put_label(tx, parcel_id)
        actions.print_parcels(tx, [parcel_id])
    floor.run()
    assert [state for state, _ in floor.prints()] == ["voided", "printed"]


def test_a_label_voided_while_it_prints_is_told_to_be_destroyed(world: World, tmp_path: Path) -> None:
    exchange = Eventful()
    with open_floor(world, exchange) as floor:
        with world.work.begin() as tx:
            put_printer(tx, world, f"folder://{tmp_path}")
            [parcel_id] = put_labels(tx, "YT1")
            actions.print_parcels(tx, [parcel_id])
        exchange.then = lambda: world.work.run(lambda tx: void(tx, parcel_id))
        floor.run()
        assert floor.prints() == [("voided", DESTROY_PAPER)]
        assert floor.told() == []
        with world.work.begin() as tx:
            [printed] = actions.list_prints(tx, parcel_id)
        assert printed.printed_at is not None


def test_nor_when_it_comes_back_from_a_printer_that_was_off(world: World) -> None:
    """Voided while the printer was tried: the rule found it printing, so the run itself takes it out."""

    class Off(Eventful):
        def send(self, ask: Ask) -> Reply:
            self.then()
            return super().send(ask)

    exchange = Off()
    with open_floor(world, exchange) as floor:
        with world.work.begin() as tx:
            put_printer(tx, world, f"socket://127.0.0.1:{free_port()}")
            [parcel_id] = put_labels(tx, "YT1")
            actions.print_parcels(tx, [parcel_id])
        exchange.then = lambda: world.work.run(lambda tx: void(tx, parcel_id))
        floor.run()
        assert floor.prints() == [("voided", MAYBE_ON_PAPER)]
        assert unfinished(world.work) == []


# ---------------------------------------------------------------- crashes

DYING = """
import os, signal, sys
from tests.parts.floor.given import Eventful
from waystream.app import load_adapters
from waystream.kernel.clock import SystemClock
from waystream.kernel.database import Database
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Runner
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys, Vault
from waystream.parts.floor import jobs

exchange = Eventful()
exchange.then = lambda: os.kill(os.getpid(), signal.SIGKILL)
database = Database(sys.argv[1], role="dying")
database.open()
work = Work(database, SystemClock(), Keys(Vault(bytes(range(32)))))
Runner(work, jobs.handlers(Outside(exchange, *load_adapters()))).drain()
"""


def test_killed_after_the_bytes_left_it_is_printed_once_more(floor: Floor, engine: Engine, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        actions.print_parcels(tx, put_labels(tx, "YT1", "YT2"))
    died = subprocess.run([sys.executable, "-c", DYING, engine.postgres.machine_url], env=os.environ, check=False)
    assert died.returncode == -9
    assert [number_on(each) for each in papers(tmp_path)] == ["YT1"]
    assert [state for state, _ in floor.prints()] == ["printing", "queued"]

    papers(tmp_path)[0].rename(tmp_path / "the first copy")
    _end_leases(floor.world.work)
    floor.run()
    assert [number_on(each) for each in papers(tmp_path)] == ["YT1", "YT2"]
    assert [state for state, _ in floor.prints()] == ["printed", "printed"]
    assert [name for name, _ in floor.told()] == ["LabelPrinted", "LabelPrinted"]


def test_killed_and_voided_then_it_may_be_on_paper(floor: Floor, engine: Engine, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        [parcel_id] = put_labels(tx, "YT1")
        actions.print_parcels(tx, [parcel_id])
    subprocess.run([sys.executable, "-c", DYING, engine.postgres.machine_url], env=os.environ, check=False)
    with floor.world.work.begin() as tx:
        void(tx, parcel_id)
    _end_leases(floor.world.work)
    floor.run()
    assert floor.prints() == [("voided", MAYBE_ON_PAPER)]
    assert len(papers(tmp_path)) == 1


def _end_leases(work: Work) -> None:
    with work.begin() as tx:
        tx.conn.execute("UPDATE job SET leased_until = clock_timestamp() - interval '1 s' WHERE state = 'running'")


class Deadly:
    """A driver with a fault: it cannot take one title, whatever is tried."""

    scheme = "folder"
    formats: tuple[str, ...] = ("pdf",)

    def __init__(self, outside: Outside, deadly: int) -> None:
        self._real = outside.drivers["folder"]
        self._deadly = deadly

    def ask_print(self, printer: PrinterAddress, *, title: str, format: str, document: bytes) -> object:
        assert not title.endswith(f"-{self._deadly}")
        return self._real.ask_print(printer, title=title, format=format, document=document)

    def ask_progress(self, printer: PrinterAddress, job: str) -> None:
        return None

    def read_print(self, reply: Reply) -> PrintAnswer:
        return self._real.read_print(reply)

    def read_progress(self, reply: Reply) -> PrintAnswer:
        return self._real.read_progress(reply)


def test_a_label_that_kills_every_run_blocks_nobody(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        first, _ = actions.print_parcels(tx, put_labels(tx, "YT1", "YT2"))
    outside = floor.outside
    deadly = Outside(outside.exchange, outside.networks, {"folder": Deadly(outside, first)})  # type: ignore[dict-item]
    for _ in range(jobs.DrainPrinter(deadly).max_attempts + 1):
        with floor.world.work.begin() as tx:
            tx.conn.execute("UPDATE job SET due_at = clock_timestamp() WHERE state = 'ready'")
        Runner(floor.world.work, jobs.handlers(deadly)).drain()
    assert floor.prints() == [("failed", RUN_DIED), ("printed", "")]
    assert floor.told() == [("PrintFailed", first), ("LabelPrinted", first + 1)]
    assert [number_on(each) for each in papers(tmp_path)] == ["YT2"]


def test_a_queue_without_its_job_gets_one(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        put_printer(tx, floor.world, f"folder://{tmp_path}")
        actions.print_parcels(tx, put_labels(tx, "YT1"))
        tx.conn.execute("DELETE FROM job")
    assert floor.runner().sweep("printer_queues") == 1
    floor.run()
    assert floor.prints() == [("printed", "")]
    assert floor.runner().sweep("printer_queues") == 0


def test_zpl_goes_to_a_raw_port(world: World) -> None:
    exchange = Eventful()
    with ExitStack() as stack:
        floor = stack.enter_context(open_floor(world, exchange))
        port = stack.enter_context(RawPort())
        with world.work.begin() as tx:
            put_printer(tx, world, f"socket://127.0.0.1:{port.number}", size="76x130")
            actions.print_parcels(tx, put_labels(tx, "YT1", "YT2"))
        floor.run()
    assert floor.prints() == [("printed", "")] * 2
    assert [ask.body for ask in exchange.sent if isinstance(ask, SocketAsk)] == port.taken
    assert all(label.startswith(b"^XA") and label.rstrip().endswith(b"^XZ") for label in port.taken)
