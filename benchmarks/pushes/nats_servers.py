"""Real NATS servers with JetStream on loopback: one, or a cluster of three, each to be killed and started again.

Guaranteed: nothing outlives the block that started it. Every server fsyncs each message (`sync_interval: always`).
"""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_LIMIT_S = 30.0
CONFIG = """
server_name: {name}
listen: 127.0.0.1:{port}
http: 127.0.0.1:{monitor}
max_payload: 8MB
jetstream {{ store_dir: "{folder}/store", sync_interval: {sync} }}
"""
CLUSTER = "cluster {{ name: test, listen: 127.0.0.1:{route}, routes: [{routes}] }}\n"


@dataclass(slots=True)
class Node:
    """One server: its name, its ports, its folder, and its process while it lives."""

    name: str
    port: int
    monitor: int
    route: int
    folder: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def monitor_url(self) -> str:
        return f"http://127.0.0.1:{self.monitor}"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.monitor_url}/{path}", timeout=5) as reply:
            return json.loads(reply.read())

    def start(self) -> None:
        """In a session of its own, so that Ctrl-C reaches us first."""
        server = Path(sys.executable).with_name("nats-server")
        command = [str(server) if server.exists() else "nats-server", "-c", str(self.folder / "nats.conf"),
                   "-l", str(self.folder / "nats.log")]  # fmt: skip
        self.process = subprocess.Popen(command, start_new_session=True)

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


@dataclass(frozen=True, slots=True)
class Servers:
    """All of them; `url` names every one."""

    nodes: tuple[Node, ...]

    @property
    def url(self) -> str:
        return ",".join(node.url for node in self.nodes)

    @property
    def monitor_urls(self) -> str:
        return ",".join(node.monitor_url for node in self.nodes)

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def wait(self) -> None:
        """Until every living server is healthy and, of several, the cluster has a leader."""
        deadline_s = time.monotonic() + START_LIMIT_S
        while not all(_is_well(node, len(self.nodes)) for node in self.nodes):
            if time.monotonic() > deadline_s:
                raise TimeoutError("the NATS servers do not come up")
            time.sleep(0.05)


@contextmanager
def running_servers(folder: Path, *, count: int = 3, sync: str = "always") -> Iterator[Servers]:
    servers = Servers(tuple(_make(folder / f"n{nth}", nth) for nth in range(1, count + 1)))
    for node in servers.nodes:
        (node.folder / "nats.conf").write_text(_config(node, servers, sync))
        node.start()
    try:
        servers.wait()
        yield servers
    finally:
        for node in servers.nodes:
            node.stop()
        shutil.rmtree(folder)


def _make(folder: Path, nth: int) -> Node:
    folder.mkdir(parents=True)
    return Node(f"n{nth}", _free_port(), _free_port(), _free_port(), folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _config(node: Node, servers: Servers, sync: str) -> str:
    alone = CONFIG.format(name=node.name, port=node.port, monitor=node.monitor, folder=node.folder, sync=sync)
    if len(servers.nodes) == 1:
        return alone
    routes = ", ".join(f'"nats://127.0.0.1:{other.route}"' for other in servers.nodes)
    return alone + CLUSTER.format(route=node.route, routes=routes)


def _is_well(node: Node, count: int) -> bool:
    if node.process is None or node.process.poll() is not None:
        return True
    try:
        well: bool = node.ask("healthz")["status"] == "ok"
        return well and (count == 1 or bool(node.ask("jsz").get("meta_cluster", {}).get("leader")))
    except OSError:
        return False
