"""All settings, read once at start: defaults.toml, then one file, then WAYSTREAM_* of the environment.

A wrong or unknown setting stops the start with the sentence that mends it. `defaults.toml` is the reference.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from waystream.core.errors import Invalid

PREFIX = "WAYSTREAM_"
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LEVELS = get_args(Level)
PUSH_PROCESSES_MAX = 64
PREFIX_FORM = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


class Role(StrEnum):
    """What a process does. One process has all of them, or each is spread over as many as it needs."""

    PUSH = "push"  # takes carriers' pushes over HTTP
    WEB = "web"  # pages, API, live pages
    APPLY = "apply"  # turns pushes that lie on a stream into facts; without a stream the role push does it itself
    RULES = "rules"  # the sequencer, and every rule behind it
    JOBS = "jobs"  # what must happen outside, and the sweeps
    LOADER = "loader"  # loads the warehouse


Roles = frozenset[Role]
ALL_ROLES: Roles = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Settings:
    """See defaults.toml for what each one does."""

    data_folder: Path
    key_folder: Path
    database_url: str
    page_database_url: str
    owner_database_url: str
    host: str
    port: int
    base_url: str
    push_base_url: str
    cookie_secure: bool
    roles: Roles
    push_processes: int
    push_port: int
    push_body_kb: int
    web_body_kb: int
    nats_url: str
    nats_credentials: str
    nats_prefix: str
    nats_replicas: int
    nats_pushes: bool
    nats_pushes_gb: int
    nats_events: bool
    nats_events_days: int
    nats_events_gb: int
    nats_monitor_urls: str
    push_group: int
    push_waiting: int
    push_kept_days: int
    silence_wait_min: float
    slowdown_parcels: int
    slowdown_chance: float
    job_workers: int
    lease_s: float
    webhook_private_hosts: str
    webhook_failing_days: float
    backup_folder: Path | None
    backup_every_h: float
    backups_kept: int
    clock_speed: float
    log_level: Level
    log_json: bool
    otlp_endpoint: str
    otlp_traces: float

    @property
    def embedded(self) -> bool:
        return not self.database_url

    @property
    def private_hosts(self) -> frozenset[str]:
        """Where webhooks may go though it is private, and over plain http."""
        return frozenset(self.webhook_private_hosts.replace(",", " ").lower().split())

    @property
    def address(self) -> str:
        """How others reach us."""
        return self.base_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def push_address(self) -> str:
        """How carriers reach us: where pages are, unless pushes have processes, or an address, of their own."""
        own = f"http://{self.host}:{self.own_push_port}" if self.push_processes and not self.base_url else self.address
        return self.push_base_url.rstrip("/") or own

    @property
    def own_push_port(self) -> int:
        """The port of pushes where they have processes of their own."""
        return self.push_port or self.port + 1

    @property
    def pushes_by_stream(self) -> bool:
        return bool(self.nats_url) and self.nats_pushes

    @property
    def events_by_stream(self) -> bool:
        return bool(self.nats_url) and self.nats_events

    def as_environment(self) -> dict[str, str]:
        """Every setting as a child process reads it from its environment."""
        return {PREFIX + name.upper(): _text(getattr(self, name)) for name in _TYPES}


_TYPES = {field.name: field.type for field in fields(Settings)}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def load(file: Path | None = None, environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Settings from the defaults, `file`, the environment and `given`, later ones winning."""
    values: dict[str, Any] = tomllib.loads(files("waystream").joinpath("defaults.toml").read_text())
    if file is not None:
        values |= _read(file)
    environment = os.environ if environment is None else environment
    values |= {name: environment[PREFIX + name.upper()] for name in _TYPES if PREFIX + name.upper() in environment}
    values |= {name: value for name, value in given.items() if value is not None}
    return _checked({name: _typed(name, value) for name, value in values.items()})


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except FileNotFoundError as error:
        raise Invalid("settings", f"There is no settings file {file}.") from error
    except tomllib.TOMLDecodeError as error:
        raise Invalid("settings", f"{file} is not TOML: {error}.") from error


