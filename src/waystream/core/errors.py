"""The errors Waystream says out loud: each is one sentence a person can act on, with the HTTP status it answers.

A sentence never holds a name, phone or address. `path` names the field or setting that is wrong, where there is one.
Whatever is not one of these is a fault of ours and is caught only at the rim.
"""

from collections.abc import Sequence


class WaystreamError(Exception):
    """One sentence, the HTTP status it answers, and the field (`lines.0.sku`) or setting it is about."""

    status = 500

    def __init__(self, sentence: str, *, path: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.path = path


class Invalid(WaystreamError):
    """What was given cannot be taken as it is: `Invalid("lines.0.quantity", "must be at least 1")`."""

    status = 422

    def __init__(self, path: str | None, sentence: str) -> None:
        super().__init__(sentence, path=path)


class InvalidMany(Invalid):
    """Several fields are wrong at once; `problems` are told together so that nobody mends them one by one."""

    def __init__(self, problems: Sequence[Invalid]) -> None:
        assert problems, "an error without a problem"
        super().__init__(problems[0].path, problems[0].sentence)
        self.problems = tuple(problems)


class Forbidden(WaystreamError):
    status = 403


class Missing(WaystreamError):
    status = 404


class Conflict(WaystreamError):
    """It cannot be done in the present state; asking again changes nothing until the state does."""

    status = 409


class TooLarge(WaystreamError):
    status = 413


class Refused(WaystreamError):
    """The other side understood and said no: terminal, repeating it is pointless. `code` is its own code."""

    status = 422

    def __init__(self, sentence: str, *, path: str | None = None, code: str = "") -> None:
        super().__init__(sentence, path=path)
        self.code = code


class Unavailable(WaystreamError):
    """It may work later. `sent`: our bytes may have reached the other side, so the effect is in doubt. `code`: its own
    word for why not, where it gave one."""

    status = 503

    def __init__(
        self, sentence: str, retry_after_s: float | None = None, sent: bool = False, *, code: str = ""
    ) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s
        self.sent = sent
        self.code = code


class Unreadable(WaystreamError):
    """Bytes arrived that we cannot read: they go to quarantine as they are."""

    status = 400
