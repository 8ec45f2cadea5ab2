"""Two whole Waystreams on one database, both doing everything: every push, rule and job has its effect exactly once."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crash import story
from tests.crash.network import running_network
from tests.crash.test_pushes import push_to
from tests.crash.test_ship_action import judge
from tests.integrations.ipp.real_printer import free_port
from waystream.app import App, build
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.lifecycle import EmbeddedPostgres
from waystream.settings import Settings, load

ORDERS = 60
TWICE = """SELECT subject, name, count(*) FROM event WHERE name <> 'OrderWordChanged' GROUP BY subject, name, body
           HAVING count(*) > 1"""
SCANS = "SELECT count(*), count(DISTINCT (binding_id, text, at)) FROM scan"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Settings]:
    """A PostgreSQL that belongs to nobody: both processes are told its addresses."""
    postgres = EmbeddedPostgres(tmp_path / "pg", key_folder=tmp_path / "pg.keys")
    with postgres:
        yield load(
            None, {}, data_folder=tmp_path / "data", database_url=postgres.machine_url, lease_s=3.0,
            page_database_url=postgres.page_url, owner_database_url=postgres.owner_url, log_level="warning",
        )  # fmt: skip


@contextmanager
def running(settings: Settings, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "waystream.cli", "up", "--port", str(port)]
    process = subprocess.Popen(command, env=settings.as_environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        while "is up" not in (line := process.stderr.readline()):
            assert line, "waystream did not come up"
        yield
        process.terminate()
        process.wait(60)


@contextmanager
def attached(settings: Settings) -> Iterator[App]:
    app = build(settings)
    app.attach()
    try:
        yield app
    finally:
        app.stop()


def pushes_about(numbers: list[str]) -> list[bytes]:
    """Three scans of each number, a push each, and every push four times."""
    at = datetime.now(UTC).replace(microsecond=0)
    news = [
        News("YTO", number, "", code, (TraceNews(at, code, text),))
        for code, text in (("1", "已揽收"), ("204", "到达"), ("301", "已签收"))
        for number in numbers
    ]
    merchant = Merchant(story.MERCHANT, story.KEY)
    bodies = [seal_push(merchant, "102", push_data(story.MERCHANT, "102", [each], at=at)) for each in news]
    return bodies * 4


@pytest.mark.timeout(240)
def test_two_processes_on_one_database_do_everything_once(tmp_path: Path, site: Settings) -> None:
    ports = free_port(), free_port()
    with running_network(tmp_path / "network") as network, attached(site) as app:
        app.machine.run(lambda tx: story.set_up(tx, network_url=network.url, labels=tmp_path / "labels"))
        with running(site, ports[0]), running(site, ports[1]):
            story.ship_orders(app, ORDERS, trouble="")
            story.wait_until_quiet(app)
            with app.machine.begin(read_only=True) as tx:
                numbers = [row[0] for row in tx.conn.execute("SELECT number FROM binding")]
            bodies = pushes_about(numbers)
            with ThreadPoolExecutor(8) as pool:
                said = list(pool.map(lambda n: push_to(ports[n % 2], bodies[n]), range(len(bodies))))
            story.wait_until_quiet(app)
        assert Counter(said) == {200: len(bodies)}
        judge(app, network)
        with app.machine.begin(read_only=True) as tx:
            assert len(numbers) == ORDERS
            assert tx.conn.execute(SCANS).fetchone() == (3 * ORDERS, 3 * ORDERS)
            assert tx.conn.execute("SELECT count(*) FROM inbox").fetchone() == (3 * ORDERS,)
            assert tx.conn.execute(TWICE).fetchall() == []
            assert tx.conn.execute("SELECT DISTINCT state, kind FROM track").fetchall() == [("delivered", "in_person")]
        assert len(list((tmp_path / "labels").iterdir())) == ORDERS
