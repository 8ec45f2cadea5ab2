"""Events: what happened, in the past tense, one frozen dataclass each.

An event carries ids and words, never personal data or carriers' raw text. `subject` names the order or parcel whose
later events wait behind it when a rule cannot digest it. Adding a file here adds its events to the registry.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has: the shop it belongs to.

    `public` is what `public_event` calls it outside; empty: it stays inside. A change that breaks readers is a new
    `version`.
    """

    public: ClassVar[str] = ""
    version: ClassVar[int] = 1

    shop_id: int

    @property
    def subject(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(Event):
    order_id: int

    @property
    def subject(self) -> str:
        return f"order:{self.order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelEvent(Event):
    parcel_id: int

    @property
    def subject(self) -> str:
        return f"parcel:{self.parcel_id}"


def registry() -> dict[str, type[Event]]:
    """Every concrete event by its name."""
    found: dict[str, type[Event]] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        found |= {
            name: value
            for name, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, Event) and value.__module__ == module.__name__
        }
    parents = {parent for cls in found.values() for parent in cls.__mro__[1:]}
    return {name: cls for name, cls in found.items() if cls not in parents}


def encode(event: Event) -> str:
    return msgspec.json.encode(event).decode()


def decode(name: str, body: str | bytes | dict[str, Any]) -> Event:
    """Read a stored event back; an unknown name is a programming error (events are never removed)."""
    cls = registry_cached()[name]
    value = msgspec.convert(body, cls) if isinstance(body, dict) else msgspec.json.decode(body, type=cls)
    assert isinstance(value, Event)
    return value


_REGISTRY: dict[str, type[Event]] = {}


def registry_cached() -> dict[str, type[Event]]:
    if not _REGISTRY:
        _REGISTRY.update(registry())
    return _REGISTRY
