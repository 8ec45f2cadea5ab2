"""`waystream rules`: where each rule stands, and what can be asked of one."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.core.errors import Invalid, Missing
from waystream.kernel.dispatcher import Rule, list_rules
from waystream.kernel.rule_cursor import Standing
from waystream.kernel.rule_mending import Start
from waystream.kernel.rule_request import Request
from waystream.kernel.tx import Tx
from waystream.settings import load

ACTOR = "system"

Reason = Annotated[str, typer.Option(help="why, for the audit")]


@in_a_sentence
def list_all(settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """Every rule: where it stands, how far it is behind, what it parked, why it is halted."""
    from waystream.kernel import rule_mending

    with attached(load(settings, data_folder=data)) as app, app.machine.begin(read_only=True) as tx:
        rules = list_rules(app.rules)
        standings = rule_mending.list_standings(tx, rules)
    if json:
        print(to_json([_as_object(rules.get(standing.rule), standing) for standing in standings]))
        return
    table = Table("rule", "position", "behind", "parked", "waiting", "halted", box=None)
    for each in standings:
        table.add_row(each.rule, str(each.position), str(each.lag), str(each.poison), str(each.waiting), each.halted)
    say.print(table)


@in_a_sentence
def show(rule: str, settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """A rule: its sentence, what it parked and why, what was asked of it and what came of that."""
    from waystream.kernel import rule_mending

    with attached(load(settings, data_folder=data)) as app, app.machine.begin(read_only=True) as tx:
        known, standing = list_rules(app.rules).get(rule), rule_mending.get_standing(tx, rule)
        poison, requests = rule_mending.list_poison(tx, rule), rule_mending.list_requests(tx, rule)
    if json:
        told = [asdict(each) for each in poison], [asdict(each) for each in requests]
        print(to_json(_as_object(known, standing) | {"parked": told[0], "requests": told[1]}))
        return
    say.print(known.sentence if known else "This rule is no more.")
    say.print(f"It stands at {standing.position}, {standing.lag} behind the log. {standing.halted}")
    for each in poison:
        say.print(f"event {each.event_id} {each.name} {each.subject}: {each.error} ({each.waiting} wait behind it)")
    for request in requests:
        _tell(request)


@in_a_sentence
def retry(rule: str, settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """Have what the rule parked tried again, by the running Waystream."""
    from waystream.kernel import rule_mending

    _ask(settings, data, json, lambda tx, _: rule_mending.ask_retry(tx, rule, actor=ACTOR))


@in_a_sentence
def skip(
    rule: str,
    event: int,
    reason: Reason,
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Give up one parked event: the rule never digests it, what waited behind it is tried."""
    from waystream.kernel import rule_mending

    _ask(settings, data, json, lambda tx, _: rule_mending.give_up(tx, rule, event, actor=ACTOR, reason=reason))


@in_a_sentence
def resume(rule: str, reason: Reason, settings: SettingsFile = None, data: Data = None, json: Json = False) -> None:
    """Let a halted rule go on with what is parked left aside."""
    from waystream.kernel import rule_mending

    _ask(settings, data, json, lambda tx, _: rule_mending.resume(tx, rule, actor=ACTOR, reason=reason))


@in_a_sentence
def replay(
    rule: str,
    position: Annotated[int | None, typer.Option("--from", help="first position of the log to read again")] = None,
    since: Annotated[datetime | None, typer.Option(help="business time to read again from, UTC")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="count what it would do and change nothing")] = False,
    reason: Reason = "",
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Let a repeatable rule read the log again from there; newer events wait until it is through."""
    from waystream.kernel import rule_mending

    if (position is None) == (since is None):
        raise Invalid("from", "Say where it begins: --from POSITION or --since TIME.")
    if not dry_run and not reason:
        raise Invalid("reason", "A replay needs a --reason.")
    start = Start(position, since.replace(tzinfo=UTC) if since else None)

    def ask(tx: Tx, rules: dict[str, Rule]) -> Request:
        if dry_run:
            return rule_mending.ask_dry_run(tx, rule, start, actor=ACTOR, reason=reason)
        if rule not in rules:
            raise Missing("There is no such rule.")
        return rule_mending.replay(tx, rules[rule], start, actor=ACTOR, reason=reason)

    _ask(settings, data, json, ask)


def _ask(settings: Any, data: Any, json: bool, deed: Callable[[Tx, dict[str, Rule]], Request]) -> None:
    with attached(load(settings, data_folder=data)) as app:
        rules = list_rules(app.rules)
        request = app.machine.run(lambda tx: deed(tx, rules))
    if json:
        print(to_json(asdict(request)))
    else:
        _tell(request)


def _tell(request: Request) -> None:
    say.print(
        f"request {request.id} {request.wish} {request.state}: {request.events} events, {request.undigested} "
        f"undigested, {request.emitted} emitted, {request.enqueued} jobs {request.error}"
    )


def _as_object(rule: Rule | None, standing: Standing) -> dict[str, Any]:
    return asdict(standing) | {
        "sentence": rule.sentence if rule else "",
        "sentence_zh": rule.sentence_zh if rule else "",
        "repeatable": rule.repeatable if rule else False,
    }


def add(cli: typer.Typer) -> None:
    group = typer.Typer(help="Rules seen and mended.", no_args_is_help=True)
    group.command("list")(list_all)
    for command in (show, retry, skip, resume, replay):
        group.command()(command)
    cli.add_typer(group, name="rules")
