"""Style sheets and scripts, read once at start, each under an address that holds its content's hash.

htmx comes out of the `django-htmx` wheel; Django itself is never imported. The buyer's page loads one sheet, cut from
the others, since it has to open on a phone with a bad line.
"""

import gzip
import hashlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.web.auth import open_to_all

STATIC = Path(__file__).parent / "shell" / "static"
HTMX = Path("static", "django_htmx", "htmx-2.min.js")
MIMES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
#: What of the sheets a buyer's page needs, by the names of their sections.
BUYER_SECTIONS = frozenset(
    {"base", "controls", "state", "stages", "stage bar", "timeline", "forms", "notes", "utilities", "buyer"}
)
BUYER_ICONS = frozenset({"i-theme", "i-lock", "i-copy", "i-check", "i-down"})
BUYER_SHEET = "buyer-page.css"
_SECTION = re.compile(r"^(?=/\* ---- )", re.MULTILINE)
_SECTION_NAME = re.compile(r"/\* ---- ([\w ]+)")
_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)
_ICON = re.compile(r"\.(i-\w+) ")
FOREVER = "public, max-age=31536000, immutable"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    mime: str
    body: bytes = field(repr=False)
    squeezed: bytes = field(repr=False)
    mark: str

    @property
    def address(self) -> str:
        return f"/assets/{self.mark}/{self.name}"


@cache
def list_assets() -> dict[str, Asset]:
    files = {path.name: path for path in STATIC.iterdir() if path.suffix in MIMES}
    found = {name: path.read_bytes() for name, path in (files | {"htmx.js": _find_htmx()}).items()}
    found[BUYER_SHEET] = _cut_for_buyers({name: body.decode() for name, body in found.items() if name.endswith(".css")})
    return {name: _make(name, body) for name, body in found.items()}


def asset_address(name: str) -> str:
    """Where a page links to an asset; an unknown name is a mistake in a template."""
    return list_assets()[name].address


@router.get("/assets/{mark}/{name}", dependencies=[open_to_all()], include_in_schema=False)
def get_asset(request: Request, mark: str, name: str) -> Response:
    asset = list_assets().get(name)
    if asset is None:
        raise Missing("There is no such file")
    headers = {"Cache-Control": FOREVER if mark == asset.mark else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.squeezed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.mime)
    return Response(asset.body, headers=headers, media_type=asset.mime)


def _make(name: str, body: bytes) -> Asset:
    mark = hashlib.blake2b(body, digest_size=6).hexdigest()
    return Asset(name, MIMES[Path(name).suffix], body, gzip.compress(body, 9, mtime=0), mark)


def _cut_for_buyers(sheets: Mapping[str, str]) -> bytes:
    """Tokens, the sections and icons a buyer's page uses, and what only it needs; without comments."""
    sections = [
        section
        for section in _SECTION.split(sheets["components.css"])
        if (name := _SECTION_NAME.match(section)) and name[1].strip() in BUYER_SECTIONS
    ]
    icons = [
        rule for rule in sheets["icons.css"].splitlines() if not (icon := _ICON.match(rule)) or icon[1] in BUYER_ICONS
    ]
    whole = "".join((sheets["tokens.css"], *sections, "\n".join(icons), "\n", sheets["buyer.css"]))
    return _COMMENT.sub("", whole).encode()


def _find_htmx() -> Path:
    spec = importlib.util.find_spec("django_htmx")
    assert spec is not None and spec.origin is not None, "the django-htmx wheel carries htmx"
    return Path(spec.origin).parent / HTMX
