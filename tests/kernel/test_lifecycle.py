"""The embedded server for real: first start, every kind of death, and every folder that is not ours to use."""

import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel import server_account
from waystream.kernel.lifecycle import EmbeddedPostgres, default_key_folder
from waystream.kernel.server_account import ServerAccount, choose_account

OWNER = """
import sys, time
from pathlib import Path
from waystream.kernel.lifecycle import EmbeddedPostgres
folder = Path(sys.argv[1])
with EmbeddedPostgres(folder, key_folder=folder.with_name(folder.name + ".keys")):
    print("ready", flush=True)
    sys.stdin.read()
"""
ANOTHER_UID = 54321


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder after its first start, to be copied."""
    folder = tmp_path_factory.mktemp("made") / "data"
    with EmbeddedPostgres(folder, key_folder=default_key_folder(folder), fsync=False) as postgres:
        execute(postgres, "create table kept (n int)", "insert into kept values (42)")
    yield folder
    shutil.rmtree(folder.parent)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A used data folder of the test's own."""
    folder = tmp_path / "data"
    for source, target in ((made, folder), (default_key_folder(made), default_key_folder(folder))):
        subprocess.run(["cp", "-a", source, target], check=True)
    yield folder
    shutil.rmtree(folder)


def embedded(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, key_folder=default_key_folder(folder), fsync=False)


