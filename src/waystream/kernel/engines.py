"""What Waystream stands on: names and versions, for the doctor and the page of the machine."""

import platform
from importlib.metadata import version

from waystream.kernel.tx import Tx


def list_engines(tx: Tx) -> dict[str, str]:
    """Name and version of everything Waystream stands on."""
    row = tx.conn.execute("SELECT current_setting('server_version'), max(version) FROM migration").fetchone()
    assert row is not None
    return {
        "waystream": version("waystream"),
        "python": platform.python_version(),
        "postgresql": row[0],
        "schema": str(row[1]),
    }
