"""Streams on the command line: the doctor's word on real NATS servers, and a start without them."""

import json
from pathlib import Path

import pytest

from benchmarks.pushes.nats_servers import Servers, running_servers
from tests.cli.test_commands import run
from tests.integrations.ipp.real_printer import free_port


def settings_for(folder: Path, servers: Servers | None) -> list[str]:
    """The options that name a data folder and a settings file with these servers, or with none that answers."""
    url, monitor = (servers.url, servers.monitor_urls) if servers else ("nats://127.0.0.1:9", "http://127.0.0.1:9")
    file = folder / "waystream.toml"
    file.write_text(f'nats_url = "{url}"\nnats_monitor_urls = "{monitor}"\nnats_replicas = 1\n')
    return ["--settings", str(file), "--data", str(folder / "data")]


@pytest.mark.timeout(120)
def test_the_doctor_refuses_a_server_that_acknowledges_before_it_writes(tmp_path: Path, nats: Servers) -> None:
    told = run("doctor", *settings_for(tmp_path, nats), "--json")
    assert told.returncode == 0, told.stderr
    found = {one["name"]: one["broken"] for one in json.loads(told.stdout)["invariants"]}
    assert {name: broken for name, broken in found.items() if name.startswith("stream_")} == {
        "stream_durability": [],
        "stream_replicas": [],
        "stream_room": [],
    }
    with running_servers(tmp_path / "late", count=1, sync='"2m"') as servers:
        told = run("doctor", *settings_for(tmp_path, servers))
    assert told.returncode == 1
    assert "sync_interval: always" in " ".join(told.stderr.split())


@pytest.mark.timeout(120)
def test_no_server_is_a_sentence(tmp_path: Path) -> None:
    told = run("up", *settings_for(tmp_path, None), "--port", str(free_port()))
    assert told.returncode == 1
    assert "JetStream does not answer" in told.stderr and "Traceback" not in told.stderr
