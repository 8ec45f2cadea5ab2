"""Coming back from a backup: unpack, check, replay the log to the moment wanted, give the roles their passwords.

Guaranteed: nothing is touched before key, versions and target folder were found right; all happens in a folder beside
the target, which gets its name when the database has recovered; a failed restore leaves nothing. What the business has
to ask again afterwards is not known here.
"""

import gzip
import os
import re
import secrets
import shutil
import signal
import subprocess
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from waystream.core.errors import Conflict, Invalid, Unavailable
from waystream.kernel import backup_check, migrations, server_conf, server_process
from waystream.kernel.backup import CLOCK
from waystream.kernel.backup_folder import DATABASE, FILES, SEGMENT_BYTES, SEGMENT_NAME, WAL, Backup, is_segment
from waystream.kernel.lifecycle import ADMIN, MACHINE, OWNER, PAGE
from waystream.kernel.server_account import MAJOR, ServerAccount, choose_account
from waystream.kernel.server_process import ServerProcess
from waystream.kernel.server_tools import last_line
from waystream.kernel.vault import Vault

SIGNAL_FILE = "recovery.signal"
LOOK_EVERY_S = 0.1
TOO_LATE = "recovery ended before configured recovery target was reached"
LAST_COMMIT = re.compile(r"last completed transaction was at log time (\S+ \S+)")
SINGLE_USER_S = 300.0
IDS_PASSED_OVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: this backup of that folder, up to `at` (None: all that was kept), into these folders."""

    backups: Path
    backup: Backup
    at: datetime | None
    data_folder: Path
    key_folder: Path


@dataclass(frozen=True, slots=True)
class Restored:
    """`reached` is the last transaction that is there again, None when the log held none after the backup began.

    `ended_early`: the log held nothing after it, up to the moment wanted or beyond.
    """

    reached: datetime | None
    ended_early: bool
    segments: int
    files: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """How far the log led, and whether it ended before the moment wanted."""

    reached: datetime | None
    ended_early: bool


def restore(order: Order) -> Restored:
    """Raises `Conflict` for a folder in use or a newer version, `Invalid` for a wrong key or a damaged backup."""
    check_order(order)
    began_s = time.monotonic()
    with _making(order.data_folder) as making:
        files = _unpack_files(order, making)
        replayed, segments = _restore_database(order, making) if order.backup.wal else (Replayed(None, False), 0)
    return Restored(
        reached=replayed.reached,
        ended_early=replayed.ended_early,
        segments=segments,
        files=files,
        seconds=round(time.monotonic() - began_s, 2),
    )


def check_order(order: Order) -> None:
    """All that can be known before anything is written."""
    folder, backup = order.data_folder, order.backup
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty: restore into a new folder, or move that one away.")
    known = len(migrations.read_folder(migrations.FOLDER))
    if backup.schema > known:
        raise Conflict(
            f"{backup.name} was made by Waystream {backup.waystream} (schema {backup.schema}), this one knows schema "
            f"{known}: restore it with that version or a newer one."
        )
    if backup.wal and backup.postgresql.split(".")[0] != str(MAJOR):
        raise Conflict(f"{backup.name} holds data of PostgreSQL {backup.postgresql}, this is {MAJOR}.")
    if not (order.key_folder / "root.key").exists():
        raise Invalid(
            "key_folder",
            f"The backup needs the key with the fingerprint {backup.key_fingerprint}, once {backup.key_file}: "
            f"bring it to {order.key_folder / 'root.key'}.",
        )
    found = Vault.open(order.key_folder).fingerprint
    if found != backup.key_fingerprint:
        raise Invalid(
            "key_folder",
            f"The backup needs the key with the fingerprint {backup.key_fingerprint}; "
            f"{order.key_folder / 'root.key'} is {found}.",
        )


@contextmanager
def _making(folder: Path) -> Iterator[Path]:
    """A folder beside the target that takes its name at the end."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = folder.with_name(f"{folder.name}.restoring-{secrets.token_hex(3)}")
    making.mkdir()
    # As root the server is another user and has to pass through.
    making.chmod(0o711 if os.getuid() == 0 else 0o700)
    try:
        yield making
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _unpack_files(order: Order, making: Path) -> int:
    """The saved business time goes back to the keys, unless a later one is there: it never runs backwards."""
    with tarfile.open(order.backups / order.backup.name / FILES, "r:gz") as archive:
        _extract(archive, making)
    clock = making / CLOCK
    if clock.exists() and not (order.key_folder / CLOCK).exists():
        shutil.move(clock, order.key_folder / CLOCK)
    clock.unlink(missing_ok=True)
    return len(order.backup.files)


def _restore_database(order: Order, making: Path) -> tuple[Replayed, int]:
    account = choose_account(making)
    cluster, packed = making / "postgres", order.backups / order.backup.name / DATABASE
    _unpack(packed / backup_check.BASE, cluster)
    _unpack(packed / backup_check.LOG, cluster / backup_check.LOG_FOLDER)
    backup_check.check_folder(cluster, packed / backup_check.MANIFEST)
    segments = _bring_log(order, cluster / backup_check.LOG_FOLDER)
    _set_target(cluster, order.at)
    recovery = _Recovery(making, cluster, account)
    recovery.prepare()
    replayed = recovery.run()
    _set_passwords(account, cluster, server_conf.make_passwords(order.key_folder / "postgres.json"))
    return replayed, segments


def _unpack(archive: Path, target: Path) -> None:
    target.mkdir(mode=0o700, exist_ok=True)
    with tarfile.open(archive, "r:gz") as packed:
        _extract(packed, target)


