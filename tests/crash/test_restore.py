"""Back to the moment before the carrier answered: nothing is taken or numbered twice, and people know what is open."""

from pathlib import Path

import pytest

from tests.crash import story
from tests.crash.network import running_network
from tests.crash.verdict import find_adrift, find_broken
from waystream.app import build
from waystream.kernel.tx import Tx
from waystream.restoration import bring_back
from waystream.settings import load

ORDERS = 3


def count(tx: Tx, query: str) -> int:
    row = tx.conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.timeout(300)
def test_what_was_under_way_is_asked_again_with_its_own_code(tmp_path: Path) -> None:
    """Kept while the numbers are planned; then they are taken and printed; then all of that is lost."""
    old = load(None, {}, data_folder=tmp_path / "data", lease_s=3.0)
    with running_network(tmp_path / "network") as network:
        app = build(old)
        app.attach()
        app.machine.run(lambda tx: story.set_up(tx, network_url=network.url, labels=tmp_path / "labels"))
        story.ship_orders(app, ORDERS, trouble="")
        app.keep_backup(tmp_path / "backups")
        app.stop()
        with build(old) as app:
            story.wait_until_quiet(app)
        issued = {one["order_code"]: one["number"] for one in network.ask("issued")}
        assert len(issued) == ORDERS

        new = load(None, {}, data_folder=tmp_path / "again", key_folder=str(old.key_folder), lease_s=3.0)
        told = bring_back(new, tmp_path / "backups")
        assert (told.forgotten.doubts, told.forgotten.waiting) == (ORDERS, ORDERS)
        assert [finding for finding in told.findings if not finding.holds] == []
        with build(new) as app:
            story.wait_until_quiet(app)
            with app.machine.begin(read_only=True) as tx:
                bound = dict(
                    tx.conn.execute("SELECT take.code, take.number FROM take WHERE state = 'bound'").fetchall()
                )
                assert find_adrift(tx, network) == ()
                assert find_broken(tx, app) == ()
                assert count(tx, "SELECT min(id) FROM print") > 1_000
        assert bound == issued
        assert {one["order_code"]: one["number"] for one in network.ask("issued")} == issued
