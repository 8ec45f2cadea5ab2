"""The sandbox as a process: Kdniao's paths, a shop's message port, the handles under /sandbox, and the pusher.

What the network does is in `fake.py` and `world.py`; this module only carries
bytes, applies the faults of transport, and closes what it opened.
"""

import asyncio
import hashlib
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from waystream.core.errors import Unavailable, WaystreamError
from waystream.integrations.kdniao.fake import Issued, KdniaoSide, service_paths
from waystream.sandbox.admin import Admin
from waystream.sandbox.book import Plan, SandboxBook
from waystream.sandbox.faults import Mischief
from waystream.sandbox.message_port import PATH, MessagePort
from waystream.sandbox.pusher import Pusher
from waystream.sandbox.receipts import Receipts
from waystream.sandbox.settings import SandboxSettings
from waystream.sandbox.world import Happening, Trip, fate_of, journey

_BODY_MAX_BYTES = 1_000_000


def run(settings: SandboxSettings) -> None:
    """Serve until SIGTERM or Ctrl-C, which end the process with 0; raises `Unavailable` when the port is taken."""
    listening = _listen(settings.host, settings.port)
    config = uvicorn.Config(build(settings), log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _leave)  # for the moments before uvicorn listens, and its raise after a clean stop
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def build(settings: SandboxSettings) -> FastAPI:
    """The application, with everything that belongs to it."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    mischief = Mischief(settings.faults, seed=settings.seed, folder=settings.folder)
    book = SandboxBook(settings.folder / "network.sqlite3", plan=_planner(settings, mischief), strike=mischief.strikes)
    pusher = Pusher(settings, book=book, mischief=mischief)
    side = KdniaoSide(
        [customer.merchant for customer in settings.customers], book=book, seed=settings.seed, strike=mischief.strikes
    )
    receipts = Receipts(settings, side)
    counter = _Counter(settings, side=side, mischief=mischief)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loops = [asyncio.create_task(each.run(), name=type(each).__name__) for each in (pusher, receipts)]
        for loop in loops:
            loop.add_done_callback(_say_why)
        yield
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        await receipts.close()
        await pusher.close()
        book.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    for path in service_paths():
        app.add_api_route(path, counter.serve, methods=["POST"], response_model=None)
    if settings.message_secret:
        app.add_api_route(PATH, MessagePort(settings.message_secret, book).serve, methods=["POST"], response_model=None)
    app.include_router(Admin(settings, book=book, pusher=pusher, mischief=mischief).router)
    app.add_exception_handler(WaystreamError, _problem)
    return app


class _Counter:
    """Where merchants call: one instruction in, one answer out, unless a fault strikes."""

    def __init__(self, settings: SandboxSettings, *, side: KdniaoSide, mischief: Mischief) -> None:
        self._clock = settings.clock
        self._side = side
        self._mischief = mischief

    async def serve(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except asyncio.CancelledError:  # we stop while a caller is still talking, or waits for a slow answer
            return Response(status_code=503)

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > _BODY_MAX_BYTES:
            return Response(status_code=413)
        about = hashlib.blake2b(body, digest_size=8).hexdigest()
        if self._mischief.strikes("slow", about):
            await asyncio.sleep(self._mischief.faults.slow_s)
        broken = self._mischief.strikes("http_500", about)
        if broken and self._mischief.heads(about):
            return Response(status_code=500)
        reply = self._side.answer(body, at=self._clock.now())
        if broken:  # obeyed, but the answer is lost
            return Response(status_code=500)
        return Response(reply.body, status_code=reply.status, headers=dict(reply.headers))


def _planner(settings: SandboxSettings, mischief: Mischief) -> Plan:
    def plan(issued: Issued) -> Sequence[Happening]:
        fate = mischief.fate_for(issued.number) or fate_of(settings.seed, issued.number, settings.fate_mix)
        return journey(
            Trip(
                seed=settings.seed,
                carrier=issued.carrier,
                number=issued.number,
                origin=issued.origin,
                destination=issued.destination,
                taken_at=issued.at,
                pace=settings.travel_pace,
                storm=settings.storm,
            ),
            fate,
        )

    return plan


def _leave(signum: int, frame: object) -> None:
    raise SystemExit(0)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"The sandbox cannot listen on {host}:{port}: {error.strerror}. Give it another port."
        ) from error
    return listening


def _say_why(task: "asyncio.Task[None]") -> None:
    """A pusher that died takes the process with it: a network that takes numbers and never tells is worse than none."""
    if not task.cancelled() and task.exception() is not None:
        asyncio.get_running_loop().call_exception_handler({"message": "the pusher died", "exception": task.exception()})
        raise SystemExit(1)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, WaystreamError)
    return JSONResponse({"detail": error.sentence, "path": error.path}, status_code=error.status)
