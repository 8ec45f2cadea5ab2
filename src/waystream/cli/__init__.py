"""The command line, thin: parse, call, print. An open list: a module here is a command, or a group of them.

Each module has `add(cli)`. `--json` where a program may read it, progress where a person waits. Nothing is imported
before `main` is there to say nothing about a Ctrl-C of the first second.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def build() -> "typer.Typer":
    """Every command of the open list."""
    import typer

    from waystream import cli as commands
    from waystream.kernel import open_list

    cli = typer.Typer(
        help="Waystream: the logistics data backbone. From 'ship' to 'signed', by itself.",
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    )  # fmt: skip
    for command in open_list.load(commands):
        open_list.require(command, "add")
        command.add(cli)
    return cli


def main() -> None:
    """The entry point of the `waystream` command."""
    try:
        build()()
    except KeyboardInterrupt:
        sys.exit(130)
