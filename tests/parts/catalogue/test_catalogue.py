"""SKUs, warehouses and their imports on the real database."""

from pathlib import Path

import pytest

from tests.parts.world import World, counts
from waystream.core.errors import Invalid, InvalidMany, Missing
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Work
from waystream.parts.catalogue import actions
from waystream.parts.catalogue.importing import ImportedRows, import_skus, import_warehouses
from waystream.parts.catalogue.model import SkuIn, parse_sku, parse_warehouse

WAREHOUSE = {
    "code": "gz", "name": "广州仓", "province": "广东省", "city": "广州市", "district": "白云区",
    "sender": {"name": "陈发货", "mobile": "13912345678", "address": "太和镇1号"}, "cutoffs": {"SF": "20:00"},
}  # fmt: skip


def test_skus_are_written_over_by_code_and_only_what_differs_counts(world: World) -> None:
    tea, cup = SkuIn(code="T1", name="龙井", weight_g=100), SkuIn(code="T2", name="茶杯", fragile=True)
    with world.work.begin() as tx:
        assert actions.upsert_skus(tx, world.tea, [tea, cup]) == 2
        assert actions.upsert_skus(tx, world.tea, [tea, cup]) == 0
        assert actions.upsert_skus(tx, world.tea, [tea, SkuIn(code="T2", name="茶杯")]) == 1
        assert actions.upsert_skus(tx, world.toys, [tea]) == 1
        assert actions.upsert_skus(tx, world.tea, []) == 0
        found = actions.find_sku(tx, world.tea, "T2")
        assert found is not None
        assert (found.name, found.fragile) == ("茶杯", False)
        assert actions.find_sku(tx, world.tea, "no") is None
        assert counts(tx, "sku", "event") == {"sku": 3, "event": 0}


def test_a_code_told_twice_is_named(world: World) -> None:
    with world.work.begin() as tx, pytest.raises(InvalidMany) as caught:
        actions.upsert_skus(
            tx, world.tea, [SkuIn(code="A", name="a"), SkuIn(code="B", name="b"), SkuIn(code="A", name="c")]
        )
    assert [each.path for each in caught.value.problems] == ["skus[2].code"]


def test_skus_page_by_code_within_the_callers_shops(world: World, page_database: Database) -> None:
    with world.work.begin() as tx:
        for shop_id in (world.tea, world.toys):
            actions.upsert_skus(tx, shop_id, [SkuIn(code=f"S{n}", name="x") for n in range(5)])
    page = Work(page_database, world.work.clock, world.work.keys)
    with page.begin(shops=Shops.of([world.tea])) as tx:
        first = actions.list_skus(tx, limit=3)
        rest = actions.list_skus(tx, after=(first[-1].code, first[-1].id), limit=3)
        assert [sku.code for sku in first + rest] == ["S0", "S1", "S2", "S3", "S4"]
        assert actions.list_skus(tx, shop_id=world.toys) == []


def test_a_warehouse_seals_its_sender(world: World) -> None:
    with world.work.begin() as tx:
        made = actions.upsert_warehouse(tx, parse_warehouse(WAREHOUSE), actor="staff:1")
        assert (made.code, made.contact_mask, made.cutoff_for("SF"), made.cutoff_for("YTO")) == (
            "gz", "陈** 139****5678", "20:00", "18:00")  # fmt: skip
        sender = actions.open_sender(tx, made.id)
        assert (sender.name, sender.mobile, sender.city) == ("陈发货", "13912345678", "广州市")
        stored = str(tx.conn.execute("SELECT warehouse::text FROM warehouse").fetchall())
        assert "陈发货" not in stored
        assert "13912345678" not in stored
        again = actions.upsert_warehouse(tx, parse_warehouse(WAREHOUSE | {"name": "新仓"}), actor="staff:1")
        assert (again.id, again.name) == (made.id, "新仓")
        assert counts(tx, "vault_key", "audit", "event") == {"vault_key": 2, "audit": 2, "event": 0}
        assert [warehouse.code for warehouse in actions.list_warehouses(tx)] == ["gz", "yh"]
        assert actions.find_warehouse(tx, "gz") == again
        for missing in (actions.get_warehouse, actions.open_sender):
            with pytest.raises(Missing):
                missing(tx, 0)


