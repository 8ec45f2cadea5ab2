"""Small values that templates of several pages draw: tabs, menus, chips, dialogs; and addresses with their filters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

PAGE_ROWS = 24


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    href: str
    here: bool
    count: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    label: str
    href: str
    here: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """A filter: what is chosen stands in it and can be removed, otherwise its options open."""

    label: str
    options: tuple[Option, ...]
    chosen: str = ""
    clear: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that can be done: a button that opens its dialog."""

    label: str
    href: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of a dialog: what will happen, with a shape."""

    shape: str
    sentence: str


@dataclass(frozen=True, slots=True)
class AskField:
    """Something a dialog wants besides the reason; with options it is a choice."""

    name: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True
    max: int = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """A dialog before an action: what happens, whether it wants a reason, the verb on the button."""

    title: str
    effects: tuple[Effect, ...]
    verb: str
    action: str
    back: str
    hidden: tuple[tuple[str, str], ...] = ()
    fields: tuple[AskField, ...] = ()
    reason: str = ""
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """A page's address with its filters; changing one forgets where in the list one was."""

    path: str
    filters: Mapping[str, str] = field(default_factory=dict)

    def with_(self, **changes: str) -> "Address":
        """With these filters changed."""
        return Address(self.path, {**self.filters, **changes})

    def but(self, **changes: str) -> str:
        """The address with these filters changed; an empty one is left out."""
        merged = {name: value for name, value in {**self.filters, **changes}.items() if value}
        return f"{self.path}?{urlencode(merged)}" if merged else self.path

    def __str__(self) -> str:
        return self.but()
