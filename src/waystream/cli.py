"""The command line, thin: parse, call, print. `--json` where a program may read it, progress where a person waits."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from waystream.core.errors import InvalidMany, WaystreamError
from waystream.kernel.sheet_file import ImportedRows
from waystream.kernel.tx import Tx
from waystream.settings import Settings, load

cli = typer.Typer(
    help="Waystream: the logistics data backbone. From 'ship' to 'signed', by itself.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
)  # fmt: skip
orders_cli = typer.Typer(help="Orders in.", no_args_is_help=True)
catalogue_cli = typer.Typer(help="Goods, warehouses and carrier accounts in.", no_args_is_help=True)
cli.add_typer(orders_cli, name="orders")
cli.add_typer(catalogue_cli, name="catalogue")
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
def _attached(settings: Settings) -> Iterator[Any]:
    """An app with the database open but nothing running: beside a server, or alone."""
    from waystream.app import build

    app = build(settings)
    app.attach()
    try:
        yield app
    finally:
        app.stop()


@cli.command()
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


@cli.command()
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

    settings = load(None, data_folder=data or Path("data/demo"), port=port, clock_speed=speed, log_level="warning")
    report = run_demo(settings, seconds=seconds, say=say.print)
    if json:
        print(_json(asdict(report)))


@cli.command()
@in_a_sentence
def sandbox(
    push_url: Annotated[str, typer.Option(help="where tracking pushes go")],
    merchant: Annotated[str, typer.Option(help="our id at this network")] = "1237100",
    key: Annotated[str, typer.Option(envvar="WAYSTREAM_NETWORK_KEY", help="key both sides sign with")] = "sandbox",
    data: Annotated[Path, typer.Option(help="folder of its book of waybills")] = Path("data/sandbox"),
    port: int = 8601,
    seed: int = 1,
    speed: Annotated[float, typer.Option(help="business seconds in one second")] = 1.0,
    anchor_business: Annotated[str, typer.Option(help="business time (ISO) at the machine's anchor; empty: now")] = "",
    anchor_machine: Annotated[str, typer.Option(help="machine time (ISO) of the anchor; empty: now")] = "",
    demo_mix: Annotated[bool, typer.Option(help="make rare fates frequent")] = False,
    with_parent: Annotated[bool, typer.Option(help="end when standard input closes")] = False,
) -> None:
    """A carrier network of our own: takes e-waybills, moves parcels, pushes scans."""
    from waystream.sandbox.clock import machine_now
    from waystream.sandbox.server import run
    from waystream.sandbox.settings import Customer, SandboxSettings

    if with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    run(SandboxSettings(
        folder=data, customers=(Customer(merchant, key, push_url),), port=port, seed=seed, speed=speed,
        anchor_business=datetime.fromisoformat(anchor_business) if anchor_business else machine_now(),
        anchor_machine=datetime.fromisoformat(anchor_machine) if anchor_machine else machine_now(),
        demo_mix=demo_mix,
    ))  # fmt: skip


def _end_with_parent() -> None:
    """Standard input closes when whoever started us ends, however it ends."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


@cli.command()
@in_a_sentence
def migrate(settings: SettingsFile = None, data: Data = None) -> None:
    """Bring the schema up to this version (`up` does it by itself)."""
    with _attached(load(settings, data_folder=data)) as app:
        say.print(", ".join(app.applied) or "The schema is up to date.")


@cli.command()
@in_a_sentence
def doctor(settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """Engines, versions and invariants, in words."""
    from waystream.doctor import check, engines

    with _attached(load(settings, data_folder=data)) as app, app.machine.begin(read_only=True) as tx:
        versions = engines(tx)
        findings = check(tx, app.invariants)
    broken = [finding for finding in findings if not finding.holds]
    if json:
        print(_json({"engines": versions, "invariants": [asdict(finding) for finding in findings]}))
    else:
        for name, version in versions.items():
            say.print(f"{name:12} {version}")
        for finding in findings:
            say.print(f"[green]holds[/]  {finding.sentence}" if finding.holds else f"[red]BROKEN[/] {finding.sentence}")
            for row in finding.broken:
                say.print(f"         {row}")
    if broken:
        raise typer.Exit(1)


@orders_cli.command("import")
@in_a_sentence
def import_orders(
    file: Path,
    shop: Annotated[str, typer.Option(help="code of the shop the orders belong to")],
    mapping: Annotated[str, typer.Option(help="name of a saved column mapping")] = "",
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Import orders from CSV or Parquet: all of them, or none and every bad row by line and reason."""
    from waystream.parts.orders.importing import import_file

    with _attached(load(settings, data_folder=data)) as app, Progress(console=say, transient=True) as progress:
        bar = progress.add_task(file.name, total=None)
        done = app.machine.run(
            lambda tx: import_file(
                tx, file, shop=shop, mapping=mapping, actor="system",
                progress=lambda at, of: progress.update(bar, completed=at, total=of),
            )
        )  # fmt: skip
    print(_json(asdict(done)) if json else f"{done.created} new, {done.changed} changed, {done.unchanged} unchanged")


class CatalogueKind(StrEnum):
    SKUS = "skus"
    WAREHOUSES = "warehouses"
    ACCOUNTS = "accounts"


@catalogue_cli.command("import")
@in_a_sentence
def import_catalogue(
    file: Path,
    kind: Annotated[CatalogueKind, typer.Option(help="what the rows are")],
    shop: Annotated[str, typer.Option(help="code of the shop the goods belong to (skus only)")] = "",
    mapping: Annotated[str, typer.Option(help="name of a saved column mapping")] = "",
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Import goods, warehouses or carrier accounts from CSV or Parquet: all rows, or none and every bad one by line."""
    from waystream.parts.catalogue.importing import import_skus, import_warehouses
    from waystream.parts.hub.importing import import_accounts

    with _attached(load(settings, data_folder=data)) as app, Progress(console=say, transient=True) as progress:
        bar = progress.add_task(file.name, total=None)

        def tell(done: int, of: int) -> None:
            progress.update(bar, completed=done, total=of)

        def work(tx: Tx) -> ImportedRows:
            if kind is CatalogueKind.SKUS:
                return import_skus(tx, file, shop=shop, actor="system", mapping=mapping, progress=tell)
            take = import_warehouses if kind is CatalogueKind.WAREHOUSES else import_accounts
            return take(tx, file, actor="system", mapping=mapping, progress=tell)

        done = app.machine.run(work)
    ignored = f"; columns not read: {', '.join(done.ignored)}" if done.ignored else ""
    print(_json(asdict(done)) if json else f"{done.rows} rows, {done.changed} new or changed{ignored}")


@cli.command()
@in_a_sentence
def ship(
    numbers: list[str],
    shop: Annotated[str, typer.Option(help="code of the shop")],
    carrier: str = "",
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Ship orders: numbers are taken, labels printed, tracking subscribed by the running Waystream."""
    from waystream.parts.fulfilment.actions import ship_numbers

    with _attached(load(settings, data_folder=data)) as app:
        shipped = app.machine.run(lambda tx: ship_numbers(tx, numbers, shop=shop, carrier=carrier, actor="system"))
    if json:
        print(_json([asdict(row) for row in shipped]))
    else:
        for row in shipped:
            say.print(f"{row.number}: {row.outcome} {row.reason}")


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def main() -> None:
    """The entry point of the `waystream` command."""
    try:
        cli()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
