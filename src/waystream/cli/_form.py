"""What every command shares: its options, its errors in a sentence, the app it opens, JSON for programs."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from waystream.core.errors import InvalidMany, WaystreamError
from waystream.settings import Settings

ORPHAN_LIMIT_S = 10.0

say = Console(stderr=True, highlight=False)

SettingsFile = Annotated[Path | None, typer.Option("--settings", help="TOML file with what differs from the defaults")]
Data = Annotated[Path | None, typer.Option("--data", help="data folder")]
Port = Annotated[int | None, typer.Option(help="port to listen on")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object")]


def in_a_sentence(command: Callable[..., None]) -> Callable[..., None]:
    """An error we know is one sentence and exit code 1, never a traceback."""

    @wraps(command)
    def told(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except InvalidMany as error:
            for problem in error.problems:
                say.print(f"[red]{problem.path}[/]: {problem.sentence}")
            raise typer.Exit(1) from None
        except WaystreamError as error:
            say.print(f"[red]{error.sentence}[/]")
            raise typer.Exit(1) from None

    return told


@contextmanager
def attached(settings: Settings) -> Iterator[Any]:
    """An app with the database open but nothing running: beside a server, or alone."""
    from waystream.app import build

    app = build(settings)
    app.attach()
    try:
        yield app
    finally:
        app.stop()


def end_with_parent() -> None:
    """From now on we end when whoever started us ends, however it ends: standard input closes then.

    In order if we can, but soon: the database may have ended with it, and everything would wait for that.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):  # unbuffered: who waits in `sys.stdin` cannot be left at the end
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_LIMIT_S)
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def to_json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
