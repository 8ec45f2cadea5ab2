"""`waystream replay`: kept pushes read again with today's tables; first what would change, with --apply the change."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.settings import load

if TYPE_CHECKING:
    from waystream.app import App
    from waystream.parts.tracking.replaying import Selection

ACTOR = "system"
LISTED_AT_MOST = 1_000
SHOWN_AT_MOST = 20


@in_a_sentence
def replay(
    since: Annotated[str, typer.Option(help="pushes that came since, ISO 8601 (default: all that are kept)")] = "",
    until: Annotated[str, typer.Option(help="pushes that came before, ISO 8601 (default: now)")] = "",
    carrier: Annotated[str, typer.Option(help="only what is told of this carrier, such as YTO")] = "",
    number: Annotated[str, typer.Option(help="only what is told of this waybill number")] = "",
    code: Annotated[str, typer.Option(help="only waybills told with this code, such as 299")] = "",
    parcel: Annotated[int | None, typer.Option(help="only the numbers of this parcel")] = None,
    go_on: Annotated[int | None, typer.Option("--id", help="go on with this replay instead of a new one")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="write what differs, once")] = False,
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Read kept pushes again with today's tables: show what would change; with --apply, change it once."""
    from waystream.parts.tracking import replaying
    from waystream.parts.tracking.replaying import Selection

    given = load(settings, data_folder=data)
    with attached(given) as app:
        now = app.clock.now()
        selection = Selection(
            _instant("since", since) or now - timedelta(days=given.push_kept_days + 1),
            _instant("until", until) or now + timedelta(seconds=1),
            carrier, number, code, parcel,
        )  # fmt: skip
        replay_id = go_on or _begin(app, selection)
        _run(app, replay_id, "reading")
        report = app.machine.run(lambda tx: _report(tx, replay_id))
        if apply and report.state == "compared":
            app.machine.run(lambda tx: replaying.apply(tx, replay_id, actor=ACTOR, by_job=False))
            _run(app, replay_id, "applying")
            report = app.machine.run(lambda tx: _report(tx, replay_id))
    print(to_json(asdict(report)) if json else _in_words(report))


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay found, for programs too. `orders` are (id, word before, word after)."""

    id: int
    state: str
    pushes: int
    unread: int
    scans: int
    claims: int
    parcels: int
    moved: int
    applied: int
    quarantined: int
    refused: int
    taken: int
    events: dict[str, int]
    codes: list[dict[str, str | int]]
    changed: list[dict[str, str | int | list[str]]]
    orders: list[tuple[int, str, str]]


def _instant(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        wanted = "2026-11-11 or 2026-11-11T08:00+08:00"
        raise Invalid(name, f"{name} is an instant such as {wanted}, not {text!r}") from None
    return at.astimezone(UTC)


def _begin(app: "App", selection: "Selection") -> int:
    from waystream.parts.tracking import replaying

    return app.machine.run(lambda tx: replaying.begin(tx, selection, actor=ACTOR, by_job=False))


def _run(app: "App", replay_id: int, what: str) -> None:
    """Every step, in this process; a server that is asked to go on with the same replay may take some."""
    from waystream.parts.tracking import replaying

    with Progress(console=say, transient=True) as progress:
        bar = progress.add_task(what, total=None)
        while app.machine.run(lambda tx: replaying.carry_on(tx, replay_id, app.networks)):
            found = app.machine.run(lambda tx: replaying.look(tx, replay_id))
            done, of = (found.counts.applied, found.counts.parcels) if what == "applying" else (
                found.replay.pushes, found.replay.pushes_of)  # fmt: skip
            progress.update(bar, completed=done, total=of)


def _report(tx: Tx, replay_id: int) -> Report:
    from waystream.parts.orders import actions as orders
    from waystream.parts.tracking import replaying

    found = replaying.look(tx, replay_id)
    changed = replaying.list_changed(tx, replay_id, limit=LISTED_AT_MOST)
    moving = orders.foresee(tx, {row.parcel_id: (row.state, row.kind, row.direction) for row in changed})
    return Report(
        id=replay_id, state=found.replay.state, pushes=found.replay.pushes, unread=found.replay.unread,
        **asdict(found.counts),
        events=dict(Counter(name for row in changed for name in row.events).most_common()),
        codes=[asdict(row) for row in found.codes],
        changed=[asdict(row) for row in changed],
        orders=[(each.order_id, each.before.value, each.after.value) for each in moving],
    )  # fmt: skip


def _in_words(report: Report) -> str:
    done = report.state == "applied"
    lines = [
        f"replay {report.id}: {report.pushes} pushes read, {report.unread} cannot be read any more",
        f"{report.scans} scans and {report.claims} claims {'were' if done else 'would be'} given another meaning; "
        f"{report.moved} of {report.parcels} parcels {'changed' if done else 'would change'} their state",
    ]
    lines += [
        f"  {row['source']} {row['code'] or '(words)'}: {_state(row, '_before')} → {_state(row, '')} × {row['facts']}"
        for row in report.codes
    ]
    lines += [
        f"  parcel {row['parcel_id']}: {_state(row, '_before')} → {_state(row, '')}"
        for row in report.changed[:SHOWN_AT_MOST]
    ]
    lines += [f"  order {order_id}: {before} → {after}" for order_id, before, after in report.orders[:SHOWN_AT_MOST]]
    lines += [f"  event {name} × {times}" for name, times in report.events.items()]
    if report.quarantined or report.refused:
        lines.append(f"{report.quarantined} quarantined pushes can be taken in, {report.refused} still cannot")
    if report.state == "compared" and (report.scans or report.claims or report.quarantined):
        lines.append(f"nothing was written; apply it with: waystream replay --id {report.id} --apply")
    return "\n".join(lines)


def _state(row: dict[str, str | int] | dict[str, str | int | list[str]], when: str) -> str:
    kind = row[f"kind{when}"]
    return f"{row[f'state{when}']}/{kind}" if kind else str(row[f"state{when}"])


def add(cli: typer.Typer) -> None:
    cli.command()(replay)
