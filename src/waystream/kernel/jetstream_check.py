"""Whether the NATS servers keep what we promise to carriers: on disk before they say so, on three of them, all of it.

The servers' own settings are seen only at their monitoring addresses (`/varz`), the streams' over our connection.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from nats.js.api import StorageType, StreamInfo

from waystream.core.errors import WaystreamError
from waystream.core.ports import HttpAsk
from waystream.kernel.exchange import Exchange
from waystream.kernel.jetstream import JetStream

ASK_S = 5.0
REPLICAS_MIN = 3
DEDUP_MIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong, and what mends it. `about` is durability, replicas or room."""

    about: str
    sentence: str


class _JetStreamConfig(msgspec.Struct):
    sync_always: bool = False


class _JetStreamPart(msgspec.Struct):
    config: _JetStreamConfig | None = None


class _Cluster(msgspec.Struct):
    name: str = ""


class Varz(msgspec.Struct):
    """Of all that a server tells of itself."""

    server_name: str
    max_payload: int
    cluster: _Cluster = msgspec.field(default_factory=_Cluster)
    jetstream: _JetStreamPart = msgspec.field(default_factory=_JetStreamPart)


def complain(
    jetstream: JetStream, exchange: Exchange, *, monitor_urls: Sequence[str], streams: Sequence[str], body_bytes: int
) -> list[Complaint]:
    """Everything that is wrong; nothing, where what is acknowledged is safe."""
    told = [_ask(exchange, url) for url in monitor_urls]
    servers = [server for server in told if isinstance(server, Varz)]
    infos = [info for name in streams if (info := jetstream.find_stream(name)) is not None]
    clustered = any(server.cluster.name for server in servers) or len(jetstream.place.urls) > 1
    return [
        *(_untold() if not monitor_urls else ()),
        *(complaint for complaint in told if isinstance(complaint, Complaint)),
        *(complaint for server in servers for complaint in _of_server(server, body_bytes=body_bytes)),
        *(complaint for info in infos for complaint in _of_stream(info, clustered=clustered)),
    ]


def _ask(exchange: Exchange, url: str) -> Varz | Complaint:
    try:
        reply = exchange.send(HttpAsk("GET", f"{url.rstrip('/')}/varz", timeout_s=ASK_S, trusted=True))
        return msgspec.json.decode(reply.body, type=Varz)
    except (WaystreamError, msgspec.MsgspecError) as error:
        return Complaint("durability", f"{url} does not say how it is set ({type(error).__name__}).")


def _untold() -> Iterator[Complaint]:
    yield Complaint("durability", "Nobody says how the servers write to disk: set nats_monitor_urls to all of them.")


def _of_server(server: Varz, *, body_bytes: int) -> Iterator[Complaint]:
    if server.jetstream.config is None:
        yield Complaint("durability", f"{server.server_name} runs without JetStream.")
    elif not server.jetstream.config.sync_always:
        yield Complaint(
            "durability",
            f"{server.server_name} acknowledges messages before they are on disk: set sync_interval: always.",
        )
    if server.max_payload < body_bytes:
        yield Complaint(
            "room",
            f"{server.server_name} takes {server.max_payload} bytes in a message and a push may have {body_bytes}: "
            f"set max_payload: 8MB.",
        )


def _of_stream(info: StreamInfo, *, clustered: bool) -> Iterator[Complaint]:
    config = info.config
    if clustered and (config.num_replicas or 1) < REPLICAS_MIN:
        yield Complaint(
            "replicas",
            f"The stream {config.name} lies on {config.num_replicas} servers only: give it {REPLICAS_MIN} replicas.",
        )
    if config.storage != StorageType.FILE:
        yield Complaint("durability", f"The stream {config.name} is kept in memory: make it again with file storage.")
    if config.duplicate_window < DEDUP_MIN_S:
        yield Complaint(
            "replicas",
            f"The stream {config.name} knows a message again for {config.duplicate_window:.0f} s only: "
            f"set its duplicate window to {DEDUP_MIN_S:.0f} s at least.",
        )
