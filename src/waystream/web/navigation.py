"""Where pages stand: entries of the rail and of the settings, collected from the pages' `NAV`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from waystream.kernel import open_list
from waystream.web import api, pages

if TYPE_CHECKING:  # what they read with knows where they stand
    from waystream.web.auth import Seat
    from waystream.web.context import WebContext


@dataclass(frozen=True, slots=True)
class Entry:
    """`rank` orders the entries; `permission` is what a caller needs to see it; `label` is a key of the catalogue.

    `count`: how much waits there, for a caller at a position of the log; it has to be cheap, every page asks.
    """

    rank: int
    place: Literal["rail", "settings"]
    href: str
    icon: str
    label: str
    permission: str
    on_phone: bool = True
    count: "Callable[[WebContext, Seat, int], int] | None" = None

    def is_at(self, path: str) -> bool:
        return path == self.href or (self.href != "/" and path.startswith(self.href + "/"))


@cache
def list_pages() -> tuple[ModuleType, ...]:
    """The page module of every folder in `pages`."""
    modules = tuple(import_module(f"{folder.__name__}.page") for folder in open_list.load(pages))
    for module in modules:
        open_list.require(module, "router")
    return modules


@cache
def list_resources() -> tuple[ModuleType, ...]:
    """The modules of `api`."""
    modules = open_list.load(api)
    for module in modules:
        open_list.require(module, "router")
    return modules


@cache
def list_entries() -> tuple[Entry, ...]:
    entries = [entry for module in list_pages() for entry in getattr(module, "NAV", ())]
    return tuple(sorted(entries, key=lambda entry: entry.rank))
