"""Shops and their policies on the real database."""

import pytest

from tests.parts.world import World
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.state import Kind
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Work
from waystream.parts.shops import actions
from waystream.parts.shops.model import SIGNED, Policy, parse_policy


def test_a_shop_is_made_found_and_listed(world: World) -> None:
    with world.work.begin() as tx:
        made = actions.create_shop(tx, code=" qinghe ", name="青禾 茶器", platform="taobao", actor="staff:1")
        assert (made.code, made.name, made.platform, made.policy) == ("qinghe", "青禾 茶器", "taobao", Policy())
        assert actions.get_shop(tx, made.id) == actions.find_shop(tx, "qinghe") == made
        assert [shop.code for shop in actions.list_shops(tx)] == ["qinghe", "tea", "toys"]
        assert tx.conn.execute("SELECT actor, action, subject, shop_id FROM audit").fetchall() == [
            ("staff:1", "create", f"shop:{made.id}", made.id)]  # fmt: skip
        assert tx.conn.execute("SELECT count(*) FROM event").fetchone() == (0,)


def test_a_code_is_taken_once(world: World) -> None:
    with world.work.begin() as tx, pytest.raises(Conflict):
        actions.create_shop(tx, code="tea", name="x", actor="staff:1")


@pytest.mark.parametrize(
    ("code", "name"), [("", "x"), ("a b", "x"), ("罗", "x"), ("x" * 65, "x"), ("x", " "), ("x", "\x00")]
)
def test_codes_and_names_that_cannot_be(world: World, code: str, name: str) -> None:
    with world.work.begin() as tx, pytest.raises(Invalid):
        actions.create_shop(tx, code=code, name=name, actor="staff:1")


def test_the_policy_is_set(world: World) -> None:
    with world.work.begin() as tx:
        actions.set_policy(tx, world.tea, parse_policy(["in_person", "by_proxy"], 10), actor="staff:1")
        assert actions.get_shop(tx, world.tea).policy == Policy(frozenset({Kind.IN_PERSON, Kind.BY_PROXY}), 10)
        assert tx.conn.execute("SELECT detail FROM audit").fetchone() == (
            {"trusted": "by_proxy,in_person", "confirm_days": 10},)  # fmt: skip
        with pytest.raises(Missing):
            actions.set_policy(tx, 0, Policy(), actor="staff:1")
        with pytest.raises(Missing):
            actions.get_shop(tx, 0)
        assert actions.find_shop(tx, "none") is None


def test_bad_policies() -> None:
    assert parse_policy([], 0) == Policy(frozenset(), 0)
    assert parse_policy(SIGNED, 60).trusted == SIGNED
    for kinds, days in ((["refused"], 7), (["x"], 7), ([], -1), ([], 61)):
        with pytest.raises(Invalid):
            parse_policy(kinds, days)


def test_a_page_sees_its_callers_shops_only(world: World, page_database: Database) -> None:
    page = Work(page_database, world.work.clock, world.work.keys)
    with page.begin(shops=Shops.of([world.tea])) as tx:
        assert [shop.code for shop in actions.list_shops(tx)] == ["tea"]
        assert actions.find_shop(tx, "toys") is None
        with pytest.raises(Missing):
            actions.set_policy(tx, world.toys, Policy(), actor="staff:1")
    with page.begin() as tx:
        assert actions.list_shops(tx) == []
