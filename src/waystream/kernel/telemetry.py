"""What the machine says about itself: lines on stderr, for people or as JSON.

Guaranteed: no personal data. A line never quotes an error's message or a traceback's values, and phone numbers that
slip into a text are masked. Figures for Prometheus are in `figures`.
"""

import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Literal, TextIO

import msgspec

from waystream.kernel.database import error_text

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

FRAMES = 8
PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)\d{8}(?!\d)|(?<!\d)(0\d{2,3})-?\d{7,8}(?!\d)")
#: These say addresses with their queries (a search for a phone) or repeat our own errors with their texts.
TOO_TALKATIVE = ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "psycopg", "psycopg.pool", "fontTools")


class Line(msgspec.Struct, omit_defaults=True):
    """One line of the log, as JSON."""

    at: str
    level: str
    logger: str
    message: str
    error: str = ""
    frames: tuple[str, ...] = ()


def configure_logging(level: Level, *, json: bool, stream: TextIO | None = None) -> None:
    """Log to stderr: JSON for machines, a plain line for people. Call it again to change the level."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if json else PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in TOO_TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def mask(text: str) -> str:
    """Keep what tells numbers apart, not whose they are: 13800138000 becomes 138********."""
    return PHONE.sub(lambda found: (found[1] or found[2]) + "********", text)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return msgspec.json.encode(_line(record)).decode()


class PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = _line(record)
        frames = "".join(f"\n    {frame}" for frame in line.frames)
        error = f"  {line.error}" if line.error else ""
        return f"{line.at} {line.level:<8} {line.logger}  {line.message}{error}{frames}"


def _line(record: logging.LogRecord) -> Line:
    error = record.exc_info[1] if record.exc_info else None
    return Line(
        at=datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        level=record.levelname,
        logger=record.name,
        message=mask(record.getMessage()),
        error=mask(error_text(error)) if error else "",
        frames=_frames(error) if error else (),
    )


def _frames(error: BaseException) -> tuple[str, ...]:
    """Where it happened, innermost last: places in the code, no values."""
    walked = list(traceback.walk_tb(error.__traceback__))[-FRAMES:]
    return tuple(f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}" for frame, line in walked)
