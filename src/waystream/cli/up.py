"""`waystream up`."""

from typing import Any

import typer

from waystream.cli._form import Data, Port, SettingsFile, in_a_sentence, say
from waystream.settings import load


@in_a_sentence
def up(settings: SettingsFile = None, data: Data = None, port: Port = None, host: str | None = None) -> None:
    """Run Waystream: pages, API, pushes, rules and jobs, with its own PostgreSQL unless one is named."""
    from waystream.app import build
    from waystream.kernel.telemetry import configure_logging
    from waystream.server import serve, take_port

    chosen = load(settings, data_folder=data, port=port, host=host)
    configure_logging(chosen.log_level, json=chosen.log_json)
    with take_port(chosen) as listening, build(chosen) as app:
        _tell_first_login(app)
        serve(app, listening, on_ready=lambda: say.print(f"Waystream is up: [bold]{chosen.address}[/]"))


def _tell_first_login(app: Any) -> None:
    from waystream.parts.people.actions import ensure_owner

    with app.machine.begin() as tx:
        first = ensure_owner(tx)
    if first is not None:
        say.print(f"First sign-in: [bold]{first.staff.login}[/] with password [bold]{first.password}[/] (shown once)")


def add(cli: typer.Typer) -> None:
    cli.command()(up)
