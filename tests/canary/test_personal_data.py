"""The personal-data boundary as one test: planted people are in the vault and on paper, and nowhere else.

Searched after a day with them: every file of the data folder with its write-ahead log, the dump, the server's log, our
own log at DEBUG, and the rows that other systems get to see. Masked forms may appear; the words themselves may not.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.pushes.nats_servers import Servers
from tests.canary.life import (
    Life,
    look_people_up,
    overheard,
    push_everything,
    set_up,
    ship_and_change,
    unkind_network,
    web_open,
)
from tests.canary.planted import ALLOWED, BUYER, MOVED, ON_THE_WAY, SECRETS, SENDER, search, search_folder, shapes, told
from tests.crash.network import running_network
from tests.crash.story import KEY
from tests.parts.floor.given import read_pdf
from waystream.app import build
from waystream.settings import load

PLANTED = BUYER | MOVED | SENDER | ON_THE_WAY
CONTROL = {"the control": ALLOWED}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, nats: Servers) -> Iterator[Life]:
    """Lived once, pushes and events by way of streams; the database still runs, everything is written out."""
    folder = tmp_path_factory.mktemp("canary")
    settings = load(
        None,
        {},
        data_folder=folder / "data",
        key_folder=folder / "keys",
        nats_url=nats.url,
        nats_replicas=1,
        nats_pushes_gb=1,
        nats_events_gb=1,
    )
    life = Life(folder, build(settings))
    with overheard(life), running_network(folder / "network") as network, unkind_network() as unkind_url, life.app:
        life.admin("ALTER SYSTEM SET wal_compression = off")  # what is compressed cannot be searched
        life.admin("SELECT pg_reload_conf()")
        life.app.machine.run(lambda tx: set_up(tx, life, network_url=network.url, unkind_url=unkind_url, key=KEY))
        with web_open(life):
            code, number = ship_and_change(life)
            push_everything(life, code=code, number=number, key=KEY)
            look_people_up(life)
        life.admin("CHECKPOINT")
        yield life


def secrets_of(life: Life) -> dict[str, str]:
    return SECRETS | life.secrets | {"the network's key": KEY}


def test_the_day_was_lived(life: Life) -> None:
    """Else the search would find nothing for the wrong reason."""
    with life.app.machine.begin() as tx:
        states = dict(tx.conn.execute("SELECT state, count(*) FROM take GROUP BY state").fetchall())
        tables = {
            name: tx.conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("label", "print", "scan", "inbox", "stranger", "quarantine", "audit", "session")
        }
    assert states == {"bound": 2, "refused": 1, "conflict": 1}
    assert tables["scan"] == 8
    assert min(tables.values()) > 0, tables
    assert list(life.labels.glob("*.pdf"))


def test_the_data_folder_holds_nobody(life: Life) -> None:
    assert told(search_folder(life.data, CONTROL)) != set()
    assert told(search_folder(life.data, PLANTED | secrets_of(life))) == set()


def test_the_streams_hold_nobody(life: Life, nats: Servers) -> None:
    """What was taken off a stream may still lie in its files."""
    for stream in ("pushes", "events"):
        info = life.app.jetstream.find_stream(stream)
        assert info is not None and info.state.last_seq > 0
    store = nats.nodes[0].folder / "store"
    assert told(search_folder(store, {"a stream": "waystream.events"})) != set()
    assert told(search_folder(store, PLANTED | secrets_of(life))) == set()


def test_the_dump_holds_nobody(life: Life) -> None:
    dump = life.dump()
    assert told(search(dump, CONTROL, where="dump")) == {"the control as utf-8 in dump"}
    assert told(search(dump, PLANTED | secrets_of(life), where="dump")) == set()


@pytest.mark.parametrize(
    "table",
    [
        "event",
        "job",
        "audit",
        "scan",
        "track",
        "take",
        "print",
        "printer",
        "quarantine",
        "stranger",
        "subscription",
        "aggregator",
        "carrier_account",
    ],
)
def test_rows_hold_nobody(life: Life, table: str) -> None:
    """Told by table, so that a leak names its place."""
    with life.app.machine.begin() as tx:
        rows = tx.conn.execute(f"SELECT row_to_json({table})::text FROM {table}").fetchall()
    assert rows
    everything = "\n".join(text for (text,) in rows).encode()
    assert told(search(everything, PLANTED | secrets_of(life), where=table)) == set()


def test_our_own_log_names_nobody(life: Life) -> None:
    for what, stream in (("log", life.log), ("raw log", life.raw_log)):
        said = stream.getvalue().encode()
        assert b"/orders" in said, "requests are logged"
        assert told(search(said, PLANTED | secrets_of(life), where=what)) == set()


def test_the_servers_log_names_nobody(life: Life) -> None:
    logs = list(life.data.rglob("log/*.log"))
    assert logs
    for log in logs:
        assert told(search(log.read_bytes(), PLANTED | secrets_of(life), where=log.name)) == set()


def test_the_paper_does(life: Life) -> None:
    """The control of the other side: on the label there is the buyer, masked as the carrier prints it."""
    words = "".join(read_pdf(paper)[0] for paper in life.labels.glob("waystream-*.pdf")).replace("\r\n", "")
    assert "136****7410" in words


@pytest.mark.parametrize("value", [*PLANTED.values(), ALLOWED])
@pytest.mark.parametrize("around", ["", "x", "xy", "前"])
def test_the_search_finds_every_shape(value: str, around: str) -> None:
    text = around + value + around
    hidden = {
        "utf-8": text.encode(), "gbk": text.encode("gbk"), "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"), "hex": text.encode().hex().encode(),
        "base64": base64.b64encode(text.encode()),
    }  # fmt: skip
    for shape, blob in hidden.items():
        assert list(search(blob, {"it": value}, where=shape)), shape
    assert len(min(shapes(value).values(), key=len)) >= 8
    assert not list(search(b"nothing of the kind", {"it": value}, where="elsewhere"))


def test_the_search_looks_into_folders(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"\0" * 9000 + ALLOWED.encode("gbk"))
    (tmp_path / "empty").touch()
    assert told(search_folder(tmp_path, CONTROL)) == {"the control as gbk in deep/file"}
