"""Style sheets and scripts, read once at start, each under an address that holds its content's hash.

htmx comes out of the `django-htmx` wheel; Django itself is never imported.
"""

import gzip
import hashlib
import importlib.util
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
    return {name: _read(name, path) for name, path in (files | {"htmx.js": _find_htmx()}).items()}


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


def _read(name: str, path: Path) -> Asset:
    body = path.read_bytes()
    mark = hashlib.blake2b(body, digest_size=6).hexdigest()
    return Asset(name, MIMES[path.suffix], body, gzip.compress(body, 9, mtime=0), mark)


def _find_htmx() -> Path:
    spec = importlib.util.find_spec("django_htmx")
    assert spec is not None and spec.origin is not None, "the django-htmx wheel carries htmx"
    return Path(spec.origin).parent / HTMX
