"""Making a backup while everything runs: the database by pg_basebackup, then the files beside it, then the manifest.

Guaranteed: it is whole or not there (its folder gets its name last); it was read back and checked against the
server's own manifest; it holds neither the root key nor a password. Of an external database only the files are kept.
"""

import hashlib
import secrets
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg

from waystream.core.errors import Conflict, Invalid, Unavailable
from waystream.kernel import backup_check, backup_folder
from waystream.kernel.backup_folder import DATABASE, FILES, FORMAT, Backup, KeptFile, Wal
from waystream.kernel.clock import Clock, SystemClock
from waystream.kernel.lifecycle import EmbeddedPostgres
from waystream.kernel.server_tools import run_tool
from waystream.kernel.vault import Vault

#: What lies in the data folder and is made anew by the next start, or is the database itself.
NOT_FILES = {
    "postgres", "socket", "owner.lock", "postgres.said", "wal.said", "admin.password", "binaries", "wal.line",
}  # fmt: skip
MAKING = "postgres.making-"
CLOCK = "clock.json"
READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be kept. `owner_url` reads the schema's version; `server` is None for an external database."""

    data_folder: Path
    key_folder: Path
    owner_url: str
    server: EmbeddedPostgres | None


def make_backup(source: Source, folder: Path, *, clock: Clock | None = None) -> Backup:
    """A new backup in `folder`. Raises `Conflict` while another is being made, or if the folder is another's."""
    _refuse_near(folder, source)
    clock = clock or SystemClock()
    began_at, began_s = clock.machine_now(), time.monotonic()
    name = f"{began_at:%Y%m%dT%H%M%SZ}"
    with backup_folder.locked(folder), _making(folder, name) as making:
        schema, postgresql, system = _ask_versions(source.owner_url)
        _refuse_foreign(folder, system)
        wal = _keep_database(source.server, making / DATABASE) if source.server else None
        files = _keep_files(source, making / FILES)
        backup = Backup(
            format=FORMAT,
            name=name,
            waystream=version("waystream"),
            postgresql=postgresql,
            schema=schema,
            system=system,
            began_at=began_at,
            ended_at=clock.machine_now(),
            seconds=round(time.monotonic() - began_s, 2),
            bytes=sum(path.stat().st_size for path in making.rglob("*") if path.is_file()),
            wal=wal,
            key_file=str(source.key_folder / "root.key"),
            key_fingerprint=Vault.open(source.key_folder, must_exist=True).fingerprint,
            files=files,
        )
        backup_folder.write_manifest(making, backup)
    return backup


@contextmanager
def _making(folder: Path, name: str) -> Iterator[Path]:
    """A folder that gets its name when all of it is there; what a killed try left goes away."""
    for unfinished in folder.glob(".making-*"):
        shutil.rmtree(unfinished)
    if (folder / name).exists():
        raise Conflict(f"There is a backup named {name} already: try again in a second.")
    making = folder / f".making-{secrets.token_hex(4)}"
    making.mkdir(mode=0o700)
    try:
        yield making
        making.rename(folder / name)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _refuse_near(folder: Path, source: Source) -> None:
    """A backup inside the data would keep itself; one that holds the key, or lies with it, would open itself."""
    places = [path.resolve() for path in (source.data_folder, source.key_folder)]
    here = folder.resolve()
    if any(here.is_relative_to(place) or place.is_relative_to(here) for place in places):
        raise Invalid("backup_folder", f"{folder} must lie outside the data folder and the key folder, best elsewhere.")


def _ask_versions(owner_url: str) -> tuple[int, str, str]:
    """The schema's version, PostgreSQL's, and the number that tells this database from every other."""
    with psycopg.connect(owner_url, application_name="waystream backup") as conn:
        row = conn.execute(
            """SELECT max(version), current_setting('server_version'),
                      (SELECT system_identifier::text FROM pg_control_system()) FROM migration"""
        ).fetchone()
    assert row is not None
    return row[0] or 0, row[1], row[2]


def _refuse_foreign(folder: Path, system: str) -> None:
    """Rotation and restore look at all backups of a folder: they have to be of one database."""
    if any(backup.system != system for backup in backup_folder.list_backups(folder)):
        raise Conflict(f"{folder} holds the backups of another database: choose another folder.")


def _keep_database(server: EmbeddedPostgres, target: Path) -> Wal:
    run_tool(
        "pg_basebackup", f"--pgdata={target}", "--format=tar", "--compress=client-gzip:1", "--wal-method=stream",
        "--manifest-checksums=sha256", "--checkpoint=fast", "--label=waystream", "--no-password", url=server.admin_url,
    )  # fmt: skip
    log = backup_check.check_archive(target)
    return Wal(log.timeline, log.start, log.end, server.line)


def _keep_files(source: Source, target: Path) -> tuple[KeptFile, ...]:
    """Everything of the data folder that is not the database, and the saved business time."""
    kept = []
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        for path in _list_files(source.data_folder):
            if (file := _keep_file(archive, path, name=str(path.relative_to(source.data_folder)))) is not None:
                kept.append(file)
        clock = source.key_folder / CLOCK
        if clock.exists() and (file := _keep_file(archive, clock, name=CLOCK)) is not None:
            kept.append(file)
    return tuple(kept)


def _list_files(folder: Path) -> Iterator[Path]:
    for top in sorted(folder.iterdir() if folder.exists() else ()):
        if top.name in NOT_FILES or top.name.startswith(MAKING):
            continue
        yield from (path for path in sorted(top.rglob("*") if top.is_dir() else [top]) if _is_plain(path))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _keep_file(archive: tarfile.TarFile, path: Path, *, name: str) -> KeptFile | None:
    """None when it went away meanwhile. Raises `Unavailable` when it is changed while it is read."""
    try:
        with path.open("rb") as body:
            digest = hashlib.file_digest(body, "sha256")
            size = body.tell()
            body.seek(0)
            member = archive.gettarinfo(arcname=name, fileobj=body)
            member.size = size
            archive.addfile(member, body)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path} could not be kept: {error.strerror or 'it changed while it was read'}") from error
    return KeptFile(name, size, digest.hexdigest())
