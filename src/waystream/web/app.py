"""The web application: every route, its middleware and its error handler, put together from the open lists.

`make_web(context)` is all the composition root needs; `context.live` is started and closed by it as well.
"""

from collections.abc import Sequence
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from waystream.web import assets, asyncapi, health, openapi, stream
from waystream.web.address import own_path
from waystream.web.auth import open_to_all
from waystream.web.context import WebContext, context_of
from waystream.web.errors import LastResort, handle_errors
from waystream.web.figures import BusinessCollector
from waystream.web.middleware import AccessLog, BodyLimit, Careful, EndsQuietly
from waystream.web.navigation import list_pages, list_resources
from waystream.web.render import LANGUAGE_COOKIE
from waystream.web.shell.language import LANGUAGES

FILE_LIMIT_BYTES = 256 * 1024 * 1024

router = APIRouter(include_in_schema=False)


def make_web(context: WebContext, extra: Sequence[APIRouter] = (), *, pages: bool = True) -> FastAPI:
    """The whole web; `extra` are routers of other roles that share the process (pushes).

    Without `pages` there is only what machines ask of any process: alive, ready, figures.
    """
    app = FastAPI(
        title="Waystream",
        version=version("waystream"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = context
    context.figures.registry.register(BusinessCollector(context.machine, context.live))
    app.add_middleware(LastResort)
    app.add_middleware(BodyLimit, limit_bytes=context.body_limit_bytes, files={"/import": FILE_LIMIT_BYTES})
    app.add_middleware(Careful, https=context.cookie_secure)
    app.add_middleware(AccessLog)
    app.add_middleware(EndsQuietly)
    handle_errors(app)
    for part in (health.router, *extra):
        app.include_router(part)
    if pages:
        _add_pages(app)
    return app


def _add_pages(app: FastAPI) -> None:
    for part in (router, stream.router, assets.router):
        app.include_router(part)
    for module in list_resources():
        app.include_router(module.router, prefix="/api")
    for module in list_pages():
        app.include_router(module.router, include_in_schema=False)


@router.get("/language/{code}", dependencies=[open_to_all()])
def choose_language(request: Request, code: str, back: str = "/") -> Response:
    """Remember the language and go back to where one was."""
    answer = RedirectResponse(own_path(back), 303)
    if code in LANGUAGES:
        secure = context_of(request).cookie_secure
        answer.set_cookie(LANGUAGE_COOKIE, code, max_age=31536000, samesite="lax", secure=secure, path="/")
    return answer


@router.get("/api/openapi.json", dependencies=[open_to_all()])
def describe_api(request: Request) -> dict[str, object]:
    return openapi.describe(request.app)


@router.get("/api/asyncapi.json", dependencies=[open_to_all()])
def describe_events(request: Request) -> dict[str, object]:
    return asyncapi.describe(version=request.app.version)


@router.get("/robots.txt", dependencies=[open_to_all()])
def refuse_robots() -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
