"""`waystream silence`: who is silent for too long, what is slow, what is allowed; another budget, tried or set."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.kernel.tx import Tx
from waystream.settings import load

ACTOR = "system"


@in_a_sentence
def show(settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """How many parcels are stalled, which slow-downs last, and what the budget of alerts means."""
    from waystream.parts.silence import reading

    with attached(load(settings, data_folder=data)) as app, app.machine.begin(read_only=True) as tx:
        counts, book = reading.count(tx), reading.get_book(tx)
        told = {
            **asdict(counts),
            "budget": asdict(reading.preview(tx, book.budget, under_way=counts.under_way)),
            "gaps": book.gaps,
            "slowdowns": [asdict(row) for row in reading.list_slowdowns(tx) if row.ended_at is None],
            "silent": [asdict(row) for row in reading.list_silent(tx)],
        }
    if json:
        print(to_json(told))
        return
    say.print(
        f"{counts.stalled} parcels are stalled, {counts.asked} are being asked for, {counts.slowed} are held by "
        f"{len(told['slowdowns'])} slow-downs; {counts.under_way} are under way."
    )
    say.print(_means(told["budget"]))


@in_a_sentence
def patience(settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """How long silence may last by carrier, lane and stage, in working hours, and from how much history."""
    from waystream.parts.silence import reading

    with attached(load(settings, data_folder=data)) as app, app.machine.begin(read_only=True) as tx:
        rows = reading.list_allowed(tx, limit=reading.SHOWN_MAX)
    if json:
        print(to_json([asdict(row) for row in rows]))
        return
    table = Table("carrier", "lane", "stage", "usual h", "overdue h", "gaps", "waiting", box=None)
    for row in rows:
        table.add_row(
            row.carrier or "*", row.lane or "*", row.stage, f"{row.usual_h:.1f}", f"{row.hours:.1f}", f"{row.gaps:.0f}",
            f"{row.waiting:.0f}",
        )  # fmt: skip
    say.print(table)


@in_a_sentence
def budget(
    alerts: Annotated[float, typer.Argument(help="alerts a day for a thousand parcels under way")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what it would mean and change nothing")] = False,
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Set the budget of alerts; the due times of all parcels follow."""
    from waystream.parts.silence import history, reading

    def work(tx: Tx) -> Any:
        if not dry_run:
            history.set_budget(tx, alerts, actor=ACTOR)
        return reading.preview(tx, alerts, under_way=reading.count(tx).under_way)

    with attached(load(settings, data_folder=data)) as app:
        meaning = asdict(app.machine.run(work))
    print(to_json(meaning) if json else _means(meaning))


def _means(meaning: dict[str, Any]) -> str:
    if meaning["times"] is None:
        return (
            f"A budget of {meaning['budget']:g} alerts a day for a thousand parcels; without history a table decides."
        )
    kept = "" if meaning["kept"] else " It cannot be kept."
    return (
        f"A budget of {meaning['budget']:g} alerts a day for a thousand parcels: about {meaning['a_day']:.1f} a day "
        f"now, overdue after {meaning['times']:.1f} times the usual silence, drawn halfway to that of all.{kept}"
    )


def add(cli: typer.Typer) -> None:
    group = typer.Typer(help="Parcels that are silent for too long.", no_args_is_help=True)
    group.command("show")(show)
    group.command("patience")(patience)
    group.command("budget")(budget)
    cli.add_typer(group, name="silence")