def execute(postgres: EmbeddedPostgres, *statements: str) -> None:
    with psycopg.connect(postgres.owner_url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def kept(postgres: EmbeddedPostgres) -> int:
    with psycopg.connect(postgres.owner_url) as conn:
        row = conn.execute("select n from kept").fetchone()
        assert row is not None
        return int(row[0])


def server_pid(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


@contextlib.contextmanager
def watched(pid: int) -> Iterator[int]:
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def ended(handle: int, *, within_s: float) -> bool:
    return bool(select.select([handle], [], [], within_s)[0])


@contextlib.contextmanager
def owner_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the folder, up and running."""
    command = [sys.executable, "-c", OWNER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.communicate("")


def test_the_first_start_makes_a_closed_server(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with embedded(folder) as postgres:
        with psycopg.connect(postgres.machine_url) as conn:
            shown = conn.execute(
                "select current_setting('listen_addresses'), current_setting('data_checksums'),"
                " current_setting('server_encoding'), datlocprovider, datlocale, current_setting('TimeZone')"
                " from pg_database where datname = current_database()"
            ).fetchone()
            roles = conn.execute(
                "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles"
                " where rolname like 'waystream%' order by 1"
            ).fetchall()
        socket_folder = Path(str(conninfo_to_dict(postgres.machine_url)["host"]))
        assert socket_folder.stat().st_mode & 0o777 == 0o700
    assert shown == ("", "on", "UTF8", "b", "C.UTF-8", "UTC")
    names = ("waystream_machine", "waystream_owner", "waystream_page")
    assert roles == [(name, False, False, False) for name in names]
    assert (folder / "postgres").stat().st_mode & 0o777 == 0o700
    assert (default_key_folder(folder) / "postgres.json").stat().st_mode & 0o777 == 0o600
    assert not list(folder.glob("*.password"))


def test_a_wrong_password_is_refused_even_from_our_own_user(folder: Path) -> None:
    with embedded(folder) as postgres:
        for user in ("postgres", "waystream_owner", "waystream_machine", "waystream_page"):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(make_conninfo(postgres.machine_url, user=user, password="guess"))


def test_data_outlives_a_restart(folder: Path) -> None:
    for _ in range(2):
        with embedded(folder) as postgres:
            assert kept(postgres) == 42
        assert not postgres.answers()
        postgres.stop()


def test_others_know_the_address_without_owning(folder: Path) -> None:
    with embedded(folder) as owner:
        assert embedded(folder).answers()
        assert embedded(folder).machine_url == owner.machine_url


def test_a_server_that_never_started_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="start Waystream once"):
        _ = embedded(tmp_path / "data").machine_url
    assert not embedded(tmp_path / "data").answers()


def test_a_folder_has_one_owner(folder: Path) -> None:
    with owner_process(folder) as process:
        with pytest.raises(Conflict, match=f"process {process.pid}"):
            embedded(folder).start()
        assert embedded(folder).answers()


def test_the_server_dies_with_a_killed_owner(folder: Path) -> None:
    with owner_process(folder) as process, watched(server_pid(folder)) as server:
        process.kill()
        assert ended(server, within_s=10)
    with embedded(folder) as postgres:
        assert kept(postgres) == 42


def test_the_server_outlives_the_thread_that_asked_for_it(folder: Path) -> None:
    postgres = embedded(folder)
    starter = threading.Thread(target=postgres.start)
    starter.start()
    starter.join()
    try:
        with watched(server_pid(folder)) as server:
            assert not ended(server, within_s=0.3)
        assert postgres.answers()
    finally:
        postgres.stop()


def test_a_server_that_survived_its_owner_is_stopped(folder: Path) -> None:
    """As after a death that the kernel could not pass on: it answers, but nobody owns it."""
    with embedded(folder) as postgres:
        socket_folder = Path(str(conninfo_to_dict(postgres.machine_url)["host"]))
    account = choose_account(folder)
    socket_folder.mkdir(exist_ok=True)
    account.give(socket_folder)
    command = account.command("postgres", "-D", str(folder / "postgres"), on_our_death=signal.SIGCONT)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as orphan:
        while not postgres.answers():
            assert orphan.poll() is None
            time.sleep(0.02)
        with postgres:
            assert orphan.wait(10) == 0
            assert kept(postgres) == 42


@pytest.mark.parametrize("inside", [False, True])
def test_an_innocent_process_with_the_old_number_is_left_alone(folder: Path, inside: bool) -> None:
    """Numbers are reused: the one in postmaster.pid may be anybody's by now, even of the server's user."""
    account = choose_account(folder)
    place = folder / "postgres" if inside else Path("/")
    innocent = subprocess.Popen(["sleep", "60"], cwd=place, user=account.uid)
    try:
        text = f"{innocent.pid}\n{folder / 'postgres'}\n1700000000\n5432\n\n\n  1234567   1234567\nready   \n"
        (folder / "postgres" / "postmaster.pid").write_text(text)
        with embedded(folder) as postgres:
            assert kept(postgres) == 42
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_what_a_power_cut_leaves_does_not_stop_a_start(folder: Path) -> None:
    """An empty pid file, and a socket whose lock names a living process: ours."""
    (folder / "postgres" / "postmaster.pid").write_text("")
    (folder / "socket" / ".s.PGSQL.5432.lock").write_text(f"{os.getppid()}\n{folder}\n")
    with embedded(folder) as postgres:
        assert kept(postgres) == 42


def test_a_killed_server_is_started_again(folder: Path) -> None:
    with embedded(folder) as postgres:
        first = server_pid(folder)
        with watched(first) as server:
            os.kill(first, signal.SIGKILL)
            assert ended(server, within_s=10)
        deadline = time.monotonic() + 20
        while not postgres.answers() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert kept(postgres) == 42
        assert server_pid(folder) != first


def test_owner_and_server_killed_at_once_recover(folder: Path) -> None:
    with owner_process(folder) as process, watched(server_pid(folder)) as server:
        execute(embedded(folder), "update kept set n = 43")
        os.kill(server_pid(folder), signal.SIGKILL)
        process.kill()
        assert ended(server, within_s=10)
    with embedded(folder) as postgres:
        assert kept(postgres) == 43


def test_a_first_start_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    unfinished = folder / "postgres.making-x"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with embedded(folder) as postgres, psycopg.connect(postgres.admin_url, dbname="postgres", autocommit=True) as admin:
        admin.execute("drop database waystream")
        admin.execute("drop role waystream_page")
    assert not unfinished.exists()
    with embedded(folder) as postgres, psycopg.connect(postgres.page_url) as conn:
        assert conn.execute("select current_user").fetchone() == ("waystream_page",)


def test_another_major_version_names_the_command(folder: Path) -> None:
    (folder / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(Invalid, match=r"PostgreSQL 17.*pg_dump"):
        embedded(folder).start()


def test_a_lost_key_folder_is_a_sentence(folder: Path) -> None:
    shutil.rmtree(default_key_folder(folder))
    with pytest.raises(Invalid, match="bring the key folder back"):
        embedded(folder).start()
    assert list(default_key_folder(folder).iterdir()) == []


def test_keys_do_not_lie_among_the_data(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="outside the data folder"):
        EmbeddedPostgres(tmp_path / "data", key_folder=tmp_path / "data" / "keys")


def test_a_folder_of_another_user_is_a_sentence(folder: Path) -> None:
    if os.getuid() != 0:
        with pytest.raises(Invalid, match="belongs to user root"):
            embedded(Path("/usr")).start()
        return
    for path in (folder / "postgres", folder):
        os.chown(path, ANOTHER_UID, ANOTHER_UID)
        with pytest.raises(Invalid, match=f"belongs to user number {ANOTHER_UID}"):
            embedded(folder).start()


def test_a_long_path_has_its_socket_elsewhere(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with embedded(deep / "data") as postgres:
        host = Path(str(conninfo_to_dict(postgres.machine_url)["host"]))
        assert host.parent == Path("/tmp")
        assert host.stat().st_mode & 0o777 == 0o700
        assert postgres.answers()
    assert not host.exists()


def test_nothing_that_was_asked_is_logged(folder: Path) -> None:
    planted = "13812345678"
    failing = (
        f"select '{planted}'::date",
        f"insert into kept values ({planted})",
        f"create unique index on kept (n); insert into kept values (42) -- {planted}",
        f"do $$ begin raise exception '{planted}'; end $$",
        f"select pg_sleep(5) /* {planted} */",
    )
    with embedded(folder) as postgres, psycopg.connect(postgres.owner_url, autocommit=True) as conn:
        conn.execute("set statement_timeout = 100")
        for statement in failing:
            with pytest.raises(psycopg.Error):
                conn.execute(statement.encode())
    texts = [path.read_text() for path in (*(folder / "postgres" / "log").iterdir(), folder / "postgres.said")]
    assert any("ready to accept connections" in text for text in texts)
    assert not any(planted in text for text in texts)


def test_root_without_the_right_to_lend_copies_the_binaries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container whose root is held short, with the environment below the closed /root."""
    if os.getuid() != 0:
        return  # only root has rights to lend
    monkeypatch.setattr(server_account, "_may_read_everything", lambda: False)
    install = server_account.find_binaries().parent
    closed = tmp_path / install.parent.name
    closed.mkdir(mode=0o700)
    (closed / install.name).symlink_to(install)
    closed.with_name(closed.name + ".libs").symlink_to(install.parent.with_name(install.parent.name + ".libs"))
    monkeypatch.setattr(server_account, "find_binaries", lambda: closed / install.name / "bin")
    with pytest.raises(Invalid, match="nobody, who cannot reach"):
        embedded(tmp_path / "data").start()
    place = Path("/tmp", f"ws-test-{os.getpid()}")
    try:
        with embedded(place / "data") as postgres:
            assert postgres.answers()
            program = os.readlink(f"/proc/{server_pid(place / 'data')}/exe")
        assert program.startswith(f"{place}/data/binaries/")
    finally:
        shutil.rmtree(place)


def test_it_runs_as_an_ordinary_user() -> None:
    """As root: once more as a user of the system, who keeps the right to read, since Python may lie in /root."""
    if os.getuid() != 0:
        return  # every other test here was it
    user = pwd.getpwnam("daemon")
    place = Path("/tmp", f"ws-test-{os.getpid()}")
    place.mkdir()
    try:
        os.chown(place, user.pw_uid, user.pw_gid)
        folder = place / "data"
        python = ServerAccount(user.pw_uid, user.pw_gid, True, Path(sys.executable).parent)
        command = python.command(Path(sys.executable).name, "-c", OWNER, str(folder), on_our_death=signal.SIGKILL)
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout == "ready\n", done.stderr
        assert (folder / "postgres").stat().st_uid == user.pw_uid
        with pytest.raises(Invalid, match="belongs to user daemon"):
            embedded(folder).start()
    finally:
        shutil.rmtree(place)
