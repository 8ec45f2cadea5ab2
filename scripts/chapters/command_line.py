"""Every command with its options, from the command line itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from scripts.chapters.markdown import codes, table
from waystream.cli import build

TITLE = "Command line"
ABOUT = """Every command of `waystream` with its options.

An error we know is one sentence and exit code 1. `--json` prints one object where a program may read it."""


def page() -> str:
    return "\n".join(_section(name, command) for name, command in list_commands())


def list_commands(command: Any = None, name: str = "waystream") -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its whole name. (typer carries its own click: hence the loose types.)"""
    command = command or typer.main.get_command(build())
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for part, child in children.items():
        yield from list_commands(child, f"{name} {part}")


def _section(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    wanted = [each.name.upper() + ("…" if each.nargs == -1 else "") for each in arguments]
    usage = " ".join([name, *wanted, *(["[OPTIONS]"] if options else [])])
    told = f"## {name}\n\n{(command.help or '').strip()}\n\n```\n{usage}\n```\n"
    rows = [(codes(_names(option)), _default(option), option.help or "") for option in options]
    return told + ("\n" + table(("option", "default", "what"), rows) if rows else "")


def _names(option: Any) -> list[str]:
    return [name for name in (*option.opts, *option.secondary_opts) if not name.startswith("--no-")]


def _default(option: Any) -> str:
    if option.required:
        return "required"
    value = option.default
    if option.is_flag or value in (None, ""):
        return ""
    return codes([value.as_posix() if isinstance(value, Path) else value])
