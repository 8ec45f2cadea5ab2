"""The folder that holds backups: one folder for each, named by its time, and the write-ahead log between them.

    20261130T180000Z/    waystream.json (what it is, written last) · database/ (tar, its own manifest) · files.tar.gz
    wal/LINE/            every change since, segment by segment; a line is one unbroken stream of one database

Guaranteed: a backup without its waystream.json does not count; the root key is never in it, only its fingerprint.
Making is in `backup`, the stream in `wal_stream`, coming back in `restore`.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from waystream.core.errors import Conflict, Invalid, Missing

FORMAT = 1
MANIFEST, DATABASE, FILES, WAL = "waystream.json", "database", "files.tar.gz", "wal"
MANIFEST_MAX_BYTES = 64 * 1024 * 1024
SEGMENT_BYTES = 16 * 1024 * 1024
SEGMENT_NAME = 24  # hexadecimal digits: timeline, then the segment's number


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file outside the database, by its path below the data folder."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Wal:
    """From where to where the backup itself needs the log, and the line that goes on from there (empty: none)."""

    timeline: int
    start: str
    end: str
    line: str


@dataclass(frozen=True, slots=True)
class Backup:
    """What waystream.json says. Times are the machine's, UTC. `wal` is None when the database is not in it."""

    format: int
    name: str
    waystream: str
    postgresql: str
    schema: int
    system: str
    began_at: datetime
    ended_at: datetime
    seconds: float
    bytes: int
    wal: Wal | None
    key_file: str
    key_fingerprint: str
    files: tuple[KeptFile, ...]

    @property
    def first_segment(self) -> str:
        """The name of the first segment of the log that it needs."""
        assert self.wal is not None, "a backup of files needs no log"
        high, low = (int(half, 16) for half in self.wal.start.split("/"))
        return f"{self.wal.timeline:08X}{high:08X}{low // SEGMENT_BYTES:08X}"


def write_manifest(folder: Path, backup: Backup) -> None:
    path = folder / MANIFEST
    path.write_bytes(msgspec.json.format(msgspec.json.encode(backup), indent=2) + b"\n")
    with path.open("rb") as written:
        os.fsync(written.fileno())


def read_manifest(folder: Path) -> Backup:
    """Raises `Missing` when it is none, `Conflict` when a newer Waystream wrote it, `Invalid` when it is damaged."""
    path = folder / MANIFEST
    if not path.is_file():
        raise Missing(f"{folder} is no backup: it has no {MANIFEST}.")
    if path.stat().st_size > MANIFEST_MAX_BYTES:
        raise Invalid("from", f"{path} is too large to be true.")
    body = path.read_bytes()
    try:
        if msgspec.json.decode(body, type=_Format).format > FORMAT:
            raise Conflict(f"{folder.name} was made by a newer Waystream: restore it with that version.")
        return msgspec.json.decode(body, type=Backup)
    except msgspec.DecodeError as error:
        raise Invalid("from", f"{path} is damaged: {error}.") from None


class _Format(msgspec.Struct):
    format: int


def list_backups(folder: Path) -> list[Backup]:
    """The oldest first."""
    found = [read_manifest(path.parent) for path in folder.glob(f"*/{MANIFEST}")]
    return sorted(found, key=lambda backup: backup.began_at)


def choose_backup(folder: Path, *, at: datetime | None = None, name: str = "") -> Backup:
    """The named one, or the newest that had ended by `at`. Raises `Missing` with what there is."""
    there = list_backups(folder)
    if not there:
        raise Missing(f"There is no backup in {folder}.")
    fitting = [each for each in there if name in ("", each.name) and (at is None or each.ended_at <= at)]
    if fitting:
        return fitting[-1]
    if name and name not in {each.name for each in there}:
        raise Missing(f"There is no backup named {name} in {folder}; the newest is {there[-1].name}.")
    earliest = next(each for each in there if name in ("", each.name)).ended_at
    raise Missing(f"Nothing was kept of that time: the earliest that can be restored is {earliest.isoformat()}.")


def keep_newest(folder: Path, count: int, *, line: str) -> list[str]:
    """Remove all backups but the newest `count`, and the log that none of them needs; the names of those removed.

    `line` is written at this moment: it stays from the oldest kept backup of its own on, or whole.
    """
    backups = list_backups(folder)
    gone = backups[:-count]
    for backup in gone:
        # The manifest first: half a backup must not look like one.
        (folder / backup.name / MANIFEST).unlink()
        shutil.rmtree(folder / backup.name)
    needed = {each.wal.line: each.first_segment for each in reversed(backups[-count:]) if each.wal and each.wal.line}
    for stream in sorted((folder / WAL).glob("*")):
        if stream.name in needed:
            _drop_before(stream, needed[stream.name])
        elif stream.name != line:
            shutil.rmtree(stream)
    return [backup.name for backup in gone]


def _drop_before(stream: Path, first: str) -> None:
    for path in stream.iterdir():
        if is_segment(path) and path.name[:SEGMENT_NAME] < first:
            path.unlink()


def is_segment(path: Path) -> bool:
    """Whether it holds a segment of the log: whole, packed, or still being received."""
    name, rest = path.name[:SEGMENT_NAME], path.name[SEGMENT_NAME:]
    return len(name) == SEGMENT_NAME and set(name) <= set("0123456789ABCDEF") and rest in SEGMENT_ENDINGS


SEGMENT_ENDINGS = ("", ".gz", ".partial", ".gz.partial")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One at a time may change the folder, of all processes of this machine. Raises `Conflict`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Conflict(f"Another backup is being made into {folder}.") from None
    try:
        yield
    finally:
        os.close(lock)
