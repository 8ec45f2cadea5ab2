"""What is true of a running Waystream, in words: engines, versions, invariants."""

import platform
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType

from waystream.kernel.exchange import Exchange
from waystream.kernel.jetstream import JetStream
from waystream.kernel.jetstream_check import complain
from waystream.kernel.tx import Tx
from waystream.settings import Settings

SHOWN_MAX = 20
STREAM_SENTENCES = {
    "durability": "What a stream acknowledges is on disk.",
    "replicas": "What a stream acknowledges lies on three servers, once.",
    "room": "The largest push fits into a message.",
}


def engines(tx: Tx) -> dict[str, str]:
    """Name and version of everything Waystream stands on."""
    row = tx.conn.execute("SELECT current_setting('server_version'), max(version) FROM migration").fetchone()
    assert row is not None
    return {
        "waystream": version("waystream"),
        "python": platform.python_version(),
        "postgresql": row[0],
        "schema": str(row[1]),
    }


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant: its sentence, and the first of what breaks it (empty: it holds)."""

    name: str
    sentence: str
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.broken


def check(tx: Tx, invariants: tuple[ModuleType, ...]) -> list[Finding]:
    """Every invariant of the open list against the database as the transaction sees it."""
    return [_check_one(tx, module) for module in invariants]


def check_streams(settings: Settings, jetstream: JetStream) -> list[Finding]:
    """What the streams promise, against how the NATS servers are set."""
    with Exchange() as exchange:
        complaints = complain(
            jetstream,
            exchange,
            monitor_urls=[url.strip() for url in settings.nats_monitor_urls.split(",") if url.strip()],
            streams=("pushes", "events"),
            body_bytes=settings.push_body_kb * 1024,
        )
    return [
        Finding(f"stream_{about}", sentence, tuple(one.sentence for one in complaints if one.about == about))
        for about, sentence in STREAM_SENTENCES.items()
    ]


def _check_one(tx: Tx, module: ModuleType) -> Finding:
    sentence = (module.__doc__ or "").strip().split("\n")[0]
    if hasattr(module, "broken"):
        broken = [str(row) for row in module.broken(tx)]
    else:
        broken = [str(tuple(row)) for row in tx.conn.execute(module.SQL).fetchmany(SHOWN_MAX)]
    return Finding(module.__name__.rpartition(".")[2], sentence, tuple(broken[:SHOWN_MAX]))
