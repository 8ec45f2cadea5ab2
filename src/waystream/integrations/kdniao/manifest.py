"""The manifest as values: the aggregator's rules live in `manifest.toml`, nothing here decides anything.

Loaded once; a missing key is a programming error and fails at import.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Paths:
    """Where each instruction listens below the production host."""

    of: tuple[tuple[str, str], ...]

    def get(self, instruction: str) -> str:
        for number, path in self.of:
            if number == instruction:
                return path
        raise KeyError(instruction)


@dataclass(frozen=True, slots=True)
class Manifest:
    name: str
    title_zh: str
    title_en: str
    quality: str
    production_url: str
    sandbox_url: str
    paths: Paths
    forbidden_characters: str
    timeout_s: float
    take_rate_per_s: int
    postcode_carriers: frozenset[str]
    postcode_default: str
    short_provinces: tuple[str, ...]
    cancel_carriers: frozenset[str]
    phone_tail_carriers: frozenset[str]
    resubscribe_reasons: tuple[str, ...]
    query_rate_per_s: int
    query_again_min: int
    push_types: frozenset[str]
    retry_after_min: tuple[int, ...]
    group_max: int
    waybills_max: int
    traces_max: int
    text_max_chars: int


def load_table(name: str) -> dict[str, Any]:
    """One of the TOML tables that lie beside this module, as parsed."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _load() -> Manifest:
    table = load_table("manifest.toml")
    take, push, subscribe = table["take"], table["push"], table["subscribe"]
    return Manifest(
        name=table["name"],
        title_zh=table["title"]["zh"],
        title_en=table["title"]["en"],
        quality=table["quality"],
        production_url=table["hosts"]["production"],
        sandbox_url=table["hosts"]["sandbox"],
        paths=Paths(tuple(table["paths"].items())),
        forbidden_characters=table["wire"]["forbidden_characters"],
        timeout_s=table["wire"]["timeout_s"],
        take_rate_per_s=take["rate_per_s"],
        postcode_carriers=frozenset(take["postcode_carriers"]),
        postcode_default=take["postcode_default"],
        short_provinces=tuple(take["short_provinces"]),
        cancel_carriers=frozenset(table["cancel"]["carriers"]),
        phone_tail_carriers=frozenset(subscribe["phone_tail_carriers"]),
        resubscribe_reasons=tuple(subscribe["resubscribe_reasons"]),
        query_rate_per_s=table["query"]["rate_per_s"],
        query_again_min=table["query"]["again_min"],
        push_types=frozenset(push["request_types"]),
        retry_after_min=tuple(push["retry_after_min"]),
        group_max=push["group_max"],
        waybills_max=push["waybills_max"],
        traces_max=push["traces_max"],
        text_max_chars=push["text_max_chars"],
    )


MANIFEST = _load()
