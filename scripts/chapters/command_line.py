"""Every command with its options, from the command line itself."""

from collections.abc import Iterator
from pathlib import Path

import click
import typer

from scripts.chapters.markdown import code, table
from waystream.cli import cli

TITLE = "Command line"
ABOUT = """Every command of `waystream` with its options.

An error we know is one sentence and exit code 1. `--json` prints one object where a program may read it."""


def page() -> str:
    return "\n".join(
        _section(name, command) for name, command in list_commands(typer.main.get_command(cli), "waystream")
    )


def list_commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its whole name."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for part, child in sorted(command.commands.items()):
        yield from list_commands(child, f"{name} {part}")


def _section(name: str, command: click.Command) -> str:
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    usage = " ".join([name, *(f"{each.name or ''}".upper() + ("…" if each.nargs == -1 else "") for each in arguments),
                      "[OPTIONS]" if options else ""]).strip()  # fmt: skip
    told = f"## {name}\n\n{(command.help or '').strip()}\n\n```\n{usage}\n```\n"
    rows = [(codes_of(option), _default(option), option.help or "") for option in options]
    return told + ("\n" + table(("option", "default", "what"), rows) if rows else "")


def codes_of(option: click.Option) -> str:
    return ", ".join(code(name) for name in (*option.opts, *option.secondary_opts) if not name.startswith("--no-"))


def _default(option: click.Option) -> str:
    if option.required:
        return "required"
    value = option.default
    if option.is_flag or value is None or value == "":
        return ""
    return code(value.as_posix() if isinstance(value, Path) else value)
