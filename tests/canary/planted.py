"""What is planted, every shape it could hide in, and the search for it.

The search proves itself: a word that may be stored (`ALLOWED`) must be found wherever the planted ones must not.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

BUYER = {
    "buyer's name": "欧阳雪莲珂",
    "buyer's mobile": "13698527410",
    "buyer's phone": "0571-86213977",
    "buyer's company": "紫翎羽蜡烛作坊",
    "buyer's address": "梧桐暗语巷1739弄88号",
    "buyer's remark": "请放在靛蓝色信箱里",
    "seller's remark": "老客户喜爱琥珀蝴蝶结",
}
MOVED = {"buyer's second address": "白鹭幽谭路2846号"}
SENDER = {"sender's name": "皇甫守仓", "sender's mobile": "13957204816", "sender's address": "玄武石路606号"}
ON_THE_WAY = {
    "courier's name": "司徒疾风",
    "courier's mobile": "15837462950",
    "signer's name": "诸葛素妮心",
    "outlet's landline": "0592-7714863",
}
SECRETS = {"carrier's password": "canary-pwd-7f3a91c2", "aggregator's key": "canary-key-58d1e0b7"}
ALLOWED = "对照词可见鸢尾花"
"""The name of the shop: no secret, so the search must find it."""


def shapes(value: str) -> dict[str, bytes]:
    """The value as it may lie in a file, by the name of the shape."""
    plain = value.encode()
    found = {"utf-8": plain, "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode()}
    for encoding in ("gbk", "utf-16-le", "utf-16-be"):
        found[encoding] = value.encode(encoding)
    for skipped in range(3):  # a value inside a longer text stands at any of three places of the alphabet
        coded = base64.b64encode(b"\0" * skipped + plain)
        found[f"base64 at {skipped}"] = coded[4 * bool(skipped) : len(coded) // 4 * 4 - 4]
    if not value.isascii():
        escaped = value.encode("ascii", "backslashreplace")
        found |= {"\\u": escaped, "\\U": escaped.upper().replace(b"\\U", b"\\u"), "%": quote(value).encode()}
    return found


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a planted value was seen, and as what. It says its name, not the value."""

    what: str
    shape: str
    where: str


def search(blob: bytes, planted: dict[str, str], *, where: str) -> Iterator[Sighting]:
    for what, value in planted.items():
        for shape, needle in shapes(value).items():
            if needle in blob:
                yield Sighting(what, shape, where)


def search_folder(folder: Path, planted: dict[str, str]) -> Iterator[Sighting]:
    """Every file, whole; a copy of PostgreSQL's programs, made for some containers, holds no data."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.relative_to(folder).parts[0] != "binaries":
            yield from search(path.read_bytes().rstrip(b"\0"), planted, where=str(path.relative_to(folder)))


def told(sightings: Iterable[Sighting]) -> set[str]:
    """As sentences, for a test that fails."""
    return {f"{sighting.what} as {sighting.shape} in {sighting.where}" for sighting in sightings}
