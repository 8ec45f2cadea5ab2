"""`waystream ship`."""

from dataclasses import asdict
from typing import Annotated

import typer

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.settings import load


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

    with attached(load(settings, data_folder=data)) as app:
        shipped = app.machine.run(lambda tx: ship_numbers(tx, numbers, shop=shop, carrier=carrier, actor="system"))
    if json:
        print(to_json([asdict(row) for row in shipped]))
    else:
        for row in shipped:
            say.print(f"{row.number}: {row.outcome} {row.reason}")


def add(cli: typer.Typer) -> None:
    cli.command()(ship)
