"""The HTTP server over a running app: one socket, taken before anything else so that a taken port is a sentence."""

import gc
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import uvicorn
from fastapi import APIRouter

from waystream.app import App
from waystream.core.errors import Conflict
from waystream.parts.tracking.door import Door
from waystream.settings import Settings
from waystream.web.app import make_web
from waystream.web.context import WebContext
from waystream.web.live import Live
from waystream.web.push import PushDesk, push_router

GRACE_S = 5
#: What is imported stays, and pushes make many short-lived values: the usual thresholds cost the apply path a fifth.
GC_THRESHOLDS = (50_000, 25, 25)
BACKLOG = 1024

log = logging.getLogger(__name__)


def take_port(settings: Settings) -> socket.socket:
    """The listening socket, or `Conflict` with what to do about it."""
    taken = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        raise Conflict(
            f"Port {settings.port} of {settings.host} cannot be used ({error.strerror}): "
            f"stop what listens there, or choose another with --port.",
            path="port",
        ) from error
    taken.listen(BACKLOG)
    return taken


class Server(uvicorn.Server):
    """Ends the event streams before it waits for requests to finish: a stream would never finish by itself."""

    def __init__(self, config: uvicorn.Config, *, on_exit: Callable[[], None], on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_exit, self._on_ready = on_exit, on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_exit()
        await super().shutdown(sockets)


def serve(
    app: App,
    listening: socket.socket,
    *,
    on_ready: Callable[[], None] = lambda: None,
    extra: Sequence[APIRouter] = (),
) -> None:
    """Serve pages, API, pushes and `extra` until a signal comes; the app is started and stopped by the caller."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    with ExitStack() as stack:
        live, desk = Live(app.machine), _open_desk(app)
        for part, close in ((live, live.close), (desk, desk.stop)):
            part.start()
            stack.callback(close)
        config = uvicorn.Config(
            make_web(_context(app, live), extra=[push_router(desk), *extra]),
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
        )
        Server(config, on_exit=live.close, on_ready=on_ready).run(sockets=[listening])


def _open_desk(app: App) -> PushDesk:
    settings = app.settings
    door = Door(app.machine, group_max_pushes=settings.push_group, waiting_max_pushes=settings.push_waiting)
    return PushDesk(work=app.machine, networks=app.networks, door=door, body_limit_bytes=settings.push_body_kb * 1024)


def _context(app: App, live: Live) -> WebContext:
    return WebContext(
        work=app.page,
        machine=app.machine,
        networks=app.networks,
        live=live,
        base_url=app.settings.address,
        cookie_secure=app.settings.cookie_secure,
        body_limit_bytes=app.settings.web_body_kb * 1024,
        figures=app.figures,
    )
