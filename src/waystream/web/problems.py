"""What can be told of an error: a status, one sentence, the fields that are wrong; and nothing a person typed.

Who turns a problem into a page or into problem+json is `errors`; what the sentences mean is `core.errors`.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from waystream.core.errors import InvalidMany, WaystreamError
from waystream.web.shell.language import N_


class SignInFirst(WaystreamError):
    """Nobody is signed in, or the session or key is no longer good."""

    status = 401


class NewPasswordFirst(WaystreamError):
    """Signed in with a one-time password: nothing else is open until it is changed."""

    status = 403


@dataclass(frozen=True, slots=True)
class Problem:
    """What is told: `code` is set for faults of ours, `fields` are the paths that are wrong."""

    status: int
    sentence: str
    fields: tuple[tuple[str, str], ...] = ()
    code: str = ""
    retry_after_s: float | None = None


def describe(error: Exception) -> Problem:
    """The error as something that may be told; nothing of an unforeseen error gets out but its code."""
    if isinstance(error, InvalidMany):
        return Problem(error.status, error.sentence, tuple((each.path or "", each.sentence) for each in error.problems))
    fields: tuple[tuple[str, str], ...]
    if isinstance(error, WaystreamError):
        fields = ((error.path, error.sentence),) if error.path else ()
        return Problem(error.status, error.sentence, fields, retry_after_s=getattr(error, "retry_after_s", None))
    if isinstance(error, RequestValidationError):
        fields = _wrong_fields(error)
        return Problem(422, f"{fields[0][0]}: {fields[0][1]}" if fields else N_("The request is not valid"), fields)
    if isinstance(error, HTTPException):
        return Problem(error.status_code, _standard_sentence(error))
    if isinstance(error, psycopg.DataError):
        # A NUL or a number beyond bigint that no field's own check has met: written down, for that check is missing.
        return Problem(422, N_("The request is not valid"), code=_new_code())
    if isinstance(error, psycopg.OperationalError):
        return Problem(503, N_("The database does not answer"), retry_after_s=5, code=_new_code())
    return Problem(500, N_("Something of ours failed"), code=_new_code())


def _wrong_fields(error: RequestValidationError) -> tuple[tuple[str, str], ...]:
    """`("lines.0.quantity", "Input should be greater than 0")`: the path without `body`."""
    details: Sequence[dict[str, object]] = error.errors()
    return tuple((_path(detail["loc"]), str(detail["msg"])) for detail in details)


def _path(location: object) -> str:
    assert isinstance(location, tuple)
    steps = location[1:] if location and location[0] in {"body", "query", "path", "header"} else location
    return ".".join(str(step) for step in steps) or "body"


def _standard_sentence(error: HTTPException) -> str:
    """The framework's own refusals in our words."""
    sentences = {404: N_("There is no such page"), 405: N_("This address does not take that method")}
    return sentences.get(error.status_code, error.detail)


def _new_code() -> str:
    return secrets.token_hex(3).upper()
