"""GET /me: who I am here; a new password, my language. Open to somebody who has to change a one-time password."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.parts.people import actions as people
from waystream.web.acting import act_on_setup
from waystream.web.auth import SIGNED_IN, Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form, FormField, filled_in
from waystream.web.render import LANGUAGE_COOKIE, go, language_of, show
from waystream.web.shell.language import Language
from waystream.web.shell.vocabulary import ROLE_WORDS

router = APIRouter()


@dataclass(frozen=True, slots=True)
class MePage:
    answer: Markup
    fields: tuple[FormField, ...]
    must_change: bool
    language: str


@router.get("/me")
def show_me(request: Request, seat: Annotated[Seat, requires(SIGNED_IN)]) -> Response:
    return show(request, "me/page.html", draw(language_of(request), seat, None))


@router.post("/me/password")
def change_password(request: Request, seat: Annotated[Seat, requires(SIGNED_IN)], form: Form) -> Response:
    language = language_of(request)
    old, new = form.text("old"), form.text("new")
    try:
        if new != form.text("again"):
            raise Invalid("again", "The two new passwords differ.")
        # Committed either way: a wrong old password counts like a wrong sign-in.
        fits = act_on_setup(
            request, lambda tx: people.change_password(tx, seat.staff_id, old=old, new=new, token=seat.token)
        )
        if not fits:
            raise Invalid("old", "The present password is wrong.")
    except Invalid as refusal:
        return show(request, "me/page.html", draw(language, seat, form.refused(refusal)), status=refusal.status)
    return go("/", said=language.say("Your password is changed; your other sessions have ended."))


@router.post("/me/language")
def choose_language(request: Request, seat: Annotated[Seat, requires(SIGNED_IN)], form: Form) -> Response:
    code = form.text("language")
    act_on_setup(request, lambda tx: people.set_language(tx, seat.staff_id, code))
    answer = go("/me")
    secure = context_of(request).cookie_secure
    answer.set_cookie(LANGUAGE_COOKIE, code, max_age=31536000, samesite="lax", secure=secure, path="/")
    return answer


def draw(language: Language, seat: Seat, form: Filled | None) -> MePage:
    say, caller = language.say, seat.caller
    role = say(ROLE_WORDS[caller.role]) if caller.role else ""
    answer = say("You are %(name)s, %(role)s.", name=caller.name, role=role)
    if caller.must_change:
        answer = say("Choose a password of your own; then everything else opens.")
    fields = (
        FormField("old", say("Present password"), "password", max=200),
        FormField("new", say("New password"), "password", max=200, hint=say("At least 10 characters.")),
        FormField("again", say("New password again"), "password", max=200),
    )
    return MePage(answer, filled_in(fields, form), caller.must_change, language.code)
