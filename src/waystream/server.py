"""The HTTP server over a running app: one socket, taken before anything else so that a taken port is a sentence.

What is served is decided by the roles: pages and API for `web`, the door of pushes for `push`, and for every process
whether it is alive and ready, and its figures.
"""

import gc
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta

import uvicorn
from fastapi import APIRouter
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from waystream.app import App
from waystream.core.errors import Conflict
from waystream.kernel.dispatcher import list_rules
from waystream.settings import Role, Settings
from waystream.web import receipts
from waystream.web.app import make_web
from waystream.web.context import WebContext
from waystream.web.doorway import Doorway
from waystream.web.live import Live
from waystream.web.push import PushDesk

GRACE_S = 5
#: What is imported stays, and pushes make many short-lived values: the usual thresholds cost the apply path a fifth.
GC_THRESHOLDS = (50_000, 25, 25)
BACKLOG = 1024
#: A thread that has its answer from the database waits no longer than this for one that computes.
SWITCH_S = 0.0005

log = logging.getLogger(__name__)


def take_port(settings: Settings, port: int | None = None, *, shared: bool = False) -> socket.socket:
    """The listening socket, or `Conflict` with what to do. `port`: another than the settings'; a `shared` one spreads
    what comes over all sockets that share the port."""
    port = port or settings.port
    taken = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        taken.bind((settings.host, port))
    except OSError as error:
        taken.close()
        raise Conflict(
            f"Port {port} of {settings.host} cannot be used ({error.strerror}): "
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
    """Serve what our roles are asked, and `extra`, until a signal comes; the caller starts and stops the app."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_S)
    with ExitStack() as stack:
        live = Live(app.machine)
        stack.callback(live.close)
        if Role.WEB in app.roles:
            live.start()
        told = [receipts.router] if Role.PUSH in app.roles else []
        web = _behind_proxies(make_web(_context(app, live), extra=[*told, *extra], pages=Role.WEB in app.roles))
        config = uvicorn.Config(
            Doorway(web, _open_desk(app, stack)) if Role.PUSH in app.roles else web,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
            proxy_headers=False,
        )
        Server(config, on_exit=live.close, on_ready=on_ready).run(sockets=[listening])


def _behind_proxies(web: ASGIApp) -> ASGIApp:
    """Who asks is who a proxy on this machine says it is; of pushes that is not asked, they are signed."""
    return ProxyHeadersMiddleware(web, trusted_hosts="127.0.0.1")  # type: ignore[arg-type,return-value]


def _open_desk(app: App, stack: ExitStack) -> PushDesk:
    desk = PushDesk(
        work=app.machine,
        networks=app.networks,
        door=app.open_door(),
        body_limit_bytes=app.settings.push_body_kb * 1024,
        observe=app.observers.saw_push,
    )
    desk.start()
    stack.callback(desk.stop)
    return desk


def _context(app: App, live: Live) -> WebContext:
    return WebContext(
        work=app.page,
        machine=app.machine,
        networks=app.networks,
        gateways=app.gateways,
        live=live,
        base_url=app.settings.address,
        push_base_url=app.settings.push_address,
        cookie_secure=app.settings.cookie_secure,
        body_limit_bytes=app.settings.web_body_kb * 1024,
        figures=app.figures,
        backup_every=timedelta(hours=app.settings.backup_every_h),
        private_hosts=app.settings.private_hosts,
        rules=list_rules(app.rules),
        data_folder=app.settings.data_folder if app.settings.embedded else None,
    )