def _typed(name: str, value: Any) -> Any:
    if name not in _TYPES:
        raise Invalid(name, f"There is no setting {name}; defaults.toml lists all of them.")
    kind = str if _TYPES[name] is Level else _TYPES[name]
    if kind is Roles:
        return _roles(value)
    if kind == Path | None:
        return Path(value).expanduser().absolute() if value else None
    if kind is Path:
        return Path(value)
    if kind is bool and isinstance(value, str):
        if value.lower() not in _TRUE | _FALSE:
            raise Invalid(name, f"{name} must be true or false, not {value!r}.")
        return value.lower() in _TRUE
    try:
        return kind(value)  # type: ignore[operator]
    except ValueError as error:
        raise Invalid(name, f"{name} must be a {kind.__name__}, not {value!r}.") from error  # type: ignore[union-attr]


def _roles(value: Any) -> Roles:
    """From "push,web", or from a list of them."""
    names = value.split(",") if isinstance(value, str) else value
    named = {str(name).strip() for name in names}
    unknown = named - set(Role)
    if unknown or not named:
        raise Invalid("roles", f"roles must be some of {','.join(Role)}, not {','.join(sorted(unknown)) or 'none'}.")
    return frozenset(Role(name) for name in named)


def _text(value: Any) -> str:
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _checked(values: dict[str, Any]) -> Settings:
    data = values["data_folder"].expanduser().absolute()
    keys = values["key_folder"]
    values["data_folder"] = data
    values["key_folder"] = keys.expanduser().absolute() if str(keys) not in ("", ".") else Path(f"{data}.keys")
    values["log_level"] = values["log_level"].upper()
    settings = Settings(**values)
    if settings.key_folder.is_relative_to(settings.data_folder):
        raise Invalid("key_folder", "key_folder must lie outside data_folder: a stolen backup must not hold its key.")
    backups = settings.backup_folder
    if backups is not None and any(
        place.is_relative_to(other)
        for place, other in ((backups, data), (data, backups), (backups, settings.key_folder))
    ):
        raise Invalid("backup_folder", "backup_folder must lie outside data_folder and key_folder, best elsewhere.")
    if settings.backup_every_h <= 0 or settings.backups_kept < 1:
        raise Invalid("backup_every_h", "backup_every_h must be above 0 and backups_kept at least 1.")
    if settings.log_level not in LEVELS:
        raise Invalid("log_level", f"log_level must be one of {', '.join(LEVELS)}.")
    if settings.push_kept_days < 1:
        raise Invalid("push_kept_days", "push_kept_days must be at least 1.")
    if settings.silence_wait_min < 0:
        raise Invalid("silence_wait_min", "silence_wait_min must not be below 0.")
    if settings.slowdown_parcels < 2 or not 0 < settings.slowdown_chance < 0.01:
        raise Invalid("slowdown_parcels", "slowdown_parcels is at least 2, slowdown_chance above 0 and below 0.01.")
    if not 0 < settings.port < 65536:
        raise Invalid("port", f"port must be between 1 and 65535, not {settings.port}.")
    if not 0 <= settings.push_processes <= PUSH_PROCESSES_MAX:
        raise Invalid("push_processes", f"push_processes must be between 0 and {PUSH_PROCESSES_MAX}.")
    if settings.push_processes and not (settings.own_push_port < 65536 and settings.own_push_port != settings.port):
        raise Invalid("push_port", "push_port must be between 1 and 65535 and another than port.")
    if not PREFIX_FORM.fullmatch(settings.nats_prefix):
        raise Invalid("nats_prefix", "nats_prefix must be made of small letters, digits and hyphens.")
    if not 1 <= settings.nats_replicas <= 5:
        raise Invalid("nats_replicas", "nats_replicas must be between 1 and 5.")
    if settings.push_processes and settings.roles != ALL_ROLES:
        raise Invalid("push_processes", "push_processes splits all roles over processes by itself: leave roles out.")
    if settings.database_url and not (settings.page_database_url and settings.owner_database_url):
        raise Invalid("database_url", "With database_url, set page_database_url and owner_database_url too.")
    if settings.webhook_failing_days <= 0:
        raise Invalid("webhook_failing_days", "webhook_failing_days must be above 0.")
    if not 0 < settings.clock_speed <= 100_000:
        raise Invalid("clock_speed", "clock_speed must be above 0 and at most 100000.")
    if settings.otlp_endpoint and not settings.otlp_endpoint.startswith(("http://", "https://")):
        raise Invalid("otlp_endpoint", "otlp_endpoint must be an address such as http://collector:4318.")
    if not 0 <= settings.otlp_traces <= 1:
        raise Invalid("otlp_traces", "otlp_traces must be between 0 and 1.")
    return settings
