"""`waystream numbers`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, to_json
from waystream.core.errors import Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.settings import load

FILE_BYTES_MAX = 8 << 20


@in_a_sentence
def add_numbers(
    file: Path,
    account: Annotated[str, typer.Option(help="name of the carrier account")],
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Hand in numbers a carrier assigned beforehand: a text file, one a line, or ranges with a hyphen."""
    from waystream.parts.fulfilment import ranges
    from waystream.parts.fulfilment.ranges import AddedNumbers
    from waystream.parts.hub import actions as hub

    told = _read(file)

    def work(tx: Tx) -> AddedNumbers:
        found = next((row for row in hub.list_accounts(tx) if row.name == account), None)
        if found is None:
            raise Missing("There is no such carrier account.")
        return ranges.add_numbers(tx, found.id, told, actor="system")

    with attached(load(settings, data_folder=data)) as app:
        added = app.machine.run(work)
    print(to_json(asdict(added)) if json else f"{added.added} numbers added, {added.known} were known already")


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise Invalid("file", "The file is larger than 8 MB: hand it in in parts.")
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise Invalid("file", f"{file.name} cannot be read as text in UTF-8.") from None


def add(cli: typer.Typer) -> None:
    group = typer.Typer(help="Numbers assigned beforehand.", no_args_is_help=True)
    group.command("add")(add_numbers)
    cli.add_typer(group, name="numbers")
