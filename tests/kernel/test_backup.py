"""A backup made while everything runs, brought back elsewhere: to its end, to a moment, and refused when it must be."""

import gzip
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.parts import world
from waystream.app import App, build
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.doctor import check
from waystream.kernel import backup_folder, restore
from waystream.kernel.backup_folder import Backup, choose_backup, list_backups
from waystream.kernel.log import head, sequence
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions as orders
from waystream.restoration import bring_back
from waystream.settings import load


@dataclass(frozen=True, slots=True)
class Kept:
    """Order A before the backup, B after it and before `moment`, C after that; then the machine was gone."""

    folder: Path
    key: Path
    passwords: Path
    backup: Backup
    moment: datetime
    position: int


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    top = tmp_path_factory.mktemp("kept")
    settings = load(data_folder=top / "data", backup_folder=str(top / "backups"))
    (top / "data" / "labels").mkdir(parents=True)
    (top / "data" / "labels" / "1.pdf").write_bytes(b"%PDF")
    with build(settings) as app:
        world.build(app.machine_database, app.clock, app.keys)
        take_order(app, "A")
        backup, _ = app.keep_backup(top / "backups")
        take_order(app, "B")
        moment = app.machine.run(lambda tx: value(tx, "SELECT clock_timestamp()"))
        take_order(app, "C")
        app.machine.run(lambda tx: sequence(tx.conn))
        position = app.machine.run(lambda tx: head(tx.conn))
    yield Kept(
        top / "backups",
        settings.key_folder / "root.key",
        settings.key_folder / "postgres.json",
        backup,
        moment,
        position,
    )
    shutil.rmtree(top)


@pytest.fixture
def keys(kept: Kept, tmp_path: Path) -> Path:
    """The key, brought to the new place; nothing else of the old machine is there."""
    (tmp_path / "data.keys").mkdir(mode=0o700)
    shutil.copy2(kept.key, tmp_path / "data.keys" / "root.key")
    return tmp_path / "data.keys"


@pytest.fixture
def copied(kept: Kept, tmp_path: Path) -> Path:
    """The backups, to be spoilt."""
    return Path(shutil.copytree(kept.folder, tmp_path / "backups"))


def take_order(app: App, number: str) -> None:
    app.machine.run(lambda tx: orders.accept(tx, [world.order(number)]))


def value(tx: Tx, query: str) -> datetime:
    row = tx.conn.execute(query.encode()).fetchone()
    assert row is not None
    found = row[0]
    assert isinstance(found, datetime)
    return found


def numbers(app: App) -> set[str]:
    with app.machine.begin(read_only=True) as tx:
        return {row[0] for row in tx.conn.execute("SELECT number FROM orders")}


def order_of(kept: Kept, tmp_path: Path, *, backups: Path | None = None) -> restore.Order:
    folder = backups or kept.folder
    return restore.Order(folder, choose_backup(folder), None, tmp_path / "data", tmp_path / "data.keys")


def edit_manifest(folder: Path, backup: str, **told: object) -> None:
    path = folder / backup / backup_folder.MANIFEST
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | told))


def test_everything_until_the_end_comes_back_and_goes_on(kept: Kept, keys: Path, tmp_path: Path) -> None:
    settings = load(data_folder=tmp_path / "data")
    told = bring_back(settings, kept.folder)
    assert [finding.name for finding in told.findings if not finding.holds] == []
    assert not told.asked_beyond
    assert told.restored.reached is not None and told.restored.reached > kept.moment
    assert (tmp_path / "data" / "labels" / "1.pdf").read_bytes() == b"%PDF"
    with build(settings) as app:
        assert numbers(app) == {"A", "B", "C"}
        take_order(app, "D")
        app.machine.run(lambda tx: sequence(tx.conn))
        assert app.machine.run(lambda tx: head(tx.conn)) > kept.position
        with app.machine.begin(read_only=True) as tx:
            assert [finding for finding in check(tx, app.invariants) if not finding.holds] == []


def test_a_moment_comes_back(kept: Kept, keys: Path, tmp_path: Path) -> None:
    settings = load(data_folder=tmp_path / "data")
    told = bring_back(settings, kept.folder, at=kept.moment)
    assert told.restored.reached is not None and told.restored.reached <= kept.moment
    with build(settings) as app:
        assert numbers(app) == {"A", "B"}


def test_a_moment_of_which_nothing_was_kept_is_said(kept: Kept, keys: Path, tmp_path: Path) -> None:
    settings = load(data_folder=tmp_path / "data")
    told = bring_back(settings, kept.folder, at=kept.moment + timedelta(hours=1))
    assert told.asked_beyond
    with build(settings) as app:
        assert numbers(app) == {"A", "B", "C"}


def test_a_moment_before_the_first_backup_is_refused(kept: Kept) -> None:
    with pytest.raises(Missing, match="the earliest that can be restored"):
        choose_backup(kept.folder, at=kept.backup.began_at)


