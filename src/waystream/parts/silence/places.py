"""Where a parcel waits, by its newest scan: the hub it is in, or the one it is heading for. Pure.

A parcel that has left for a hub is scanned next in that hub, so it is the hub's silence. Carriers write it in the text;
where no hub is named, what they call the location counts.
"""

import re

PLACE_MAX_CHARS = 40
_HEADING = re.compile(r"(?:发往|下一站)\s*[:：]?\s*[【\[]?\s*([^】\]\[【，,。；;：:\s]{2,40})")
_HUB = re.compile(
    r"([^】\]\[【，,。；;：:\s]{1,20}(?:转运中心|分拨中心|集散中心|处理中心|分拣中心|航空部|中转场|枢纽))"
)
_NUMBER = re.compile(r"\d{5,}")


def place_of(text: str, location: str) -> str:
    """As events may tell it: short, and without numbers that are somebody's."""
    found = _HEADING.search(text) or _HUB.search(text)
    place = found[1] if found else location
    return " ".join(_NUMBER.sub("", place).split())[:PLACE_MAX_CHARS]
