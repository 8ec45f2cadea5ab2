"""Every exception of a parcel has one open ticket, or one that a person closed since.

Parcels whose events the rule `trouble_on_the_way_opens_ticket` has still to read are left out.
"""

from waystream.kernel.tx import Tx
from waystream.parts.care import proving

SENTENCE_ZH = "每个问题件都有一张没关的工单，或者之后由人关掉的工单。"
RULE = "trouble_on_the_way_opens_ticket"
AT_ONCE = 5_000


def broken(tx: Tx) -> list[str]:
    wrong: list[str] = []
    after: int | None = 0
    while after is not None:
        found, after = proving.list_unticketed(tx, rule=RULE, after_id=after, limit=AT_ONCE)
        wrong += found
    return wrong
