"""`waystream sandbox`."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from waystream.cli._form import end_with_parent, in_a_sentence


@in_a_sentence
def sandbox(
    push_url: Annotated[str, typer.Option(help="where tracking pushes go")],
    merchant: Annotated[str, typer.Option(help="our id at this network")] = "1237100",
    key: Annotated[str, typer.Option(envvar="WAYSTREAM_NETWORK_KEY", help="key both sides sign with")] = "sandbox",
    data: Annotated[Path, typer.Option(help="folder of its book of waybills")] = Path("data/sandbox"),
    port: int = 8601,
    seed: int = 1,
    speed: Annotated[float, typer.Option(help="business seconds in one second")] = 1.0,
    anchor_business: Annotated[str, typer.Option(help="business time (ISO) at the machine's anchor; empty: now")] = "",
    anchor_machine: Annotated[str, typer.Option(help="machine time (ISO) of the anchor; empty: now")] = "",
    demo_mix: Annotated[bool, typer.Option(help="make rare fates frequent")] = False,
    trouble: Annotated[list[str] | None, typer.Option(help="a fate's share of all parcels, as stalled=0.02")] = None,
    storm_hub: Annotated[str, typer.Option(help="a hub in which nothing moves for a while, as 武汉")] = "",
    storm_after_h: Annotated[float, typer.Option(help="… so many business hours after the start")] = 72.0,
    storm_h: Annotated[float, typer.Option(help="… for so many business hours")] = 60.0,
    message_secret: Annotated[
        str, typer.Option(envvar="WAYSTREAM_MESSAGE_SECRET", help="a shop's message port that trusts this; empty: none")
    ] = "",
    with_parent: Annotated[bool, typer.Option(help="end when standard input closes")] = False,
) -> None:
    """A carrier network of our own: takes e-waybills, moves parcels, pushes scans."""
    from waystream.sandbox.clock import machine_now
    from waystream.sandbox.server import run
    from waystream.sandbox.settings import Customer, SandboxSettings
    from waystream.sandbox.storm import Storm
    from waystream.sandbox.world import parse_shares

    if with_parent:
        end_with_parent()
    begins_at = datetime.fromisoformat(anchor_business) if anchor_business else machine_now()
    storm_at = begins_at + timedelta(hours=storm_after_h)
    run(SandboxSettings(
        folder=data, customers=(Customer(merchant, key, push_url),), port=port, seed=seed, speed=speed,
        anchor_business=begins_at,
        anchor_machine=datetime.fromisoformat(anchor_machine) if anchor_machine else machine_now(),
        demo_mix=demo_mix, trouble=parse_shares(trouble or ()),
        storm=Storm(storm_hub, storm_at, storm_at + timedelta(hours=storm_h)) if storm_hub else None,
        message_secret=message_secret,
    ))  # fmt: skip


def add(cli: typer.Typer) -> None:
    cli.command()(sandbox)
