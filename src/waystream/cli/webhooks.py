"""`waystream webhooks`."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import Progress

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.core.errors import Invalid
from waystream.settings import load


@in_a_sentence
def list_webhooks(settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """List the endpoints of every shop: where they are, whether they are called, what waits for them."""
    from waystream.parts.webhooks import actions

    with attached(load(settings, data_folder=data)) as app, app.machine.begin(read_only=True) as tx:
        found = actions.list_endpoints(tx)
    if json:
        print(to_json({"webhooks": [asdict(each) for each in found]}))
        return
    for each in found:
        state = f"off ({each.disabled_why})" if each.disabled_why else "on"
        print(f"{each.id}  {each.shop}  {each.url}  {state}  {each.waiting} waiting, {each.given_up} given up")


@in_a_sentence
def replay(
    webhook: Annotated[int, typer.Argument(min=1, help="the endpoint, as `waystream webhooks list` numbers it")],
    since: Annotated[str, typer.Option(help="events recorded from then on: 2026-11-11T00:00+08:00")],
    until: Annotated[str, typer.Option(help="and before then; empty: until now")] = "",
    delivered_too: Annotated[bool, typer.Option("--all", help="also what was delivered")] = False,
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Send what happened in a time once more to an endpoint: what was not delivered, or all of it."""
    with attached(load(settings, data_folder=data)) as app, Progress(console=say, transient=True) as progress:
        bar = progress.add_task("queued", total=None)
        end = _read("until", until) if until else app.clock.now()
        queued, after, more = 0, 0, True
        while more:
            again = _replay(app, webhook, since=_read("since", since), until=end, all=delivered_too, after=after)
            queued, after, more = queued + again.queued, again.last, again.more
            progress.update(bar, completed=queued)
    print(to_json({"queued": queued}) if json else f"{queued} deliveries are queued")


def _replay(app: Any, webhook: int, *, since: datetime, until: datetime, all: bool, after: int) -> Any:
    from waystream.parts.webhooks import actions

    return app.machine.run(
        lambda tx: actions.replay(tx, webhook, since=since, until=until, delivered_too=all, after=after, actor="system")
    )


def _read(name: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(name, f"--{name} has to be an instant like 2026-11-11T00:00+08:00, not {text!r}.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def add(cli: typer.Typer) -> None:
    group = typer.Typer(help="What other systems are told of events.", no_args_is_help=True)
    group.command("list")(list_webhooks)
    group.command("replay")(replay)
    cli.add_typer(group, name="webhooks")
