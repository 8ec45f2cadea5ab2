"""The embedded PostgreSQL: made on the first start, owned by one process, stopped with it.

Guaranteed: one owner per data folder (a file lock); alive means that a connection answers; recovery takes as long as
it takes and says so; no TCP, a closed socket folder, SCRAM passwords in a 0600 file outside the data folder.
Its binaries and user are in `server_account`, its settings in `server_conf`, its process in `server_process`.
"""

import contextlib
import fcntl
import logging
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from waystream.core.errors import Conflict, Invalid, Missing, Unavailable
from waystream.kernel import server_conf, server_process
from waystream.kernel.files import write_whole
from waystream.kernel.server_account import MAJOR, ServerAccount, choose_account
from waystream.kernel.server_process import ServerProcess
from waystream.kernel.wal_stream import SLOT, WalStream, read_line

log = logging.getLogger(__name__)

ADMIN, OWNER, MACHINE, PAGE = "postgres", "waystream_owner", "waystream_machine", "waystream_page"
INIT_LIMIT_S = 600.0
SAY_EVERY_S = 5.0
START_TRIES = 5


def default_key_folder(folder: Path) -> Path:
    """Beside the data folder, never inside it: a copy of the data alone must not open it."""
    return folder.with_name(folder.name + ".keys")


