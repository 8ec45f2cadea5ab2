"""Importing files: whole or not at all, bad rows by line and reason, again without effect."""

from pathlib import Path

import duckdb
import pytest

from tests.parts.world import World, counts
from waystream.core.errors import Invalid, InvalidMany, Missing
from waystream.parts.imports import actions as imports
from waystream.parts.imports.model import SavedMapping
from waystream.parts.orders import lists
from waystream.parts.orders.importing import Imported, import_file

HEADER = "订单号,收件人,手机,省,市,区,详细地址,商品编码,商品名称,数量,单价,优惠,付款时间,买家留言,赠品\n"
RECEIVER = "罗小明,15812346021,四川省,成都市,武侯区,文三路478号"
GOOD = (
    HEADER
    + f"A1,{RECEIVER},T1,龙井,2,49.00,3,2026-11-11 08:00:00,门口,无\n"
    + f"A2,{RECEIVER},T2,普洱,1,¥120,,,,\n"
    + "A1,,,,,,,T3,茶杯,1,9.9,,,,\n"
)


def written(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(text.encode(encoding))
    return path


def problems(world: World, path: Path) -> list[tuple[str | None, str]]:
    with world.work.begin() as tx:
        with pytest.raises(Invalid) as caught:
            import_file(tx, path, shop="tea", actor="system")
        assert counts(tx, "orders", "person", "event", "audit") == dict.fromkeys(
            ("orders", "person", "event", "audit"), 0)  # fmt: skip
    many = caught.value.problems if isinstance(caught.value, InvalidMany) else (caught.value,)
    return [(each.path, each.sentence) for each in many]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_rows_of_a_number_are_one_order_and_again_is_nothing(world: World, tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, GOOD.replace("¥", ""), encoding)
    told: list[tuple[int, int]] = []
    with world.work.begin() as tx:
        done = import_file(tx, path, shop="tea", actor="staff:1", progress=lambda *at: told.append(at))
        assert done == Imported(2, 0, 0, 0, (), ("赠品",))
        first = lists.find_order(tx, "tea", "A1")
        assert first is not None
        assert [(line.sku, line.quantity, line.price_fen, line.discount_fen) for line in first.lines] == [
            ("T1", 2, 4900, 300), ("T3", 1, 990, 0)]  # fmt: skip
        assert (first.total_fen, first.phone_mask, first.warehouse_code) == (10490, "158****6021", "yh")
        assert import_file(tx, path, shop="tea", actor="staff:1").unchanged == 2
        assert counts(tx, "orders", "event", "audit") == {"orders": 2, "event": 2, "audit": 2}
    assert told == [(5, 5)]


def test_parquet_is_read_the_same(world: World, tmp_path: Path) -> None:
    path, parquet = written(tmp_path, GOOD), tmp_path / "orders.parquet"
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{path}', all_varchar = true)) TO '{parquet}' (FORMAT parquet)")
    with world.work.begin() as tx:
        assert import_file(tx, path, shop="tea", actor="system").created == 2
        assert import_file(tx, parquet, shop="tea", actor="system").unchanged == 2


def test_every_bad_row_is_named_and_nothing_is_taken(world: World, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        GOOD
        + f"B1,{RECEIVER},T1,龙井,0,49.00,,,,\n"
        + f"B2,{RECEIVER},T1,龙井,x,49.001,,,,\n"
        + f"B3,{RECEIVER.replace('15812346021', 'call')},T1,龙井,1,1,,,,\n"
        + f"B4,{RECEIVER},T1,龙井,1,1,,,,\n"
        + "B4,罗大明,,,,,,T2,普洱,1,1,5,,,\n"
        + f",{RECEIVER},T1,龙井,1,1,,,,\n",
    )
    assert sorted(problems(world, path)) == sorted([
        ("line 5, 数量", "expected `int` >= 1"),
        ("line 6, 数量", "not a number"),
        ("line 6, 单价", "more than two decimals"),
        ("line 7, 手机", "not a phone number; an extension follows a dash, as in 13800001111-1234"),
        ("line 9, 收件人", "another row of this order says otherwise"),
        ("line 10, 订单号", "empty"),
    ])  # fmt: skip


def test_a_discount_is_located_on_its_own_row(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "A2,,,,,,,T9,x,1,1,5,,,\n")
    assert problems(world, path) == [("line 5, 优惠", "more than the line costs")]


def test_an_unknown_warehouse_is_named_by_line(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("赠品", "仓库").replace(",无\n", ",yh\n").replace(",,,,\n", ",,,,no\n", 1))
    assert problems(world, path) == [("line 3, 仓库", "there is no such warehouse")]


def test_problems_are_bounded(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "".join(f"N{n},{RECEIVER},T1,x,x,1,,,,\n" for n in range(1500)))
    assert len(problems(world, path)) == 1_000


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "file"),
        (HEADER, "file"),
        ("订单号,收件人\n1,2\n", "receiver.province"),
        (HEADER[:-1] + ",订单编号\n", "订单编号"),
    ],
)
def test_files_that_cannot_be_orders(world: World, tmp_path: Path, text: str, path: str) -> None:
    assert problems(world, written(tmp_path, text))[0][0] == path


def test_a_saved_mapping_reads_other_headers(world: World, tmp_path: Path) -> None:
    mapping = SavedMapping("erp", "orders", {"流水": "number", "订单号": ""})
    path = written(tmp_path, GOOD.replace("订单号", "流水", 1).replace("赠品", "订单号"))
    with world.work.begin() as tx:
        imports.save_mapping(tx, mapping, actor="staff:1")
        imports.save_mapping(tx, mapping, actor="staff:1")
        assert imports.list_mappings(tx) == [mapping]
        assert import_file(tx, path, shop="tea", actor="system", mapping="erp").created == 2
        assert import_file(tx, path, shop="tea", actor="system", chosen=mapping.columns).unchanged == 2
        with pytest.raises(Missing):
            import_file(tx, path, shop="tea", actor="system", mapping="other")
        with pytest.raises(Invalid):
            imports.save_mapping(tx, SavedMapping("x", "ships", {}), actor="staff:1")


def test_what_was_refused_is_said(world: World, tmp_path: Path) -> None:
    with world.work.begin() as tx:
        import_file(tx, written(tmp_path, GOOD), shop="tea", actor="system")
        tx.conn.execute("UPDATE orders SET cancelled_at = received_at WHERE number = 'A2'")
        again = import_file(tx, written(tmp_path, GOOD.replace("120", "121")), shop="tea", actor="system")
        assert (again.refused, again.refused_numbers) == (1, ("A2",))
