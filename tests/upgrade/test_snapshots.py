"""Every released schema, with data, is brought up to today's: invariants hold, pushes read the same, life goes on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.upgrade.snapshot import FOLDER, About, bring
from waystream.app import App, build
from waystream.core.ports import Push
from waystream.doctor import check
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel import migrations
from waystream.kernel.ids import mint_ids
from waystream.parts.hub import actions as hub
from waystream.parts.tracking import replaying
from waystream.parts.tracking.door import Door
from waystream.parts.tracking.model import Received
from waystream.parts.tracking.replaying import Selection
from waystream.settings import load
from waystream.web.push import digest_of

VERSIONS = sorted(path.stem for path in FOLDER.glob("*.json"))
WAIT_S = 20
FIRST_DAY = datetime(2024, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module", params=VERSIONS)
def about(request: pytest.FixtureRequest) -> About:
    return msgspec.json.decode((FOLDER / f"{request.param}.json").read_bytes(), type=About)


@pytest.fixture(scope="module")
def upgraded(about: About, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The snapshot's database, brought up to date the way a start does it."""
    folder = tmp_path_factory.mktemp("upgrade")
    server = bring(folder, about.version)
    app = build(load(None, {}, data_folder=folder / "data"))
    app.attach()
    yield app
    app.stop()
    server.stop()


def rows(app: App, query: str) -> list[tuple[object, ...]]:
    with app.machine.begin(read_only=True) as tx:
        return tx.conn.execute(query.encode()).fetchall()


def test_there_is_a_snapshot() -> None:
    assert VERSIONS


def test_the_rest_of_the_migrations_is_applied(upgraded: App, about: About) -> None:
    every = [each.name for each in migrations.read_folder(migrations.FOLDER)]
    assert upgraded.applied == every[every.index(about.schema) + 1 :]
    assert rows(upgraded, "SELECT name FROM migration ORDER BY version") == [(name,) for name in every]


def test_nothing_is_lost_on_the_way(upgraded: App, about: About) -> None:
    kept = ("orders", "order_line", "parcel", "binding", "label", "print", "take", "event", "log", "person", "stranger",
            "inbox", "scan", "track", "telling", "vault_key")  # fmt: skip
    told = {name: about.rows[name] for name in kept}
    assert {name: rows(upgraded, f"SELECT count(*) FROM {name}")[0][0] for name in kept} == told


def test_every_invariant_holds(upgraded: App) -> None:
    with upgraded.machine.begin(read_only=True) as tx:
        assert [finding for finding in check(tx, upgraded.invariants) if not finding.holds] == []


def test_kept_pushes_read_today_say_the_same(upgraded: App) -> None:
    def begin() -> int:
        every = Selection(FIRST_DAY, upgraded.clock.now(), "", "", "", None)
        return upgraded.machine.run(lambda tx: replaying.begin(tx, every, actor="system", by_job=False))

    replay_id = begin()
    while upgraded.machine.run(lambda tx: replaying.carry_on(tx, replay_id, upgraded.networks)):
        pass
    found = upgraded.machine.run(lambda tx: replaying.look(tx, replay_id))
    assert found.replay.pushes > 0
    assert (found.counts.scans, found.counts.claims, found.counts.parcels, found.counts.moved) == (0, 0, 0, 0)


def test_life_goes_on(upgraded: App) -> None:
    """The next push finds its parcel, delivers it and says so."""
    [(number,)] = rows(upgraded, "SELECT number FROM binding WHERE state = 'live' ORDER BY id LIMIT 1")
    door = Door(upgraded.machine, appliers=1)
    door.start()
    try:
        door.submit(_push(upgraded, str(number))).result(WAIT_S)
    finally:
        door.stop()
    state = f"SELECT track.state FROM track JOIN binding ON binding.id = track.binding_id WHERE number = '{number}'"
    assert rows(upgraded, state) == [("delivered",)]
    assert rows(upgraded, "SELECT name FROM event ORDER BY id DESC LIMIT 1") == [("Delivered",)]


def _push(app: App, number: str) -> Received:
    """Signed by the account that the snapshot knows: its key has to open."""
    with app.machine.begin() as tx:
        account = hub.find_aggregator(tx, "crash")
        [(newest,)] = tx.conn.execute(
            "SELECT max(at) FROM scan JOIN binding ON binding.id = scan.binding_id WHERE number = %s", [number]
        ).fetchall()
    assert account is not None
    at = newest + timedelta(minutes=1)
    news = News("YTO", number, "", "301", (TraceNews(at, "301", "已签收"),))
    merchant = Merchant(account.aggregator.merchant_id, account.aggregator.key)
    body = seal_push(merchant, "102", push_data(merchant.id, "102", [news], at=at))
    network = app.networks["kdniao"]
    read: Push = network.read_push(body)
    (inbox_id,) = mint_ids(1, at_ms=int(app.clock.now().timestamp() * 1000))
    digest = digest_of(account.integration, account.code, body)
    return Received(inbox_id, account.id, network, body, read, digest, app.clock.now())