def test_another_key_is_refused_and_the_right_one_named(kept: Kept, keys: Path, tmp_path: Path) -> None:
    (keys / "root.key").write_bytes(bytes(32))
    with pytest.raises(Invalid, match=kept.backup.key_fingerprint):
        restore.restore(order_of(kept, tmp_path))
    (keys / "root.key").unlink()
    with pytest.raises(Invalid, match=kept.backup.key_fingerprint):
        restore.restore(order_of(kept, tmp_path))
    assert not (tmp_path / "data").exists()


def test_a_folder_in_use_is_refused(kept: Kept, keys: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine").touch()
    with pytest.raises(Conflict, match="not empty"):
        restore.restore(order_of(kept, tmp_path))


def test_a_newer_schema_is_refused(kept: Kept, keys: Path, copied: Path, tmp_path: Path) -> None:
    edit_manifest(copied, kept.backup.name, schema=kept.backup.schema + 1)
    with pytest.raises(Conflict, match="knows schema"):
        restore.restore(order_of(kept, tmp_path, backups=copied))


def test_a_newer_format_is_refused(kept: Kept, copied: Path) -> None:
    edit_manifest(copied, kept.backup.name, format=backup_folder.FORMAT + 1)
    with pytest.raises(Conflict, match="newer Waystream"):
        list_backups(copied)


def test_a_changed_file_is_found_and_nothing_stays(kept: Kept, keys: Path, copied: Path, tmp_path: Path) -> None:
    spoil(copied / kept.backup.name / "database" / "base.tar.gz", member="PG_VERSION")
    with pytest.raises(Invalid, match="PG_VERSION is not what the server gave"):
        restore.restore(order_of(kept, tmp_path, backups=copied))
    assert not list(tmp_path.glob("data.restoring-*")) and not (tmp_path / "data").exists()


def test_a_changed_list_of_files_is_found(kept: Kept, keys: Path, copied: Path, tmp_path: Path) -> None:
    path = copied / kept.backup.name / "database" / "backup_manifest"
    path.write_bytes(path.read_bytes().replace(b"PG_VERSION", b"PG_VERSIOM"))
    with pytest.raises(Invalid, match="its own checksum"):
        restore.restore(order_of(kept, tmp_path, backups=copied))


def spoil(archive: Path, *, member: str) -> None:
    """One byte of one file, in an archive that unpacks well."""
    folder = archive.parent / "unpacked"
    restore._unpack(archive, folder)
    (folder / member).write_bytes(b"81\n")
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(folder, arcname=".")
    shutil.rmtree(folder)


def test_a_backup_holds_neither_key_nor_password(kept: Kept) -> None:
    secrets = [kept.key.read_bytes(), kept.key.read_bytes().hex().encode()]
    secrets += [value.encode() for value in msgspec.json.decode(kept.passwords.read_bytes()).values()]
    for path in (path for path in kept.folder.rglob("*") if path.is_file()):
        body = path.read_bytes()
        opened = gzip.decompress(body) if path.suffix == ".gz" else body
        assert not [secret for secret in secrets if secret in opened], path


def test_the_newest_stay_and_with_them_the_log_they_need(kept: Kept, copied: Path) -> None:
    """Three backups of one line; the middle one is the oldest that stays."""
    assert kept.backup.wal is not None
    line = copied / "wal" / kept.backup.wal.line
    abandoned = copied / "wal" / "19990101T000000Z-abcdef"
    abandoned.mkdir()
    for n, start in ((1, "0/5000028"), (2, "0/6000028")):
        name = f"2099010{n}T000000Z"
        shutil.copytree(copied / kept.backup.name, copied / name)
        at = kept.backup.began_at + timedelta(days=n)
        wal = msgspec.to_builtins(kept.backup.wal) | {"start": start}
        edit_manifest(copied, name, name=name, began_at=at, ended_at=at, wal=wal)
    for segment in ("4", "5", "6"):
        (line / f"00000001000000000000000{segment}.gz").write_bytes(b"")
    assert backup_folder.keep_newest(copied, 2, line="") == [kept.backup.name]
    assert [backup.name for backup in list_backups(copied)] == ["20990101T000000Z", "20990102T000000Z"]
    assert min(path.name for path in line.iterdir()) == "000000010000000000000005.gz"
    assert not abandoned.exists()


def test_the_folder_of_another_database_is_refused(kept: Kept, copied: Path, keys: Path, tmp_path: Path) -> None:
    edit_manifest(copied, kept.backup.name, system="1")
    settings = load(data_folder=tmp_path / "data")
    bring_back(settings, kept.folder)
    app = build(settings)
    app.attach()
    try:
        with pytest.raises(Conflict, match="another database"):
            app.keep_backup(copied)
        with pytest.raises(Invalid, match="outside"):
            app.keep_backup(tmp_path / "data" / "backups")
        with pytest.raises(Invalid, match="outside"):
            app.keep_backup(tmp_path)
    finally:
        app.stop()
