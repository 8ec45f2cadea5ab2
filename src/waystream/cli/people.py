"""`waystream people`."""

from dataclasses import asdict
from typing import Annotated

import typer

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, to_json
from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.settings import load


@in_a_sentence
def erase(
    number: Annotated[str, typer.Argument(help="number of the order whose receiver is to be erased")],
    shop: Annotated[str, typer.Option(help="code of the shop")],
    reason: Annotated[str, typer.Option(help="why, for the audit")],
    same_phone: Annotated[bool, typer.Option(help="also in the shop's other orders with the same phone")] = False,
    yes: Annotated[bool, typer.Option(help="do not ask")] = False,
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a receiver unreadable for good: destroys their key, empties labels, voids what has not left."""
    from waystream.parts.orders import erasing, lists
    from waystream.parts.orders.erasing import Erased

    if not yes:
        typer.confirm(f"Erase the receiver of {shop}:{number}? Nobody will read them again", abort=True, err=True)

    def work(tx: Tx) -> Erased:
        order = lists.find_order(tx, shop, number)
        if order is None:
            raise Missing("There is no such order.")
        return erasing.erase_buyer(tx, order.id, same_phone=same_phone, actor="system", reason=reason)

    with attached(load(settings, data_folder=data)) as app:
        erased = app.machine.run(work)
    print(to_json(asdict(erased)) if json else f"{erased.people} receivers of {len(erased.orders)} orders erased")


def add(cli: typer.Typer) -> None:
    group = typer.Typer(help="People whose data are kept.", no_args_is_help=True)
    group.command("erase")(erase)
    cli.add_typer(group, name="people")
