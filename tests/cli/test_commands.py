"""The command line as a person meets it: sentences instead of tracebacks, JSON where a program reads, clean ends."""

import json
import random
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.integrations.ipp.real_printer import free_port

COMMAND = [sys.executable, "-m", "waystream.cli"]


def run(*arguments: str, timeout_s: float = 120, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=timeout_s, check=False, cwd=cwd
    )


def no_process_in(folder: Path) -> bool:
    """Whether no process works in the folder any more."""
    mine = str(folder).encode()
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mine in cmdline.read_bytes():
                return False
        except (FileNotFoundError, ProcessLookupError):
            continue
    return True


@pytest.fixture
def port() -> int:
    """A free port whose neighbour is free as well: the demo's network takes that one.

    Below the ports that outgoing connections are given, so that both stay free from one start to the next.
    """
    for first in random.sample(range(15_000, 30_000), 100):
        with socket.socket() as own, socket.socket() as neighbour:
            if own.connect_ex(("127.0.0.1", first)) and neighbour.connect_ex(("127.0.0.1", first + 1)):
                return first
    raise AssertionError("a hundred ports are taken")


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in ("up", "demo"):
            told = run(command, "--data", str(tmp_path / "data"), "--port", port)
            assert told.returncode == 1
            assert port in told.stderr
            assert "Traceback" not in told.stderr


def test_a_wrong_setting_is_a_sentence(tmp_path: Path) -> None:
    settings = tmp_path / "my.toml"
    settings.write_text("port = 'many'\n")
    told = run("up", "--settings", str(settings), "--data", str(tmp_path / "data"))
    assert told.returncode == 1
    assert "port" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_doctor_says_what_runs_and_what_holds(tmp_path: Path) -> None:
    told = run("doctor", "--data", str(tmp_path / "data"), "--json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["engines"]["postgresql"].startswith("18")
    assert len(found["invariants"]) >= 10
    assert all(not finding["broken"] for finding in found["invariants"])


def test_the_catalogue_is_imported_whole_or_not_at_all(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    sheet = tmp_path / "warehouses.csv"
    head = "仓库编码,仓库名称,省,市,区,发件人,手机,详细地址\n"
    sheet.write_text(f"{head}yh,余杭仓,浙江省,杭州市,余杭区,仓管,13800000000,仓前街道1号\n")
    told = run("catalogue", "import", str(sheet), "--kind", "warehouses", "--data", data)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("1 rows, 1 new or changed")
    sheet.write_text(
        f"{head}fs,佛山仓,广东省,佛山市,,仓管,13800000000,桂城街道2号\n,无编码,广东省,广州市,,仓管,13800000000,一路\n"
    )
    told = run("catalogue", "import", str(sheet), "--kind", "warehouses", "--data", data)
    assert told.returncode == 1
    assert "line 3" in told.stderr
    assert "Traceback" not in told.stderr


def test_two_owners_of_one_folder_is_a_sentence(tmp_path: Path, port: int) -> None:
    first = subprocess.Popen(
        [*COMMAND, "up", "--data", str(tmp_path / "data"), "--port", str(port)], stderr=subprocess.PIPE, text=True
    )
    assert first.stderr is not None
    try:
        while "is up" not in (line := first.stderr.readline()):
            assert line, "waystream did not come up"
        second = run("up", "--data", str(tmp_path / "data"), "--port", str(free_port()))
        assert second.returncode == 1
        assert "Another Waystream" in second.stderr
    finally:
        first.send_signal(signal.SIGINT)
        assert first.wait(30) in (0, 130)
        first.stderr.close()
    assert no_process_in(tmp_path)


def heard_by_the_port(data: Path) -> list[tuple[str, str, int]]:
    """(order, kind, how often it came) of each letter that the demo's own message port took."""
    with closing(sqlite3.connect(data / "network" / "network.sqlite3")) as network:
        return network.execute("SELECT number, template, times FROM message").fetchall()


def judge_messages(told: dict[str, int], heard: list[tuple[str, str, int]]) -> None:
    """Text messages have their receipt, the shop's own port heard each letter once."""
    assert told["delivered"] > 0
    assert told["handed"] > 0
    assert "refused" not in told
    shipped = [order for order, kind, _ in heard if kind == "shipped"]
    assert len(shipped) == len(set(shipped)) > 0
    assert {times for _, _, times in heard} == {1}
    handed_without_receipt = told["handed"] + told.get("sending", 0)
    assert len(heard) <= handed_without_receipt


@pytest.mark.timeout(240)
def test_the_demo_goes_on_where_it_stopped_and_ends_cleanly(tmp_path: Path, port: int) -> None:
    orders = 0
    for _ in range(2):
        told = run("demo", "--data", str(tmp_path / "data"), "--port", str(port), "--seconds", "25", "--json")
        assert told.returncode == 0, told.stderr
        report = json.loads(told.stdout)
        assert set(report) == {
            "orders", "parcels", "states_seen", "unprinted", "unbound", "events", "tickets", "messages",
            "invariants_broken",
        }  # fmt: skip
        assert report["orders"] > orders
        assert (report["unprinted"], report["unbound"], report["invariants_broken"]) == (0, 0, [])
        orders = report["orders"]
        assert no_process_in(tmp_path)
        judge_messages(report["messages"], heard_by_the_port(tmp_path / "data"))


def test_erasing_and_handing_in_numbers_say_what_is_not_there(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    told = run("people", "erase", "A1", "--shop", "tea", "--reason", "asked", "--yes", "--data", data)
    assert (told.returncode, told.stdout) == (1, "")
    assert "There is no such order." in told.stderr
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("SF1000000001-SF1000000500\n")
    told = run("numbers", "add", str(numbers), "--account", "none", "--data", data)
    assert "There is no such carrier account." in told.stderr
    told = run("numbers", "add", str(tmp_path / "missing.txt"), "--account", "none", "--data", data)
    assert "missing.txt cannot be read as text in UTF-8." in told.stderr
    assert "Traceback" not in told.stderr


def test_erasing_asks_first(tmp_path: Path) -> None:
    told = subprocess.run(
        [*COMMAND, "people", "erase", "A1", "--shop", "tea", "--reason", "asked", "--data", str(tmp_path / "data")],
        input="n\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert told.returncode == 1
    assert "Nobody will read them again" in told.stderr
    assert not (tmp_path / "data").exists()
