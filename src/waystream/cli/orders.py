"""`waystream orders`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.settings import load


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

    with attached(load(settings, data_folder=data)) as app, Progress(console=say, transient=True) as progress:
        bar = progress.add_task(file.name, total=None)
        done = app.machine.run(
            lambda tx: import_file(
                tx, file, shop=shop, mapping=mapping, actor="system",
                progress=lambda at, of: progress.update(bar, completed=at, total=of),
            )
        )  # fmt: skip
    print(to_json(asdict(done)) if json else f"{done.created} new, {done.changed} changed, {done.unchanged} unchanged")


def add(cli: typer.Typer) -> None:
    group = typer.Typer(help="Orders in.", no_args_is_help=True)
    group.command("import")(import_orders)
    cli.add_typer(group, name="orders")
