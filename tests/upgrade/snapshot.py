"""`make schema-snapshot VERSION=0.1.0`: a small database with data, as a released version leaves it.

Made by the real programs: orders are shipped over the sandbox network, printed, dispatched, and carriers tell of them
(all but one to the end). What lies in `snapshots` is a dump and what to know about it; the key is one of tests and
opens only invented data. A snapshot never changes once its version is released.
"""

import argparse
import gzip
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.crash import story
from tests.crash.carriers import WAY
from tests.crash.rounds import running_scene, show_new_numbers
from waystream.app import App
from waystream.kernel.lifecycle import EmbeddedPostgres
from waystream.kernel.server_tools import run_tool
from waystream.settings import load

FOLDER = Path(__file__).with_name("snapshots")
KEY = bytes(range(32))
ORDERS, STRANGERS = 6, 3
TABLES = """SELECT relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class About:
    """What a snapshot holds: the newest migration, and rows by table where there are any."""

    version: str
    schema: str
    rows: dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade.snapshot", description=__doc__)
    parser.add_argument("version")
    version = parser.parse_args().version
    with tempfile.TemporaryDirectory(prefix="waystream-snapshot-", ignore_cleanup_errors=True) as folder:
        about, dump = make(Path(folder), version)
    (FOLDER / f"{version}.sql.gz").write_bytes(gzip.compress(dump.encode(), mtime=0))
    (FOLDER / f"{version}.json").write_bytes(msgspec.json.format(msgspec.json.encode(about)) + b"\n")
    print(f"{version}: {sum(about.rows.values())} rows of {len(about.rows)} tables, {about.schema}", file=sys.stderr)


def make(folder: Path, version: str) -> tuple[About, str]:
    keys = folder / "data.keys"
    keys.mkdir(mode=0o700)
    (keys / "root.key").write_bytes(KEY)
    (keys / "root.key").chmod(0o600)
    with running_scene(folder, "whole", strangers_most=STRANGERS) as scene:
        story.ship_orders(scene.app, ORDERS, trouble="")
        story.wait_until_quiet(scene.app)
        show_new_numbers(scene, way=WAY[:-1])
        scene.carriers.wait_for(ORDERS)
        scene.carriers.finish()
        story.wait_until_quiet(scene.app)
        about = About(version, _schema(scene.app), _count(scene.app))
    with EmbeddedPostgres(folder / "data", key_folder=keys) as server:
        return about, run_tool("pg_dump", "--dbname=waystream", url=server.admin_url)


def _schema(app: App) -> str:
    with app.machine.begin(read_only=True) as tx:
        [(name,)] = tx.conn.execute("SELECT name FROM migration ORDER BY version DESC LIMIT 1").fetchall()
    return str(name)


def _count(app: App) -> dict[str, int]:
    with app.machine.begin(read_only=True) as tx:
        names = [row[0] for row in tx.conn.execute(TABLES)]
        counts = {name: tx.conn.execute(f'SELECT count(*) FROM "{name}"'.encode()).fetchone() for name in names}
    return {name: row[0] for name, row in counts.items() if row and row[0]}


def bring(folder: Path, version: str) -> EmbeddedPostgres:
    """The snapshot in a server of its own, which the caller stops; nothing is migrated yet."""
    settings = load(None, {}, data_folder=folder / "data")
    settings.key_folder.mkdir(mode=0o700)
    (settings.key_folder / "root.key").write_bytes(KEY)
    (settings.key_folder / "root.key").chmod(0o600)
    server = EmbeddedPostgres(settings.data_folder, key_folder=settings.key_folder, fsync=False)
    server.start()
    dump = folder / "dump.sql"
    dump.write_bytes(gzip.decompress((FOLDER / f"{version}.sql.gz").read_bytes()))
    run_tool("psql", "--dbname=waystream", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={dump}",
             url=server.admin_url)  # fmt: skip
    return server


if __name__ == "__main__":
    main()
