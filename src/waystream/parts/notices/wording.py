"""The language of templates: text with named facts in braces, and brackets around what may be left out.

`{order}` is a fact; `[at {place}]` is left out when a fact in it is not known. `{{ }} [[ ]]` are the signs themselves.
There is nothing else: no condition, no loop, no attribute, no code. Guaranteed: rendering ends, cannot fail, and is at
most RENDERED_MAX characters; a fact is one line, whatever a carrier wrote.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from waystream.core.errors import Invalid

FACT_MAX = 200
RENDERED_MAX = 4_000
_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{([^{}\[\]\n]{0,60})\}|[{}\[\]]|[^{}\[\]]+")
_UNSEEN = (*range(32), *range(127, 160), *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
_ONE_LINE = {code: " " if code < 32 else None for code in _UNSEEN}


@dataclass(frozen=True, slots=True)
class Piece:
    """Words, or with `fact` the name of one. `section`: the number of the bracket it stands in, 0 outside."""

    text: str
    fact: bool = False
    section: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    pieces: tuple[Piece, ...]

    @property
    def facts(self) -> frozenset[str]:
        return frozenset(piece.text for piece in self.pieces if piece.fact)

    @property
    def needed(self) -> frozenset[str]:
        """The facts outside of brackets: without one of them a sentence would have a hole."""
        return frozenset(piece.text for piece in self.pieces if piece.fact and not piece.section)


def parse(text: str, names: Mapping[str, str], *, path: str) -> Template:
    """`names`: every way to write a fact → its name. Raises `Invalid` with the sentence that mends it."""
    pieces: list[Piece] = []
    section, sections = 0, 0
    for token in _TOKEN.finditer(text):
        sign, fact = token[0], token[1]
        if fact is not None:
            pieces.append(Piece(_known(fact.strip(), names, path=path), fact=True, section=section))
        elif sign == "[":
            if section:
                raise Invalid(path, "A bracket stands inside another one: close the first with ] before.")
            section = sections = sections + 1
        elif sign == "]":
            if not section:
                raise Invalid(path, "A ] stands without its [: write ]] for the sign itself.")
            section = 0
        elif sign in ("{", "}"):
            raise Invalid(path, "A brace stands alone: close it around the name of a fact, or write it twice.")
        else:
            pieces.append(Piece(sign[0] if sign in ("{{", "}}", "[[", "]]") else sign, section=section))
    if section:
        raise Invalid(path, "A [ is not closed: add the ].")
    return Template(tuple(pieces))


def _known(written: str, names: Mapping[str, str], *, path: str) -> str:
    if written in names:
        return names[written]
    near = get_close_matches(written, names, n=1, cutoff=0.5)
    if near:
        raise Invalid(path, f"There is no fact “{written}”: “{near[0]}” is meant, perhaps.")
    raise Invalid(path, f"There is no fact “{written}”. These are known: {', '.join(sorted(set(names.values())))}.")


def require_sections(template: Template, maybe: Collection[str], *, path: str) -> None:
    """Raises `Invalid` for a fact that may be unknown and stands outside of brackets."""
    for name in sorted(template.needed & set(maybe)):
        raise Invalid(path, f"“{name}” is not always known: put [ ] around the words that need it.")


def render(template: Template, facts: Mapping[str, str]) -> str:
    """The text with the facts in it; a section with an unknown one is left out, and an empty line with it."""
    known = {name: one_line(value) for name, value in facts.items() if value.strip()}
    left_out = {piece.section for piece in template.pieces if piece.fact and piece.section and piece.text not in known}
    said = "".join(_said(template, known, left_out))
    lines = [line.rstrip() for line in said.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()[:RENDERED_MAX]


def _said(template: Template, known: Mapping[str, str], left_out: Collection[int]) -> Iterator[str]:
    for piece in template.pieces:
        if piece.section not in left_out or not piece.section:
            yield known.get(piece.text, "") if piece.fact else piece.text


def one_line(value: str) -> str:
    """A fact as it is put into a text: bounded, on one line, nothing unseen in it."""
    return " ".join(value.translate(_ONE_LINE).split())[:FACT_MAX]


def escape(text: str) -> str:
    """Words that hold no fact, whatever signs are in them."""
    return re.sub(r"[{}\[\]]", lambda sign: sign[0] * 2, text)
