"""Sign-in and out, and the first run, in which the first owner is made; then the first-run page is gone for good."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from waystream.core.errors import Forbidden, Invalid, WaystreamError
from waystream.parts.people import actions as people
from waystream.web.address import own_path
from waystream.web.auth import (
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

router = APIRouter()


@dataclass(frozen=True, slots=True)
class SignInPage:
    back: str
    login: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class FirstRunPage:
    login: str = ""
    name: str = ""
    path: str = ""
    wrong: str = ""


@router.get("/sign-in", dependencies=[open_to_all()])
def show_sign_in(request: Request, next: str = "/") -> Response:
    if seat_of(request) is not None:
        return RedirectResponse(own_path(next), 303)
    if not _has_owner(request):
        return RedirectResponse("/first-run", 303)
    return _at_the_door(request, "door/sign_in.html", SignInPage(own_path(next)))


@router.post("/sign-in", dependencies=[open_to_all(own_forms=True)])
def sign_in(
    request: Request,
    login: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=500)],
    back: Annotated[str, Form()] = "/",
) -> Response:
    context = context_of(request)
    try:
        token = people.sign_in(context.machine, login=login, password=password)
    except WaystreamError as refusal:
        wrong = language_of(request).echo(refusal.sentence)
        page = SignInPage(own_path(back), login=login, wrong=wrong)
        return _at_the_door(request, "door/sign_in.html", page, status=refusal.status)
    answer = go(own_path(back))
    open_session(answer, token, secure=context.cookie_secure)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, seat: Annotated[Seat, requires(SIGNED_IN)]) -> Response:
    context_of(request).machine.run(lambda tx: people.sign_out(tx, seat.token))
    answer = go("/sign-in")
    close_session(answer)
    return answer


@router.get("/first-run", dependencies=[open_to_all()])
def show_first_run(request: Request) -> Response:
    if _has_owner(request):
        return RedirectResponse("/sign-in", 303)
    return _at_the_door(request, "door/first_run.html", FirstRunPage())


@router.post("/first-run", dependencies=[open_to_all(own_forms=True)])
def make_owner(
    request: Request,
    login: Annotated[str, Form(max_length=100)],
    name: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=500)],
) -> Response:
    context = context_of(request)
    if _has_owner(request):
        raise Forbidden("There is an owner already: sign in")
    language = language_of(request)
    try:
        context.machine.run(
            lambda tx: people.first_owner(tx, login=login, name=name, password=password, language=language.code)
        )
    except Invalid as refusal:
        page = FirstRunPage(login, name, refusal.path or "", language.echo(refusal.sentence))
        return _at_the_door(request, "door/first_run.html", page, status=refusal.status)
    token = people.sign_in(context.machine, login=login, password=password)
    answer = go("/setup")
    open_session(answer, token, secure=context.cookie_secure)
    return answer


def _has_owner(request: Request) -> bool:
    return context_of(request).machine.run(people.has_owner)


def _at_the_door(request: Request, template: str, page: object, *, status: int = 200) -> Response:
    request.state.door = door_token(request)
    answer = show(request, template, page, status=status)
    keep_door(answer, request.state.door, secure=context_of(request).cookie_secure)
    return answer
