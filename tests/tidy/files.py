"""The files a person sees who clones the repository: tracked, or new and not ignored."""

import subprocess
from functools import cache
from pathlib import Path

from tests.tidy.sources import ROOT


@cache
def visible() -> tuple[Path, ...]:
    """By their path below the repository, those that are there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return tuple(Path(name) for name in sorted(set(listed)) if name and (ROOT / name).is_file())


@cache
def texts() -> dict[Path, str]:
    """The visible files that are text, but for the lock file, which is another program's."""
    found = {}
    for path in visible():
        raw = (ROOT / path).read_bytes()
        if path.name != "uv.lock" and b"\0" not in raw[:8192]:
            found[path] = raw.decode("utf-8", "replace")
    return found
