"""The one place where errors become answers: problem+json for programs, a page for people.

An error of ours that nobody foresaw gets a code; the log has the same code and where it happened, never what a person
typed. What the sentences mean is `core.errors`.
"""

import logging
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waystream.core.errors import WaystreamError
from waystream.kernel.database import error_text
from waystream.web.problems import NewPasswordFirst, Problem, describe
from waystream.web.render import show_error

log = logging.getLogger("waystream.web")

PROBLEM = "application/problem+json"
SIGN_IN = "/sign-in"
NEW_PASSWORD = "/me"


def handle_errors(app: FastAPI) -> None:
    """Install the handler for everything that can be raised."""
    for kind in (WaystreamError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, answer_error)
    app.add_exception_handler(ClientDisconnect, _say_nothing)


def answer_error(request: Request, error: Exception) -> Response:
    problem = describe(error)
    if problem.code:
        route = getattr(request.scope.get("route"), "path", "-")
        log.error("%s %s %s", problem.code, route, error_text(error))
    if wants_page(request):
        if isinstance(error, NewPasswordFirst):
            return RedirectResponse(NEW_PASSWORD, HTTPStatus.SEE_OTHER)
        return _answer_page(request, problem)
    return _answer_program(problem)


def _say_nothing(_request: Request, _error: Exception) -> Response:
    """Whoever hangs up in the middle of a request hears no answer, and it is no error of ours."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def wants_page(request: Request) -> bool:
    return not request.url.path.startswith(("/api/", "/push/")) and "text/html" in request.headers.get("accept", "")


def _answer_page(request: Request, problem: Problem) -> Response:
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return _to_the_door(request)
    response = show_error(request, problem)
    return _with_retry(response, problem)


def _to_the_door(request: Request) -> Response:
    """To sign-in, and back to the same address afterwards; a fragment asked by a script reloads the whole page."""
    if request.headers.get("hx-request"):
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": SIGN_IN})
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?{urlencode({'next': path})}" if request.method == "GET" and path != "/" else ""
    return RedirectResponse(SIGN_IN + back, HTTPStatus.SEE_OTHER)


def _answer_program(problem: Problem) -> Response:
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.sentence,
    }
    if problem.fields:
        body["errors"] = [{"path": path, "detail": sentence} for path, sentence in problem.fields]
    if problem.code:
        body["code"] = problem.code
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == HTTPStatus.UNAUTHORIZED else None
    return _with_retry(JSONResponse(body, problem.status, headers, media_type=PROBLEM), problem)


def _with_retry(response: Response, problem: Problem) -> Response:
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, round(problem.retry_after_s)))
    return response


class LastResort:
    """Catches what nothing else did, inside the other middleware, so that this answer too is careful."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except Exception as error:  # noqa: BLE001 - the web's one place that catches everything
            answer = answer_error(Request(scope), error)
            if not started:
                await answer(scope, receive, send)
