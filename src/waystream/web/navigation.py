"""Where pages stand: entries of the rail and of the settings, collected from the pages' `NAV`."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Literal

from waystream.kernel import open_list
from waystream.web import api, pages


@dataclass(frozen=True, slots=True)
class Entry:
    """`rank` orders the entries; `permission` is what a caller needs to see it; `label` is a key of the catalogue."""

    rank: int
    place: Literal["rail", "settings"]
    href: str
    icon: str
    label: str
    permission: str
    on_phone: bool = True

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
