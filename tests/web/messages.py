"""Every sentence the web says, taken from its templates and its code; `python -m tests.web.messages` lists new ones.

Python says them with `say`, `say_n` and `N_`, templates with `_` and `ngettext`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract
from jinja2.ext import babel_extract

WEB = Path(__file__).resolve().parents[2] / "src" / "waystream" / "web"
PYTHON = {"say": None, "say_n": (1, 2), "N_": None}
TEMPLATE = {"_": None, "ngettext": (1, 2)}

Message = str | tuple[str, ...]


def list_messages() -> dict[Message, str]:
    """Each message with the first place it stands in; a plural is its (one, many)."""
    found: dict[Message, str] = {}
    for where, message in (*_from_python(), *_from_templates()):
        found.setdefault(message, where)
    return found


def _from_python() -> Iterator[tuple[str, Message]]:
    for path in sorted(WEB.rglob("*.py")):
        with path.open("rb") as file:
            for line, message, _, _ in extract("python", file, keywords=PYTHON):
                yield f"{path.relative_to(WEB)}:{line}", message if isinstance(message, str) else tuple(message)


def _from_templates() -> Iterator[tuple[str, Message]]:
    for path in sorted(WEB.rglob("*.html")):
        with path.open("rb") as file:
            for line, function, said, _ in babel_extract(file, list(TEMPLATE), [], {"trimmed": "false"}):
                texts = [said] if isinstance(said, str) else [each for each in said or () if each is not None]
                if texts:  # otherwise it says a word marked elsewhere
                    where = f"{path.relative_to(WEB)}:{line}"
                    yield where, (texts[0], texts[1]) if function == "ngettext" else texts[0]


#: Where the sentences of errors stand, and which argument of each error is the sentence.
SAYING = (
    "parts/**/*.py",
    "core/sheet.py",
    "core/gateways.py",
    "core/registered_templates.py",
    "kernel/table_file.py",
    "kernel/*_mending.py",
    "web/pages/**/*.py",
)
ERRORS = {"Invalid": 1, "Conflict": 0, "Missing": 0, "Forbidden": 0, "Refused": 0, "TooLarge": 0, "ValueError": 0}


def list_refusals() -> dict[str, str]:
    """The sentences of errors that a person may meet, `{}` for what is put in, with where each stands."""
    found: dict[str, str] = {}
    for path in sorted({path for pattern in SAYING for path in WEB.parent.glob(pattern)}):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                sentence = _sentence(node, ERRORS[node.func.id])
                if sentence:
                    found.setdefault(sentence, f"{path.name}:{node.lineno}")
    return found


def _sentence(call: ast.Call, place: int) -> str:
    said = call.args[place] if len(call.args) > place else None
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        return said.value
    if isinstance(said, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in said.values)
    return ""


if __name__ == "__main__":
    from waystream.web.shell.language import catalogue

    for message, where in list_messages().items():
        key = message if isinstance(message, str) else message[0]
        if key not in catalogue():
            print(f"{where}\t{message!r}")
