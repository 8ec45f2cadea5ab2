"""From a view model to HTML: one Jinja environment per language, and what the shell around every page needs.

A page hands in a frozen dataclass; its template sees it as `page`, the shell as `shell`. Where htmx asks for a part
(`HX-Target`), only the block of that name is rendered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from waystream.web.assets import asset_address
from waystream.web.auth import Seat, csrf_of, seat_of
from waystream.web.context import context_of
from waystream.web.navigation import Entry, list_entries
from waystream.web.problems import Problem
from waystream.web.shell.language import Language, choose_language
from waystream.web.shell.vocabulary import ROLE_WORDS

WEB = Path(__file__).parent
LANGUAGE_COOKIE = "language"
THEME_COOKIE = "theme"
THEMES = ("light", "dark")
SAID_COOKIE = "said"
SAID_AT_MOST = 300
COUNTED_AT_MOST = 1_000
BUYERS = "/t/"


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands around a page. `live` are the keys the page watches, space-separated, and `since` the position of the
    log it knows at least; `at` is its own address."""

    path: str
    at: str
    live: str
    since: int
    theme: str
    said: str
    seat: Seat | None
    token: str
    entries: tuple[Entry, ...]
    settings: tuple[Entry, ...]
    counts: Mapping[str, str]

    @property
    def csrf(self) -> Markup:
        """The hidden field every form carries."""
        return Markup('<input type="hidden" name="csrf" value="{}">').format(self.token)

    @property
    def role(self) -> str:
        role = self.seat.caller.role if self.seat else None
        return ROLE_WORDS[role] if role else ""

    @property
    def initials(self) -> str:
        """`LX` of Lin Xiao, `林` of 林晓."""
        name = self.seat.caller.name.strip() if self.seat else ""
        words = name.split()
        return (words[0][0] + words[1][0]).upper() if len(words) > 1 and name.isascii() else name[:1].upper()

    @property
    def is_in_settings(self) -> bool:
        return any(entry.is_at(self.path) for entry in self.settings)


def show(request: Request, template: str, page: object, *, live: str = "", status: int = 200) -> HTMLResponse:
    """Render a page's template (`orders/page.html`), or the block that htmx asked for."""
    language = language_of(request)
    found = environment(language.code, language.zone).get_template(template)
    values: Mapping[str, object] = {"page": page, "shell": _shell(request, live)}
    block = found.blocks.get(request.headers.get("hx-target", "")) if request.headers.get("hx-request") else None
    context = found.new_context(dict(values))
    html = "".join(block(context)) if block else found.render(values)
    answer = HTMLResponse(html, status, headers={"Vary": "HX-Request, HX-Target"})
    if SAID_COOKIE in request.cookies and not block:
        answer.delete_cookie(SAID_COOKIE)
    return answer


def go(address: str, *, said: str = "") -> RedirectResponse:
    """After an action: on to the page that shows its effect, which says once what was done."""
    answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    if said:
        answer.set_cookie(SAID_COOKIE, quote(said[:SAID_AT_MOST]), max_age=60, httponly=True, samesite="lax")
    return answer


def show_error(request: Request, problem: Problem) -> HTMLResponse:
    """The page of an error: what is safe, what happens next, and a code where it was our fault.

    A buyer sees it in a frame of their own, which says nothing of who works here.
    """
    language = language_of(request)
    name = "buyer_error.html" if request.url.path.startswith(BUYERS) else "error.html"
    template = environment(language.code, language.zone).get_template(name)
    return HTMLResponse(template.render(page=problem, shell=_shell(request, "")), problem.status)


def language_of(request: Request) -> Language:
    """The signed-in person's language, else the cookie's, else the browser's."""
    seat = seat_of(request)
    wanted = request.cookies.get(LANGUAGE_COOKIE) or (seat.caller.language if seat else "")
    code = choose_language(wanted, request.headers.get("accept-language", ""))
    return language_for(code, context_of(request).zone)


@cache
def language_for(code: str, zone: ZoneInfo) -> Language:
    return Language(code, zone)


@cache
def environment(code: str, zone: ZoneInfo) -> Environment:
    """Templates of the shell and of every page, speaking one language."""
    language = language_for(code, zone)
    made = Environment(
        loader=FileSystemLoader([WEB / "shell" / "templates", WEB / "pages"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.globals.update(_=language.say, ngettext=language.say_n, language=language, asset=asset_address)
    made.globals["ui"] = made.get_template("components.html").module
    return made


def _shell(request: Request, live: str) -> Shell:
    seat = seat_of(request)
    theme = request.cookies.get(THEME_COOKIE, "")
    at = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    may = seat.caller.may if seat else (lambda permission: False)
    entries = tuple(entry for entry in list_entries() if may(entry.permission))
    return Shell(
        path=request.url.path,
        at=at,
        live=live,
        since=getattr(request.state, "since", 0),
        theme=theme if theme in THEMES else "",
        said=unquote(request.cookies.get(SAID_COOKIE, "")),
        seat=seat,
        token=seat.csrf if seat else csrf_of(getattr(request.state, "door", "")),
        entries=tuple(entry for entry in entries if entry.place == "rail"),
        settings=tuple(entry for entry in entries if entry.place == "settings"),
        counts=_count(request, seat, entries),
    )


def _count(request: Request, seat: Seat | None, entries: Sequence[Entry]) -> dict[str, str]:
    """How much waits behind each entry, as it is written there."""
    language, since = language_of(request), getattr(request.state, "since", 0)
    counts = {entry.href: 0 for entry in entries}
    for entry in entries:
        if entry.count is not None and seat is not None and entry.place == "rail":
            counts[entry.href] = entry.count(context_of(request), seat, since)
    return {href: (language.number(n) if n < COUNTED_AT_MOST else "999+") if n else "" for href, n in counts.items()}
