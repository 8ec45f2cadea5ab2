"""What a refusal means and the sentence that says how to mend it, from `refusals.toml`.

The first fitting row wins; the last fits everything, so a new reason is never without a sentence.
"""

import re
from dataclasses import dataclass

from waystream.integrations.kdniao.manifest import load_table


@dataclass(frozen=True, slots=True)
class Refusal:
    mend: str
    code: str
    pattern: re.Pattern[str]
    zh: str
    en: str


def _load() -> tuple[Refusal, ...]:
    return tuple(
        Refusal(
            mend=row["mend"], code=row.get("code", ""), pattern=re.compile(row["pattern"]), zh=row["zh"], en=row["en"]
        )
        for row in load_table("refusals.toml")["refusal"]
    )


REFUSALS = _load()
_CANCEL = load_table("refusals.toml")["cancel"]
_DONE, _UNSUPPORTED = re.compile(_CANCEL["done"]), re.compile(_CANCEL["unsupported"])


def refusal_of(code: str, reason: str) -> Refusal:
    """The row for a ResultCode and Reason."""
    return next(row for row in REFUSALS if row.code in ("", code) and row.pattern.search(reason))


def sentence(mend: str, language: str) -> str:
    """What to do about it, in `zh` or `en`; raises KeyError for a key that is not ours."""
    for row in REFUSALS:
        if row.mend == mend:
            return row.zh if language.startswith("zh") else row.en
    raise KeyError(mend)


def cancel_outcome(reason: str) -> str:
    """A cancel that was not confirmed: done before (confirmed), not possible here (unsupported), or refused."""
    if _DONE.search(reason):
        return "confirmed"
    return "unsupported" if _UNSUPPORTED.search(reason) else "refused"
