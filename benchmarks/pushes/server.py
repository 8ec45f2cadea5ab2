"""A process of the measured Waystream, in some of its roles, which tells the CPU of its threads when asked.

One line in, one line of JSON out: {"http": seconds, "apply": …, "other": …}. Ends with its input. It also serves the
floor of HTTP: an endpoint that reads a body, drops it and answers as a push is answered.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from benchmarks.pushes.processes import FLOOR_PATH
from waystream.app import build
from waystream.kernel.telemetry import configure_logging
from waystream.server import serve, take_port
from waystream.settings import load

#: A stage by how the names of its threads begin.
STAGES = {"MainThread": "http", "uvloop": "http", "apply": "apply", "door": "apply", "sequencer": "sequencer",
          "rule": "rules", "dispatcher": "rules", "job": "jobs", "runner": "jobs", "sweep": "jobs"}  # fmt: skip

#: As long as Kdniao's answer.
DROPPED = b'{"EBusinessID":"1237100","UpdateTime":"2026-11-11 11:11:11","Success":true,"Reason":""}'
TICKS = os.sysconf("SC_CLK_TCK")


def measure() -> dict[str, float]:
    """CPU seconds of each stage so far; `other` is what no living thread of a known name accounts for."""
    spent: dict[str, float] = dict.fromkeys({*STAGES.values()}, 0.0)
    for thread in threading.enumerate():
        stage = next((stage for start, stage in STAGES.items() if thread.name.startswith(start)), None)
        if stage and thread.native_id:
            spent[stage] += thread_cpu_s(thread.native_id)
    spent["other"] = max(0.0, time.process_time() - sum(spent.values()))
    return spent


def thread_cpu_s(native_id: int) -> float:
    try:
        stat = Path(f"/proc/self/task/{native_id}/stat").read_text()
    except FileNotFoundError:  # it ended just now
        return 0.0
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


async def drop(request: Request) -> Response:
    """What a push would cost if nothing were done about it."""
    async for _ in request.stream():
        pass
    return Response(DROPPED, media_type="application/json")


def floor_router() -> APIRouter:
    router = APIRouter()
    router.add_route(FLOOR_PATH, drop, methods=["POST"], include_in_schema=False)
    return router


def _tell() -> None:
    for _ in sys.stdin:
        print(json.dumps(measure()), flush=True)
    os.kill(os.getpid(), signal.SIGINT)


def main(data: str, port: str, roles: str) -> None:
    settings = load(None, {}, data_folder=Path(data), port=int(port), roles=roles, log_level="WARNING")
    configure_logging(settings.log_level, json=False)
    with take_port(settings, shared=True) as listening, build(settings) as app:
        threading.Thread(target=_tell, name="tell", daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            serve(app, listening, on_ready=lambda: print("ready", flush=True), extra=[floor_router()])


if __name__ == "__main__":
    main(*sys.argv[1:])
