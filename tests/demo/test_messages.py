"""The demo's shops speak to buyers: set up once, to our own machine only because the demo says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from waystream.app import load_gateways
from waystream.core.errors import Invalid
from waystream.core.ports import HttpAsk
from waystream.demo import messages
from waystream.demo.messages import OtherSide
from waystream.demo.run import open_to_the_demo
from waystream.demo.shop import set_up
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.exchange import Exchange
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys
from waystream.parts.channels import actions as channels
from waystream.parts.notices import actions as notices
from waystream.settings import Settings, load

OTHER = OtherSide("http://127.0.0.1:18601", "1237100", "key of both sides")
GATEWAYS = load_gateways()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(environment={}, data_folder=tmp_path / "data")


def test_our_own_machine_is_called_in_the_demo_alone(settings: Settings) -> None:
    assert settings.private_hosts == frozenset()
    assert open_to_the_demo(settings).private_hosts == {"127.0.0.1"}
    erp = replace(settings, webhook_private_hosts="erp.lan")
    assert open_to_the_demo(erp).private_hosts == {"erp.lan", "127.0.0.1"}
    with (
        Exchange(settings.private_hosts.__contains__) as exchange,
        pytest.raises(Invalid, match="address of a private network"),
    ):
        exchange.send(HttpAsk("POST", f"{OTHER.address}/shop/messages", (), b"", timeout_s=1))


def test_every_shop_speaks_and_a_second_start_changes_nothing(
    database: Database, clock: FixedClock, keys: Keys, tmp_path: Path
) -> None:
    with Work(database, clock, keys).begin() as tx:
        set_up(
            tx, network_url=OTHER.address, merchant_id="1237100", key=OTHER.key, labels=tmp_path,
            integrations=frozenset({"kdniao"}),
        )  # fmt: skip
        for _ in range(2):
            messages.set_up(tx, OTHER, gateways=GATEWAYS)
        found = {each.shop: each for each in channels.list_channels(tx)}
        assert {shop: each.gateway for shop, each in found.items()} == {
            "青禾茶器": "kdniao_sms", "山止家居": "shop_message", "小满童装": "kdniao_sms"
        }  # fmt: skip
        assert all(notices.get_policy(tx, each.shop_id).enabled for each in found.values())
        assert "secret" not in channels.show_values(tx, found["山止家居"].id, gateways=GATEWAYS)
