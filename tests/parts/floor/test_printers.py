"""Printers as people keep them: added, switched off, replaced, removed; and what a page of one shop may print."""

from pathlib import Path

import pytest

from tests.integrations.ipp.real_printer import free_port
from tests.parts.floor.given import Floor, number_on, papers, put_labels, put_printer, states, unfinished
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Work
from waystream.parts.floor import actions
from waystream.parts.floor.model import PrinterIn


def test_a_printer_switched_off_prints_nothing_until_it_is_on(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        printer_id = put_printer(tx, floor.world, f"folder://{tmp_path}")
        actions.switch_printer(tx, printer_id, on=False, actor="staff:1")
        actions.print_parcels(tx, put_labels(tx, "YT1"))
    floor.run()
    assert floor.prints() == [("queued", "")]
    assert unfinished(floor.world.work) == []
    with floor.world.work.begin() as tx:
        actions.switch_printer(tx, printer_id, on=True, actor="staff:1")
    floor.run()
    assert floor.prints() == [("printed", "")]


def test_a_broken_printers_queue_moves_to_another(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        broken = put_printer(tx, floor.world, f"socket://127.0.0.1:{free_port()}")
        actions.print_parcels(tx, put_labels(tx, "YT1", "YT2"))
    floor.run()
    assert floor.printer(broken)[0] == "offline"
    with floor.world.work.begin() as tx:
        other = actions.add_printer(tx, PrinterIn("二号", f"folder://{tmp_path}"), actor="staff:1")
        assert actions.move_queue(tx, broken, to=other, actor="staff:1") == 2
    floor.run()
    assert [number_on(each) for each in papers(tmp_path)] == ["YT1", "YT2"]
    with floor.world.work.begin() as tx, pytest.raises(Invalid):
        actions.move_queue(tx, other, to=other, actor="staff:1")


def test_a_printer_with_a_history_stays(floor: Floor, tmp_path: Path) -> None:
    with floor.world.work.begin() as tx:
        used = put_printer(tx, floor.world, f"folder://{tmp_path}")
        spare = actions.add_printer(tx, PrinterIn("备用", "socket://10.0.0.9:9100"), actor="staff:1")
        with pytest.raises(Conflict):
            actions.remove_printer(tx, used, actor="staff:1")
        actions.remove_printer(tx, spare, actor="staff:1")
        with pytest.raises(Missing):
            actions.remove_printer(tx, spare, actor="staff:1")
        assert [row.name for row in actions.list_printers(tx)] == ["一号"]


def test_a_job_for_a_printer_that_is_gone_ends(floor: Floor) -> None:
    with floor.world.work.begin() as tx:
        tx.enqueue(actions.drain(404))
    floor.run()
    assert unfinished(floor.world.work) == []


@pytest.mark.parametrize(
    ("printer", "path"),
    [
        (PrinterIn("", "socket://h:9100"), "name"),
        (PrinterIn("a", "http://h/"), "uri"),
        (PrinterIn("a", "ipp:///ipp/print"), "uri"),
        (PrinterIn("a", "ipp://h:99999/"), "uri"),
        (PrinterIn("a", "ipp://me@h/"), "uri"),
        (PrinterIn("a", "ipp://打印机/"), "uri"),
        (PrinterIn("a", "socket://[::1"), "uri"),
        (PrinterIn("a", "folder://host/path"), "uri"),
        (PrinterIn("a", "socket://h:9100", dpi=50), "dpi"),
        (PrinterIn("a", "socket://h:9100", label_size="A4"), "label_size"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_printer_is_named_with_its_field(work: Work, printer: PrinterIn, path: str) -> None:
    with work.begin() as tx, pytest.raises(Invalid) as wrong:
        actions.add_printer(tx, printer, actor="staff:1")
    assert wrong.value.path == path


def test_names_of_printers_are_taken_once(work: Work) -> None:
    with work.begin() as tx:
        first = actions.add_printer(tx, PrinterIn("甲", "socket://h:9100"), actor="staff:1")
        with pytest.raises(Conflict):
            actions.add_printer(tx, PrinterIn(" 甲 ", "socket://h:9100"), actor="staff:1")
        actions.change_printer(tx, first, PrinterIn("甲", "socket://h:9101"), actor="staff:1")


def test_a_page_prints_its_own_shop_only(floor: Floor, page_database: Database, tmp_path: Path) -> None:
    world = floor.world
    with world.work.begin() as tx:
        put_printer(tx, world, f"folder://{tmp_path}")
        [mine] = put_labels(tx, "YT1")
        [theirs] = put_labels(tx, "YT2", shop="toys")
    page = Work(page_database, world.work.clock, world.work.keys)
    with page.begin(shops=Shops.of([world.tea])) as tx:
        assert len(actions.print_parcels(tx, [mine, theirs])) == 1
        assert states(actions.list_prints(tx, mine)) == ["queued"]
        assert actions.get_label(tx, mine).number == "YT1"
        with pytest.raises(Missing):
            actions.get_label(tx, theirs)
        with pytest.raises(Conflict):
            actions.reprint(tx, theirs, reason="mine", actor="staff:1")
        actions.reprint(tx, mine, reason="mine", actor="staff:1")
    floor.run()
    assert [number_on(each) for each in papers(tmp_path)] == ["YT1", "YT1"]
    with page.begin(shops=Shops.of([world.toys])) as tx:
        assert actions.list_prints(tx, mine) == []
