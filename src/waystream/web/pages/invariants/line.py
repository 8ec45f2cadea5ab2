"""The one line the overview says of what must always hold."""

from collections.abc import Sequence
from datetime import datetime

from waystream.parts.findings.model import Finding
from waystream.web.shell.language import Language

ADDRESS = "/invariants"


def say_invariants(language: Language, found: Sequence[Finding], now: datetime) -> tuple[str, str, str]:
    """Text, address and shape: all hold, or which one is broken and for how long."""
    broken = [each for each in found if each.is_broken]
    if not found:
        return language.say("Invariants: not checked yet"), ADDRESS, ""
    if len(broken) == 1:
        what = broken[0].sentence_zh if language.code == "zh" else broken[0].sentence
        lasting = language.lasting((now - broken[0].since).total_seconds())
        return language.say("Broken for %(lasting)s: %(what)s", lasting=lasting, what=what), ADDRESS, "s-exception"
    if broken:
        told = language.say_n("%(n)s invariant is broken", "%(n)s invariants are broken", len(broken))
        return told, ADDRESS, "s-exception"
    held = sum(each.state == "holds" for each in found)
    return language.say("Invariants: %(n)s hold", n=language.number(held)), ADDRESS, "s-done"
