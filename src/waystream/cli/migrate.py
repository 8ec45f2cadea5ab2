"""`waystream migrate`."""

import typer

from waystream.cli._form import Data, SettingsFile, attached, in_a_sentence, say
from waystream.settings import load


@in_a_sentence
def migrate(settings: SettingsFile = None, data: Data = None) -> None:
    """Bring the schema up to this version (`up` does it by itself)."""
    with attached(load(settings, data_folder=data)) as app:
        say.print(", ".join(app.applied) or "The schema is up to date.")


def add(cli: typer.Typer) -> None:
    cli.command()(migrate)
