"""`waystream backup` and `waystream restore`."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from waystream.cli._form import Data, Json, SettingsFile, attached, in_a_sentence, say, to_json
from waystream.core.errors import Invalid
from waystream.settings import Settings, load

To = Annotated[Path | None, typer.Option("--to", help="folder of the backups (default: the setting backup_folder)")]
From = Annotated[Path | None, typer.Option("--from", help="folder of the backups (default: the setting backup_folder)")]
Keep = Annotated[int | None, typer.Option(min=1, max=10_000, help="how many backups stay; older ones are removed")]
At = Annotated[str, typer.Option(help="restore what was there at this time, such as 2026-11-12T14:30+08:00")]
Name = Annotated[str, typer.Option("--backup", help="start from this backup (default: the newest that fits)")]
MIB = 1024 * 1024


@in_a_sentence
def backup(
    to: To = None, keep: Keep = None, settings: SettingsFile = None, data: Data = None, json: Json = False
) -> None:
    """Keep everything but the key, while Waystream runs: the database, the files beside it, what they need."""
    chosen = load(settings, data_folder=data)
    folder = _folder(to, chosen)
    with attached(chosen) as app, say.status(f"Backing up into {folder} …"):
        done, removed = app.keep_backup(folder, keep=keep)
    if json:
        print(to_json({"backup": asdict(done), "removed": removed, "folder": str(folder / done.name)}))
        return
    say.print(f"[bold]{folder / done.name}[/]: {done.bytes / MIB:.1f} MiB in {done.seconds:.1f} s")
    if removed:
        say.print(f"Removed: {', '.join(removed)}")
    if done.wal is None:
        say.print(
            "The database is your own PostgreSQL and is [bold]not[/] in this backup: keep it with pg_basebackup and "
            "WAL archiving (pgBackRest, Barman, your provider's snapshots). These are the files beside it."
        )
    say.print(f"The key is not in it: keep {done.key_file} (fingerprint {done.key_fingerprint}) in another place.")


@in_a_sentence
def restore(
    source: From = None,
    at: At = "",
    backup: Name = "",
    settings: SettingsFile = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Bring a backup back into an empty data folder, to its last moment or to a time, and check every invariant."""
    from waystream.restoration import bring_back

    chosen = load(settings, data_folder=data)
    folder = _folder(source, chosen)
    with say.status(f"Restoring from {folder} …"):
        told = bring_back(chosen, folder, at=_moment(at), name=backup)
    broken = [finding for finding in told.findings if not finding.holds]
    if json:
        print(to_json(asdict(told)))
    else:
        said = f"{told.restored.reached:%Y-%m-%d %H:%M:%S} UTC" if told.restored.reached else "the backup's own end"
        say.print(f"[bold]{chosen.data_folder}[/] is as it was at {said}, in {told.restored.seconds:.1f} s.")
        if told.asked_beyond:
            say.print("[yellow]Nothing later was kept[/]: what happened between that and the time you named is lost.")
        for line in told.sentences:
            say.print(line)
        for finding in broken:
            say.print(f"[red]BROKEN[/] {finding.sentence}")
        if not broken:
            say.print(f"[green]All {len(told.findings)} invariants hold.[/]")
    if broken:
        raise typer.Exit(1)


def _folder(given: Path | None, settings: Settings) -> Path:
    folder = given or settings.backup_folder
    if folder in (None, Path("")):
        raise Invalid("backup_folder", "Name the folder of the backups: --to or --from, or the setting backup_folder.")
    return folder.expanduser().absolute()


def _moment(text: str) -> datetime | None:
    """A time without a zone is the machine's."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise Invalid("at", f"--at takes a time such as 2026-11-12T14:30+08:00, not {text}.") from None


def add(cli: typer.Typer) -> None:
    cli.command()(backup)
    cli.command()(restore)
