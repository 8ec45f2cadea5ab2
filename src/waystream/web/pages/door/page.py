"""GET and POST /sign-in, POST /sign-out. Who is refused hears one sentence, whatever was wrong."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from waystream.parts.people import actions as people
from waystream.web.address import own_path
from waystream.web.auth import (
    SESSION_COOKIE,
    SIGNED_IN,
    Seat,
    close_session,
    door_token,
    keep_door,
    open_session,
    open_to_all,
    requires,
    seat_of,
)
from waystream.web.context import context_of
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_

router = APIRouter()

WRONG = N_("The login or the password is wrong, or too many tries came before: wait a little.")


@dataclass(frozen=True, slots=True)
class SignInPage:
    back: str
    login: str = ""
    wrong: str = ""


@router.get("/sign-in", dependencies=[open_to_all()])
def show_sign_in(request: Request, next: str = "/") -> Response:
    if seat_of(request) is not None:
        return RedirectResponse(own_path(next), 303)
    return _at_the_door(request, SignInPage(own_path(next)))


@router.post("/sign-in", dependencies=[open_to_all(own_forms=True)])
def sign_in(
    request: Request,
    login: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=500)],
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    context = context_of(request)
    stale = request.cookies.get(SESSION_COOKIE, "")
    signed_in = context.machine.run(lambda tx: people.sign_in(tx, login=login, password=password, replacing=stale))
    if signed_in is None:
        wrong = language_of(request).say(WRONG)
        return _at_the_door(request, SignInPage(own_path(back), login, wrong), status=401)
    answer = go(own_path(back))
    open_session(answer, signed_in.token, secure=context.cookie_secure)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, seat: Annotated[Seat, requires(SIGNED_IN)]) -> Response:
    context_of(request).machine.run(lambda tx: people.sign_out(tx, seat.token))
    answer = go("/sign-in")
    close_session(answer)
    return answer


def _at_the_door(request: Request, page: SignInPage, *, status: int = 200) -> Response:
    request.state.door = door_token(request)
    answer = show(request, "door/sign_in.html", page, status=status)
    keep_door(answer, request.state.door, secure=context_of(request).cookie_secure)
    return answer