def _extract(packed: tarfile.TarFile, target: Path) -> None:
    """Files and folders below `target`, ours. Python before 3.11.4 has no filter that sees to it."""
    if hasattr(tarfile, "data_filter"):
        packed.extractall(target, filter="data")
        return
    members = packed.getmembers()
    for member in members:
        path = Path(member.name)
        if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
            raise Invalid(
                "backup", f"The backup holds {member.name}, which is no file of a backup: nothing was restored."
            )
        member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
    packed.extractall(target, members)


def _bring_log(order: Order, target: Path) -> int:
    """The segments of the line since the backup, unpacked; how many."""
    wal = order.backup.wal
    assert wal is not None
    line = order.backups / WAL / wal.line
    if not wal.line or not line.is_dir():
        return 0
    segments = sorted(path for path in line.iterdir() if is_segment(path))
    needed = [path for path in segments if path.name[:SEGMENT_NAME] >= order.backup.first_segment]
    for path in needed:
        _bring_segment(path, target / path.name[:SEGMENT_NAME])
    return len(needed)


def _bring_segment(path: Path, target: Path) -> None:
    """The last one may have been cut off while it was written: what can be read of it counts, the rest is nothing."""
    raw = path.read_bytes()
    if ".gz" in path.suffixes:
        raw = _decompress(raw) if path.suffix == ".partial" else gzip.decompress(raw)
    elif path.suffix == ".partial" and target.exists():
        return
    target.write_bytes(raw[:SEGMENT_BYTES].ljust(SEGMENT_BYTES, b"\0"))


def _decompress(raw: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(raw, SEGMENT_BYTES)
    except zlib.error:
        return b""


def _set_target(cluster: Path, at: datetime | None) -> None:
    """The log lies in its place already: there is no archive to ask."""
    lines = ["restore_command = 'false'", "recovery_target_action = 'promote'"]
    if at is not None:
        lines.append(f"recovery_target_time = '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'")
    with (cluster / "postgresql.auto.conf").open("a") as conf:
        conf.write("\n".join(["", *lines, ""]))
    (cluster / SIGNAL_FILE).touch()


def _clear_target(cluster: Path, *names: str) -> None:
    conf = cluster / "postgresql.auto.conf"
    kept = [line for line in conf.read_text().splitlines() if not line.startswith(names)]
    conf.write_text("\n".join([*kept, ""]))


@dataclass(frozen=True, slots=True)
class _Recovery:
    """The server that replays the log, and is stopped when it has."""

    making: Path
    cluster: Path
    account: ServerAccount

    def prepare(self) -> None:
        server_conf.write_conf(self.cluster, socket_folder=self._socket_folder, fsync=True)
        for path in (self.cluster, *self.cluster.rglob("*")):
            self.account.give(path)
        self._socket_folder.mkdir(mode=0o700, exist_ok=True)
        self.account.give(self._socket_folder)

    def run(self) -> Replayed:
        """A log that ends before the moment wanted holds all there was until then."""
        try:
            why = self._replay()
            ended_early = TOO_LATE in why
            if ended_early:
                _clear_target(self.cluster, "recovery_target_time")
                why = self._replay()
            if why:
                raise Unavailable(f"The log could not be replayed: {why}")
        finally:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
        _clear_target(self.cluster, "restore_command", "recovery_target")
        return Replayed(self._reached(), ended_early)

    def _replay(self) -> str:
        """Until the server stands by itself; why it does not, else nothing."""
        said = self.making / "postgres.said"
        command = self.account.command("postgres", "-D", str(self.cluster), on_our_death=signal.SIGINT)
        server = ServerProcess(command, cluster=self.cluster, socket_folder=self._socket_folder, said=said)
        server.start()
        while server.alive and (self.cluster / SIGNAL_FILE).exists():
            time.sleep(LOOK_EVERY_S)
        server.stop()
        recovered = not (self.cluster / SIGNAL_FILE).exists()
        return "" if recovered else server_process.last_words(self.cluster, said)

    def _reached(self) -> datetime | None:
        logs = sorted((self.cluster / "log").glob("postgres-*.log"))
        found = [told for path in logs for told in LAST_COMMIT.findall(path.read_text("utf-8", "replace"))]
        return datetime.fromisoformat(found[-1].split("+")[0]).replace(tzinfo=UTC) if found else None

    @property
    def _socket_folder(self) -> Path:
        return server_conf.choose_socket_folder(self.making)


def pass_over_ids(owner_url: str) -> None:
    """What was numbered after the moment we came back to is known outside by its number: none is given again."""
    with psycopg.connect(owner_url, application_name="waystream restore") as conn:
        conn.execute(
            """SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass,
                             least(max_value, coalesce(last_value, start_value) + %s)) FROM pg_sequences
               WHERE schemaname = 'public'""",
            [IDS_PASSED_OVER],
        )


def _set_passwords(account: ServerAccount, cluster: Path, passwords: server_conf.Passwords) -> None:
    """The passwords are not in the backup: the ones beside the key hold from now on, or new ones drawn there."""
    roles = {ADMIN: passwords.admin, OWNER: passwords.owner, MACHINE: passwords.machine, PAGE: passwords.page}
    statements = "".join(f"ALTER ROLE {role} PASSWORD '{password}';\n" for role, password in roles.items())
    command = account.command("postgres", "--single", "-j", "-D", str(cluster), "postgres", on_our_death=signal.SIGTERM)
    done = subprocess.run(
        command, input=statements.replace("\n", "\n\n"), capture_output=True, text=True, timeout=SINGLE_USER_S,
        check=False,
    )  # fmt: skip
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise Unavailable(f"The roles could not be given their passwords: {last_line(done.stderr)}")
