"""`waystream catalogue`."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.kernel.sheet_file import ImportedRows
from waystream.kernel.tx import Tx
from waystream.settings import load


class CatalogueKind(StrEnum):
    SKUS = "skus"
    WAREHOUSES = "warehouses"
    ACCOUNTS = "accounts"


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

    with attached(load(settings, data_folder=data)) as app, Progress(console=say, transient=True) as progress:
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
    print(to_json(asdict(done)) if json else f"{done.rows} rows, {done.changed} new or changed{ignored}")


def add(cli: typer.Typer) -> None:
    group = typer.Typer(help="Goods, warehouses and carrier accounts in.", no_args_is_help=True)
    group.command("import")(import_catalogue)
    cli.add_typer(group, name="catalogue")
