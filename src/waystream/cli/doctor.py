"""`waystream doctor`."""

from dataclasses import asdict
from typing import Any

import typer

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.settings import Settings, load


@in_a_sentence
def doctor(settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """Engines, versions and invariants, in words."""
    from waystream.doctor import check
    from waystream.kernel.engines import list_engines

    chosen = load(settings, data_folder=data)
    with attached(chosen) as app, app.machine.begin(read_only=True) as tx:
        versions = list_engines(tx)
        findings = check(tx, app.invariants)
    findings += _check_streams(chosen)
    broken = [finding for finding in findings if not finding.holds]
    if json:
        print(to_json({"engines": versions, "invariants": [asdict(finding) for finding in findings]}))
    else:
        for name, version in versions.items():
            say.print(f"{name:12} {version}")
        for finding in findings:
            say.print(f"[green]holds[/]  {finding.sentence}" if finding.holds else f"[red]BROKEN[/] {finding.sentence}")
            for row in finding.broken:
                say.print(f"         {row}")
    if broken:
        raise typer.Exit(1)


def _check_streams(chosen: Settings) -> list[Any]:
    from waystream.app import jetstream_place
    from waystream.doctor import check_streams
    from waystream.kernel.jetstream import JetStream

    if not chosen.nats_url:
        return []
    with JetStream(jetstream_place(chosen)) as jetstream:
        return check_streams(chosen, jetstream)


def add(cli: typer.Typer) -> None:
    cli.command()(doctor)
