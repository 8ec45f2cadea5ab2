"""What happens by itself and what always holds, in the sentences of the open lists."""

from types import ModuleType

from scripts.chapters.markdown import code, codes, sentence, table
from waystream import invariants, rules
from waystream.kernel import open_list

TITLE = "Rules and invariants"
ABOUT = """What happens by itself, and what always holds.

A rule is a file in `src/waystream/rules`, an invariant one in `src/waystream/invariants`. `waystream doctor` checks
every invariant on a running system."""


def page() -> str:
    ruled = [
        (code(_name(module)), sentence(module), _when(module), module.START, _replayed(module))
        for module in open_list.load(rules)
    ]
    held = [(code(_name(module)), sentence(module)) for module in open_list.load(invariants)]
    return (
        "## Rules\n\n" + table(("rule", "sentence", "events", "a new one starts at the", "can be replayed"), ruled)
        + "\n## Invariants\n\n" + table(("invariant", "sentence"), held)
    )  # fmt: skip


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _replayed(module: ModuleType) -> str:
    return "yes" if getattr(module, "REPEATABLE", False) else ""


def _when(module: ModuleType) -> str:
    return codes(event.__name__ for event in module.WHEN)
