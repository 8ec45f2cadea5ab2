"""`waystream demo`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from waystream.cli._form import Data, Json, Port, in_a_sentence, say, to_json
from waystream.settings import load


@in_a_sentence
def demo(
    data: Data = None,
    port: Port = None,
    seconds: Annotated[float, typer.Option(help="stop after this long; 0: run until Ctrl-C")] = 0,
    speed: Annotated[float, typer.Option(help="business seconds in one second")] = 3600,
    json: Json = False,
) -> None:
    """Waystream with a sandbox carrier network beside it and a shop that sells."""
    from waystream.demo.run import run_demo
    from waystream.supervisor import ending_on_sigterm

    settings = load(None, data_folder=data or Path("data/demo"), port=port, clock_speed=speed, log_level="warning")
    with ending_on_sigterm():
        report = run_demo(settings, seconds=seconds, say=say.print)
    if json:
        print(to_json(asdict(report)))


def add(cli: typer.Typer) -> None:
    cli.command()(demo)
