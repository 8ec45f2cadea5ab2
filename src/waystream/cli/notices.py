"""`waystream notices`."""

from dataclasses import asdict
from typing import Annotated

import typer

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, to_json
from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.settings import load


@in_a_sentence
def list_notices(
    state: Annotated[str, typer.Option(help="planned, sending, handed, delivered, refused or dropped")] = "",
    kind: Annotated[str, typer.Option(help="shipped, delayed … or said")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="at most so many")] = 20,
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List messages to buyers, the newest first: to whom (masked), what became of them, and why not."""
    from waystream.parts.notices import reading
    from waystream.parts.notices.store_lists import Filters

    with attached(load(settings, data_folder=data)) as app, app.machine.begin(read_only=True) as tx:
        found = reading.list_notices(tx, Filters(state=state, kind=kind), limit=limit)
    if json:
        print(to_json({"notices": [asdict(each) for each in found]}))
        return
    for each in found:
        outcome = f"{each.state} ({each.why})" if each.why else each.state
        by = f"{each.channel or '-'}  {each.to_mask or '-'}"
        print(f"{each.id}  {each.shop}  {each.order}  {each.kind}  {by}  {outcome}")


@in_a_sentence
def switch(
    shop: Annotated[str, typer.Argument(help="the shop's code")],
    on: Annotated[bool, typer.Option("--on/--off", help="whether its buyers are told what happens")],
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Let a shop speak to its buyers, or not."""
    from dataclasses import replace

    from waystream.parts.notices import actions
    from waystream.parts.shops import actions as shops

    def work(tx: Tx) -> None:
        found = shops.find_shop(tx, shop)
        if found is None:
            raise Missing("There is no such shop.")
        policy = replace(actions.get_policy(tx, found.id), enabled=on)
        actions.save_policy(tx, found.id, policy, actor="system")

    with attached(load(settings, data_folder=data)) as app:
        app.machine.run(work)
    told = "are told what happens to their orders" if on else "are told nothing by themselves"
    print(to_json({"shop": shop, "enabled": on}) if json else f"Buyers of {shop} {told}")


@in_a_sentence
def list_kinds(settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """List what a buyer can be told."""
    from waystream.parts.notices.kinds import load_kinds

    kinds = load_kinds()
    if json:
        print(to_json({"kinds": [{"name": each.name, "title": dict(each.title)} for each in kinds.values()]}))
        return
    for each in kinds.values():
        print(f"{each.name}  {each.title['en']}  {each.title['zh']}")


def add(cli: typer.Typer) -> None:
    group = typer.Typer(help="What buyers are told.", no_args_is_help=True)
    group.command("list")(list_notices)
    group.command("switch")(switch)
    group.command("kinds")(list_kinds)
    cli.add_typer(group, name="notices")
