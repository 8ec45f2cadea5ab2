"""`waystream up`."""

import socket
from typing import Annotated, Any

import typer

from waystream.cli._form import Data, Port, SettingsFile, end_with_parent, in_a_sentence, say
from waystream.settings import Settings, load

ROLES_HELP = "what this process does, of push,web,apply,rules,jobs,loader; default all"


@in_a_sentence
def up(
    settings: SettingsFile = None,
    data: Data = None,
    port: Port = None,
    host: str | None = None,
    roles: Annotated[str | None, typer.Option(help=ROLES_HELP)] = None,
    push_processes: Annotated[int | None, typer.Option(help="take pushes in so many processes of their own")] = None,
    with_parent: Annotated[bool, typer.Option(help="end when standard input closes")] = False,
    listen_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run Waystream: pages, API, pushes, rules and jobs, with its own PostgreSQL unless one is named."""
    from waystream.kernel.telemetry import configure_logging
    from waystream.supervisor import ending_on_sigterm

    chosen = load(settings, data_folder=data, port=port, host=host, roles=roles, push_processes=push_processes)
    configure_logging(chosen.log_level, json=chosen.log_json)
    with ending_on_sigterm():
        if with_parent or listen_fd is not None:
            end_with_parent()
        if listen_fd is not None:
            _run_child(chosen, listen_fd)
        elif chosen.push_processes:
            _run_many(chosen)
        else:
            _run_alone(chosen)


def _run_alone(chosen: Settings) -> None:
    from waystream.app import build
    from waystream.server import serve, take_port

    with take_port(chosen) as listening, build(chosen) as app:
        _tell_first_login(app)
        serve(app, listening, on_ready=lambda: say.print(f"Waystream is up: [bold]{chosen.address}[/]"))


def _run_many(chosen: Settings) -> None:
    from waystream.supervisor import supervise

    supervise(
        chosen,
        prepare=_tell_first_login,
        on_ready=lambda: say.print(
            f"Waystream is up: [bold]{chosen.address}[/], pushes at [bold]{chosen.push_address}[/]"
        ),
    )


def _run_child(chosen: Settings, listen_fd: int) -> None:
    """One of many: `supervisor` holds the socket and the engine, and hears when we are ready."""
    from waystream.app import build
    from waystream.server import serve
    from waystream.supervisor import READY

    with socket.socket(fileno=listen_fd) as listening, build(chosen) as app:
        serve(app, listening, on_ready=lambda: print(READY, flush=True))


def _tell_first_login(app: Any) -> None:
    from waystream.parts.people.actions import ensure_owner

    with app.machine.begin() as tx:
        first = ensure_owner(tx)
    if first is not None:
        say.print(f"First sign-in: [bold]{first.staff.login}[/] with password [bold]{first.password}[/] (shown once)")


def add(cli: typer.Typer) -> None:
    cli.command()(up)
