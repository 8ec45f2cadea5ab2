"""PostgreSQL's own programs (pg_basebackup, pg_verifybackup …) of the version we run, as this process's user.

A password reaches them in their environment, never on a command line that others can list.
"""

import os
import subprocess

from psycopg.conninfo import conninfo_to_dict

from waystream.core.errors import Unavailable
from waystream.kernel.server_account import find_binaries


def tool_command(program: str, *arguments: str) -> list[str]:
    return [str(find_binaries() / program), *arguments]


def tool_environment(url: str = "") -> dict[str, str]:
    """What a program needs to reach the server at `url`; its messages are English, for the sentence on failure."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    told = {names[key]: str(value) for key, value in conninfo_to_dict(url).items() if key in names}
    return os.environ | told | {"LC_ALL": "C", "PGTZ": "UTC"}


def run_tool(program: str, *arguments: str, url: str = "") -> str:
    """What it printed. Raises `Unavailable` with its last words when it fails."""
    done = subprocess.run(
        tool_command(program, *arguments), env=tool_environment(url), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Unavailable(f"{program} failed: {last_line(done.stderr)}")
    return done.stdout


def last_line(said: str) -> str:
    """The last thing a program complained of."""
    return ([line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"])[-1]
