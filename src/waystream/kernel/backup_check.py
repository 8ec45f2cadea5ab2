"""Is every byte of a base backup what the server said it was? PostgreSQL's `backup_manifest`, checked by ourselves.

The wheel's pg_verifybackup of version 18 dies at its start, and older ones cannot read this manifest. The same three
checks: the manifest's own checksum, every file's size and SHA-256, and that the log it needs can be read (pg_waldump).
"""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from waystream.core.errors import Invalid
from waystream.kernel.server_tools import run_tool

MANIFEST = "backup_manifest"
BASE, LOG = "base.tar.gz", "pg_wal.tar.gz"
LOG_FOLDER = "pg_wal"
OWN_CHECKSUM = b'"Manifest-Checksum"'


class _File(msgspec.Struct, rename={"path": "Path", "size": "Size", "algorithm": "Checksum-Algorithm",
                                    "checksum": "Checksum", "encoded": "Encoded-Path"}):  # fmt: skip
    size: int
    algorithm: str = ""
    checksum: str = ""
    path: str = ""
    encoded: str = ""


class _Range(msgspec.Struct, rename={"timeline": "Timeline", "start": "Start-LSN", "end": "End-LSN"}):
    timeline: int
    start: str
    end: str


class _Manifest(msgspec.Struct, rename={"files": "Files", "ranges": "WAL-Ranges", "checksum": "Manifest-Checksum"}):
    files: list[_File]
    ranges: list[_Range]
    checksum: str


@dataclass(frozen=True, slots=True)
class LogRange:
    """The part of the write-ahead log without which the copied files mean nothing."""

    timeline: int
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was found."""

    path: str
    size: int
    sha256: str


def check_archive(folder: Path) -> LogRange:
    """A backup as it lies packed. Raises `Invalid` with the first file that is not what it was."""
    manifest = _load(folder / MANIFEST)
    _compare(manifest, _read_archive(folder / BASE))
    return _range(manifest)


def check_folder(cluster: Path, manifest_file: Path) -> LogRange:
    """A backup unpacked and not yet started, the log it needs included."""
    manifest = _load(manifest_file)
    _compare(manifest, _read_folder(cluster))
    log = _range(manifest)
    run_tool("pg_waldump", f"--path={cluster / LOG_FOLDER}", f"--timeline={log.timeline}", f"--start={log.start}",
             f"--end={log.end}", "--quiet")  # fmt: skip
    return log


def _load(path: Path) -> _Manifest:
    body = path.read_bytes()
    try:
        manifest = msgspec.json.decode(body, type=_Manifest)
    except msgspec.DecodeError as error:
        raise Invalid("from", f"{path} is damaged: {error}.") from None
    told = body[: body.rindex(OWN_CHECKSUM)]
    if hashlib.sha256(told).hexdigest() != manifest.checksum:
        raise Invalid("from", f"{path} is damaged: it is not what its own checksum says.")
    return manifest


def _range(manifest: _Manifest) -> LogRange:
    newest = manifest.ranges[-1]
    return LogRange(newest.timeline, newest.start, newest.end)


def _compare(manifest: _Manifest, found: Iterable[Read]) -> None:
    """Every file that the manifest names, and no other outside the log."""
    missing = {_path(file): file for file in manifest.files}
    for read in found:
        told = missing.pop(read.path, None)
        if told is None:
            raise Invalid("from", f"The backup is damaged: {read.path} does not belong to it.")
        if (told.size, told.checksum) != (read.size, read.sha256):
            raise Invalid("from", f"The backup is damaged: {read.path} is not what the server gave.")
    if missing:
        raise Invalid("from", f"The backup is damaged: {min(missing)} is missing.")


def _path(file: _File) -> str:
    return file.path or bytes.fromhex(file.encoded).decode("utf-8", "surrogateescape")


def _read_archive(path: Path) -> Iterator[Read]:
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            body = archive.extractfile(member) if member.isfile() else None
            if body is not None and _is_told(member.name):
                yield Read(member.name.removeprefix("./"), member.size, _digest(body))


def _read_folder(cluster: Path) -> Iterator[Read]:
    for path in cluster.rglob("*"):
        name = path.relative_to(cluster).as_posix()
        if path.is_file() and _is_told(name):
            with path.open("rb") as body:
                yield Read(name, path.stat().st_size, _digest(body))


def _is_told(name: str) -> bool:
    return not name.startswith(LOG_FOLDER + "/")


def _digest(body: Any) -> str:
    return hashlib.file_digest(body, "sha256").hexdigest()