class EmbeddedPostgres:
    """A PostgreSQL in `folder/postgres`. The process that starts it owns it; others read the same addresses.

    With `backups`, the owner copies the write-ahead log there as it grows.
    """

    def __init__(self, folder: Path, *, key_folder: Path, fsync: bool = True, backups: Path | None = None) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.key_folder = Path(os.path.realpath(key_folder))
        if self.key_folder.is_relative_to(self.folder):
            raise Invalid("key_folder", f"The key folder {self.key_folder} must lie outside the data folder")
        self._cluster = self.folder / "postgres"
        self._passwords_file = self.key_folder / "postgres.json"
        self._fsync = fsync
        self._lock: int | None = None
        self._server: ServerProcess | None = None
        self._backups = backups
        self._stream: WalStream | None = None

    @property
    def line(self) -> str:
        """The line of the write-ahead log that is kept beside the backups; empty when none is."""
        return read_line(self._line_file)

    @property
    def machine_url(self) -> str:
        return self._url(MACHINE, self._passwords.machine)

    @property
    def page_url(self) -> str:
        return self._url(PAGE, self._passwords.page)

    @property
    def owner_url(self) -> str:
        return self._url(OWNER, self._passwords.owner)

    @property
    def admin_url(self) -> str:
        """The cluster's superuser: for making databases and for tests, never for the application."""
        return self._url(ADMIN, self._passwords.admin)

    def answers(self) -> bool:
        """Whether a connection is answered, by whichever process owns the server."""
        return self._passwords_file.exists() and _answers(self.machine_url)

    def start(self) -> None:
        """Start and return when it answers. Raises `Conflict` if another process owns the folder, `Invalid` if the
        folder is not ours or of another major version, `Unavailable` if the server does not start."""
        assert self._lock is None, "already started"
        began = time.monotonic()
        self._take_folder()
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            account = choose_account(self.folder)
            self._check_folder(account)
            server_process.clear_the_way(self._cluster, self._socket_folder)
            self._make_cluster(account)
            self._run(account)
            self._make_roles()
            self._start_stream()
            undo.pop_all()
        log.info("PostgreSQL %d answers after %.2f s", MAJOR, time.monotonic() - began)

    def stop(self) -> None:
        """Stop the server and let go of the folder. Harmless when not started."""
        if self._server is not None:
            self._server.stop()
            self._server = None
            if not self._socket_folder.is_relative_to(self.folder):
                shutil.rmtree(self._socket_folder, ignore_errors=True)
        if self._stream is not None:
            self._stream.stop()
            self._stream = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def _passwords(self) -> server_conf.Passwords:
        try:
            return server_conf.read_passwords(self._passwords_file)
        except FileNotFoundError:
            sentence = f"{self._passwords_file} is missing: start Waystream once, or bring the key folder back"
            raise Missing(sentence) from None

    @property
    def _socket_folder(self) -> Path:
        return server_conf.choose_socket_folder(self.folder)

    @property
    def _line_file(self) -> Path:
        return self.folder / "wal.line"

    def _start_stream(self) -> None:
        if self._backups is None:
            # What was written meanwhile would be missing from the line: a later stream begins another.
            self._line_file.unlink(missing_ok=True)
            self._drop_slot()
            return
        said = self.folder / "wal.said"
        self._stream = WalStream(self.admin_url, self._backups, line_file=self._line_file, said=said)
        self._stream.start()

    def _drop_slot(self) -> None:
        """A slot that nobody reads would keep the whole log."""
        with psycopg.connect(self._url(ADMIN, self._passwords.admin, database="postgres"), autocommit=True) as admin:
            admin.execute(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                " where slot_name = %s and not active", [SLOT]
            )  # fmt: skip

    def _url(self, role: str, password: str, database: str = server_conf.DATABASE) -> str:
        return make_conninfo(
            host=str(self._socket_folder), port=server_conf.PORT, dbname=database, user=role, password=password
        )

    def _take_folder(self) -> None:
        """Make the folders if need be and lock the data folder for as long as we live."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            # As root the server is another user and has to pass through.
            self.folder.chmod(0o711 if os.getuid() == 0 else 0o700)
        _refuse_foreign(self.folder, os.getuid())
        self.key_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            raise Conflict(f"Another Waystream (process {owner}) is using {self.folder}: stop it first") from None
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock = lock

    def _check_folder(self, account: ServerAccount) -> None:
        if not self._cluster.exists():
            return
        _refuse_foreign(self._cluster, account.uid)
        major = (self._cluster / "PG_VERSION").read_text().strip()
        if major != str(MAJOR):
            mend = "carry it over with pg_dump and a restore, or use the version it was made with"
            raise Invalid("data_folder", f"{self.folder} holds data of PostgreSQL {major}, this is {MAJOR}: {mend}")
        if not self._passwords_file.exists():
            mend = "bring the key folder back"
            raise Invalid("key_folder", f"{self.folder} has data but {self.key_folder} has no keys: {mend}")

    def _make_cluster(self, account: ServerAccount) -> None:
        """Make the database files once; a first start that was cut off leaves nothing that looks finished."""
        passwords = server_conf.make_passwords(self._passwords_file)
        if self._cluster.exists():
            return
        log.info("making the database in %s", self._cluster)
        # A name of its own for each try: the children of a killed one may still be writing for a moment.
        for unfinished in self.folder.glob("postgres.making-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        making = Path(tempfile.mkdtemp(prefix="postgres.making-", dir=self.folder))
        account.give(making)
        with _password_file(self.folder / "admin.password", passwords.admin, account) as password_file:
            _run_initdb(account, making, password_file, fsync=self._fsync)
        making.rename(self._cluster)

    def _run(self, account: ServerAccount) -> None:
        """Start the server and wait until it answers, as long as its process lives."""
        self._socket_folder.mkdir(mode=0o700, exist_ok=True)
        _refuse_foreign(self._socket_folder, os.getuid(), account.uid)
        account.give(self._socket_folder)
        server_conf.write_conf(self._cluster, socket_folder=self._socket_folder, fsync=self._fsync)
        for name in ("postgresql.conf", "pg_hba.conf"):
            account.give(self._cluster / name)
        said = self.folder / "postgres.said"
        command = account.command("postgres", "-D", str(self._cluster), on_our_death=signal.SIGINT)
        for _ in range(START_TRIES):
            self._server = ServerProcess(command, cluster=self._cluster, socket_folder=self._socket_folder, said=said)
            self._server.start()
            if self._wait_for_answer(self._server):
                self._server.keep()
                server_process.prune_logs(self._cluster)
                return
            why = server_process.last_words(self._cluster, said)
            if "shared memory block" not in why:
                break
            time.sleep(1)  # the children of a killed server are still ending
        raise Unavailable(f"PostgreSQL did not start: {why}")

    def _wait_for_answer(self, server: ServerProcess) -> bool:
        url = self._url(ADMIN, self._passwords.admin, database="postgres")
        began = said = time.monotonic()
        while server.alive:
            if _answers(url):
                return True
            if time.monotonic() - said > SAY_EVERY_S:
                said = time.monotonic()
                log.warning("PostgreSQL is recovering its data, as after any crash: %.0f s so far", said - began)
            time.sleep(0.02)
        return False

    def _make_roles(self) -> None:
        """The roles and the database, each made if it is not there: a first start may have been cut off anywhere."""
        passwords = self._passwords
        with psycopg.connect(self._url(ADMIN, passwords.admin, database="postgres"), autocommit=True) as admin:
            there = {str(name) for (name,) in admin.execute("select rolname from pg_roles")}
            for role, password in ((OWNER, passwords.owner), (MACHINE, passwords.machine), (PAGE, passwords.page)):
                if role not in there:
                    _make_role(admin, role, password)
            if not admin.execute("select 1 from pg_database where datname = %s", [server_conf.DATABASE]).fetchone():
                _make_database(admin)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _refuse_foreign(path: Path, *users: int) -> None:
    """A folder of another user is one clear sentence; a link planted in its place is not followed."""
    owner = path.lstat().st_uid
    if owner in users or (os.getuid() == 0 and owner == 0):
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"number {owner}"
    mend = "start Waystream as that user, or choose another data folder"
    raise Invalid("data_folder", f"{path} belongs to user {name}: {mend}")


@contextlib.contextmanager
def _password_file(path: Path, password: str, account: ServerAccount) -> Iterator[Path]:
    write_whole(path, password.encode())
    account.give(path)
    try:
        yield path
    finally:
        path.unlink()


def _run_initdb(account: ServerAccount, cluster: Path, password_file: Path, *, fsync: bool) -> None:
    arguments = ["-D", str(cluster), "-U", ADMIN, f"--pwfile={password_file}", "--auth=scram-sha-256"]
    arguments += ["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    arguments += ["--data-checksums", "--no-instructions", *(() if fsync else ("--no-sync",))]
    command = account.command("initdb", *arguments, on_our_death=signal.SIGTERM)
    done = subprocess.run(command, capture_output=True, text=True, timeout=INIT_LIMIT_S, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Unavailable(f"The database could not be made in {cluster.parent}: {last}")


def _make_role(admin: psycopg.Connection, role: str, password: str) -> None:
    statement = sql.SQL("create role {} login nosuperuser nocreatedb nocreaterole nobypassrls password {}")
    admin.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def _make_database(admin: psycopg.Connection) -> None:
    database, owner = sql.Identifier(server_conf.DATABASE), sql.Identifier(OWNER)
    admin.execute(sql.SQL("create database {} owner {}").format(database, owner))
    admin.execute(sql.SQL("revoke all on database {} from public").format(database))
    for role in (MACHINE, PAGE):
        admin.execute(sql.SQL("grant connect on database {} to {}").format(database, sql.Identifier(role)))
