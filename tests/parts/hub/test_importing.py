"""Carrier accounts from a file: whole or not at all, repeatable, and no secret in any message."""

from pathlib import Path

import pytest

from tests.parts.world import World, build
from waystream.core.errors import Invalid, InvalidMany, Missing
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.sheet_file import ImportedRows
from waystream.kernel.tx import Tx
from waystream.kernel.vault import Keys
from waystream.parts.hub import actions
from waystream.parts.hub.importing import import_accounts
from waystream.parts.hub.model import AggregatorIn

HEAD = "账号名称,快递公司,仓库,优先级,客户号,密码,月结号,付款方式,颜色\n"
ZTO = "中通余杭,zto,yh,5,9912,hush,M-7,月结,绿\n"


@pytest.fixture
def world(database: Database, clock: FixedClock, keys: Keys) -> World:
    world = build(database, clock, keys)
    world.work.run(lambda tx: add_aggregator(tx, "main"))
    return world


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "accounts.csv"


def add_aggregator(tx: Tx, code: str) -> None:
    told = AggregatorIn(code, "kdniao", "1237100", "http://localhost:9", "top-secret")
    actions.add_aggregator(tx, told, integrations=("kdniao",), actor="staff:1")


def imported(world: World, sheet: Path, text: str, mapping: str = "") -> ImportedRows:
    sheet.write_text(text)
    return world.work.run(lambda tx: import_accounts(tx, sheet, actor="staff:1", mapping=mapping))


def problems(world: World, sheet: Path, text: str) -> list[tuple[str | None, str]]:
    with pytest.raises(InvalidMany) as caught:
        imported(world, sheet, text)
    return [(each.path, each.sentence) for each in caught.value.problems]


def test_accounts_are_added_sealed_and_counted(world: World, sheet: Path) -> None:
    assert imported(world, sheet, HEAD + ZTO) == ImportedRows(1, 1, ("颜色",))
    with world.work.begin() as tx:
        [row] = actions.list_accounts(tx)
        assert (row.name, row.carrier, row.aggregator, row.warehouse_id, row.priority, row.low_mark) == (
            "中通余杭", "ZTO", "main", world.yh, 5, 500,
        )  # fmt: skip
        told = actions.open_account(tx, row.id).parameters
        assert (told.customer_name, told.customer_password, told.month_code, told.pay_type) == (
            "9912",
            "hush",
            "M-7",
            3,
        )
        assert tx.conn.execute("SELECT kind, key FROM job").fetchall() == [("count_numbers", str(row.id))]


def test_repeating_changes_nothing_and_an_empty_cell_keeps_what_is_stored(world: World, sheet: Path) -> None:
    imported(world, sheet, HEAD + ZTO)
    assert imported(world, sheet, HEAD + ZTO).changed == 0
    assert imported(world, sheet, "name,priority,密码\n中通余杭,7,\n").changed == 1
    with world.work.begin() as tx:
        [row] = actions.list_accounts(tx)
        assert (row.priority, row.warehouse_id) == (7, world.yh)
        assert actions.open_account(tx, row.id).parameters.customer_password == "hush"


def test_every_bad_row_is_named_and_nothing_is_taken(world: World, sheet: Path) -> None:
    rows = "甲,SF,nowhere,,,,,,\n乙,SF,yh,high,,,,,\n丙,,yh,,,,,,\n丁,SF,yh,,,,,9,\n中通余杭,SF,yh,,,,,,\n"
    assert problems(world, sheet, HEAD + ZTO + rows) == [
        ("line 3, 仓库", "there is no such warehouse"),
        ("line 4, 优先级", "not a number"),
        ("line 5, 快递公司", "The carrier is the aggregator's code in capitals, such as ZTO."),
        ("line 6, 付款方式", "The payment type is 1 (sender), 2 (receiver), 3 (monthly) or 4 (third party)."),
        ("line 7, 账号名称", "another row has this name"),
    ]
    with world.work.begin() as tx:
        assert actions.list_accounts(tx) == []


def test_a_known_account_stays_what_it_is(world: World, sheet: Path) -> None:
    imported(world, sheet, HEAD + ZTO)
    assert problems(world, sheet, HEAD + ZTO.replace("zto", "SF")) == [
        ("line 2, 快递公司", "the account of this name is ZTO's: give another name")
    ]


def test_of_several_aggregators_one_is_named(world: World, sheet: Path) -> None:
    world.work.run(lambda tx: add_aggregator(tx, "second"))
    assert problems(world, sheet, HEAD + ZTO) == [
        ("line 2, aggregator", "name one of the accounts at aggregators: main, second")
    ]
    assert imported(world, sheet, "name,carrier,aggregator\n中通,ZTO,second\n").changed == 1


def test_no_secret_is_in_a_message(world: World, sheet: Path) -> None:
    told = problems(world, sheet, HEAD + "甲,SF,yh,,9912,hush,M-7,9,\n")
    assert not [sentence for _, sentence in told if "hush" in sentence or "M-7" in sentence or "9912" in sentence]


def test_a_saved_mapping_and_a_missing_one(world: World, sheet: Path) -> None:
    with world.work.begin() as tx:
        tx.conn.execute(
            "INSERT INTO import_mapping VALUES ('ours', 'accounts', %s, %s)",
            ['{"Konto": "name", "Wer": "parameters.carrier"}', tx.now],
        )
    assert imported(world, sheet, "Konto,Wer\n中通,ZTO\n", "ours").changed == 1
    with pytest.raises(Missing):
        imported(world, sheet, HEAD + ZTO, "theirs")
    with pytest.raises(Invalid, match="no column says it"):
        imported(world, sheet, "carrier\nZTO\n")
