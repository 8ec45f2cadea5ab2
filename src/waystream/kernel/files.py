"""Writing a file so that after a crash it is there whole or not at all."""

import os
import secrets
from pathlib import Path


def write_whole(path: Path, body: bytes, *, mode: int = 0o600) -> None:
    """Write beside it, make it durable, then rename; an existing file, or link, of that name is replaced."""
    making = path.with_name(f".{path.name}.{secrets.token_hex(4)}.making")
    try:
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        making.rename(path)
    except OSError:
        making.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