def test_a_printer_is_linked_by_name_or_id(world: World) -> None:
    with world.work.begin() as tx:
        printer_id = tx.conn.execute(
            "INSERT INTO printer (name, uri) VALUES ('p1', 'folder:///tmp') RETURNING id").fetchone()[0]  # fmt: skip
        made = actions.upsert_warehouse(tx, parse_warehouse(WAREHOUSE | {"printer": "p1"}), actor="staff:1")
        assert made.printer_id == printer_id
        actions.link_printer(tx, made.id, None, actor="staff:1")
        assert actions.get_warehouse(tx, made.id).printer_id is None
        with pytest.raises(Invalid) as caught:
            actions.upsert_warehouse(tx, parse_warehouse(WAREHOUSE | {"printer": "no"}), actor="staff:1")
        assert caught.value.path == "printer"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"code": "a b"}, "code"), ({"cutoff": "25:00"}, "cutoff"), ({"cutoffs": {"SF": "8"}}, "cutoffs[...]"),
        ({"dispatch_by": "hand"}, "dispatch_by"), ({"working_days": "21"}, "working_days"),
        ({"sender": {"name": "x", "address": "y"}}, "sender.mobile"), ({"sender": {"name": "x"}}, "sender"),
    ],
)  # fmt: skip
def test_a_wrong_warehouse_is_named(given: dict[str, object], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_warehouse(WAREHOUSE | given)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("given", "path"), [({"weight_g": -1}, "weight_g"), ({"code": "\x00"}, "code"), ({"x": 1}, "")]
)
def test_a_wrong_sku_is_named(given: dict[str, object], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_sku({"code": "A", "name": "a"} | given)
    assert caught.value.path == path


def test_skus_are_imported_whole_or_not_at_all(world: World, tmp_path: Path) -> None:
    good = "商品编码,商品名称,重量kg,长cm,易碎,成本,颜色\nT1,龙井,0.1,12.5,是,30.5,绿\nT2,茶杯,,,,,\n"
    path = tmp_path / "skus.csv"
    path.write_text(good)
    with world.work.begin() as tx:
        assert import_skus(tx, path, shop="tea", actor="staff:1") == ImportedRows(2, 2, ("颜色",))
        assert import_skus(tx, path, shop="tea", actor="staff:1").changed == 0
        found = actions.find_sku(tx, world.tea, "T1")
        assert found is not None
        assert (found.weight_g, found.length_mm, found.fragile, found.unit_cost_fen) == (100, 125, True, 3050)

        path.write_text(good + "T3,,1,1,是,1,\nT1,x,,,,,\nT4,x,x,,,,\n")
        with pytest.raises(InvalidMany) as caught:
            import_skus(tx, path, shop="tea", actor="staff:1")
        assert [(each.path, each.sentence) for each in caught.value.problems] == [
            ("line 4", "object missing required field `name`"),
            ("line 5, 商品编码", "another row has this code"),
            ("line 6, 重量kg", "not a number"),
        ]
        assert counts(tx, "sku") == {"sku": 2}
        with pytest.raises(Invalid):
            import_skus(tx, path, shop="none", actor="staff:1")


def test_warehouses_are_imported(world: World, tmp_path: Path) -> None:
    path = tmp_path / "warehouses.csv"
    path.write_text(
        "仓库编码,仓库名称,省,市,区,发件人,手机,详细地址,截单时间\ngz,广州仓,广东省,广州市,白云区,陈发货,13912345678,太和镇,17:30\n"
    )
    with world.work.begin() as tx:
        assert import_warehouses(tx, path, actor="staff:1").rows == 1
        found = actions.find_warehouse(tx, "gz")
        assert found is not None
        assert (found.cutoff, found.contact_mask) == ("17:30", "陈** 139****5678")


def test_a_known_warehouse_keeps_what_the_file_does_not_say(world: World, tmp_path: Path) -> None:
    path = tmp_path / "warehouses.csv"
    head = "仓库编码,仓库名称,省,市,发件人,手机,详细地址"
    row = "gz,广州仓,广东省,广州市,陈发货,13912345678,太和镇"
    path.write_text(f"{head},截单时间,各快递截单时间\n{row},17:30,SF 20:00；zto=9:15\n")
    with world.work.begin() as tx:
        import_warehouses(tx, path, actor="staff:1")
        path.write_text(f"{head}\n{row.replace('广州仓', '新广州仓')}\n")
        import_warehouses(tx, path, actor="staff:1")
        found = actions.find_warehouse(tx, "gz")
        assert found is not None
        assert (found.name, found.cutoff, found.cutoffs) == ("新广州仓", "17:30", {"SF": "20:00", "ZTO": "09:15"})
        path.write_text(f"{head},各快递截单时间,打印机\ngz,广州仓,广东省,广州市,陈,139,太和镇,tonight,\n")
        with pytest.raises(InvalidMany, match="write carriers with their hours"):
            import_warehouses(tx, path, actor="staff:1")


def test_skus_are_found_by_code_and_name(world: World) -> None:
    with world.work.begin() as tx:
        skus = [parse_sku({"code": code, "name": name}) for code, name in (("A_1", "龙井 50%"), ("AB1", "茶杯"))]
        actions.upsert_skus(tx, world.tea, skus)
        assert [sku.code for sku in actions.list_skus(tx, text="a_")] == ["A_1"]
        assert [sku.code for sku in actions.list_skus(tx, text="50%")] == ["A_1"]
        assert [sku.code for sku in actions.list_skus(tx, text=" 杯 ")] == ["AB1"]
        assert [sku.code for sku in actions.list_skus(tx, text="a")] == ["AB1", "A_1"]
        assert actions.count_skus(tx) == (2, 2)
