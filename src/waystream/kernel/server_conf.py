"""What the embedded server is told: its configuration, its door, and the passwords of its roles.

The file is written anew at each start; an operator's own settings go in by ALTER SYSTEM. What the server logs can hold
no personal data: no statement, parameter, DETAIL or message of a failed query is written.
"""

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from waystream.kernel.files import write_whole

DATABASE = "waystream"
PORT = 5432
SOCKET_PATH_LIMIT = 100  # sockaddr_un holds 107 bytes; the lock file beside the socket is longer than its name

CONF = """\
# Written by Waystream at each start. Your own settings: ALTER SYSTEM, which writes postgresql.auto.conf.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
wal_compression = on
max_wal_size = 2GB
# A backup disk that is full or gone for a while is waited for; then the database goes on without it.
max_slot_wal_keep_size = 8GB
wal_sender_timeout = 20s
synchronous_commit = on
fsync = {fsync}
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
jit = off
log_destination = 'stderr'
logging_collector = on
log_directory = 'log'
log_filename = 'postgres-%Y%m%d-%H%M%S.log'
log_rotation_size = 10MB
log_rotation_age = 1d
log_line_prefix = '%m [%p] '
log_lock_waits = on
# Nothing of a query may reach the log: names, phones and addresses pass through queries.
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_duration = off
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""

HBA = """\
# Written by Waystream at each start.
local all all scram-sha-256
local replication postgres scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Passwords:
    """One random password per role. `admin` is the cluster's superuser, used by the lifecycle alone."""

    admin: str = field(repr=False)
    owner: str = field(repr=False)
    machine: str = field(repr=False)
    page: str = field(repr=False)


def make_passwords(path: Path) -> Passwords:
    """Read the passwords; on the first start draw them and keep them in a file only we can read."""
    if path.exists():
        return read_passwords(path)
    passwords = Passwords(*(secrets.token_urlsafe(32) for _ in range(4)))
    write_whole(path, json.dumps(asdict(passwords)).encode())
    return passwords


def read_passwords(path: Path) -> Passwords:
    return Passwords(**json.loads(path.read_bytes()))


def choose_socket_folder(folder: Path) -> Path:
    """Where the server of a data folder listens: inside it, or in /tmp when that path would be too long."""
    inside = folder / "socket"
    if len(os.fsencode(inside / f".s.PGSQL.{PORT}.lock")) <= SOCKET_PATH_LIMIT:
        return inside
    return Path("/tmp", "ws-" + hashlib.blake2b(os.fsencode(folder), digest_size=8).hexdigest())


def write_conf(cluster: Path, *, socket_folder: Path, fsync: bool) -> None:
    socket = str(socket_folder).replace("'", "''")
    text = CONF.format(port=PORT, socket_folder=socket, fsync="on" if fsync else "off")
    (cluster / "postgresql.conf").write_text(text)
    (cluster / "pg_hba.conf").write_text(HBA)
