"""A real IPP printer for tests: CUPS' `ippeveprinter`, with the private message bus it insists on."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PRINTER = shutil.which("ippeveprinter") or "/usr/sbin/ippeveprinter"


@dataclass(frozen=True, slots=True)
class RealPrinter:
    """`spool` holds the documents it took."""

    uri: str
    spool: Path

    def papers(self) -> list[Path]:
        return sorted(path for path in self.spool.iterdir() if path.suffix == ".pdf")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def real_printer(folder: Path, port: int | None = None) -> Iterator[RealPrinter]:
    """Start a printer that takes PDF and keeps what it printed in `folder`/spool."""
    port = port or free_port()
    spool = folder / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    with _bus(folder) as address:
        process = subprocess.Popen(
            [PRINTER, "-p", str(port), "-r", "off", "-k", "-d", str(spool), "-f", "application/pdf", "-c", "/bin/true",
             "Waystream test printer"],
            env={"DBUS_SYSTEM_BUS_ADDRESS": address, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for(port, process)
            yield RealPrinter(f"ipp://127.0.0.1:{port}/ipp/print", spool)
        finally:
            process.kill()
            process.wait()


@contextmanager
def _bus(folder: Path) -> Iterator[str]:
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:tmpdir={folder}"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert bus.stdout is not None
    try:
        yield bus.stdout.readline().strip()
    finally:
        bus.send_signal(signal.SIGTERM)
        bus.wait()
        bus.stdout.close()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the port answers; a printer that ended instead is an error."""
    while True:
        assert process.poll() is None, "ippeveprinter did not start"
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
