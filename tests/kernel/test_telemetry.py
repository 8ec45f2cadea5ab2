"""Logs say what happened and never to whom."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from waystream.kernel.telemetry import configure_logging, mask

logger = logging.getLogger("waystream.test")


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


def test_a_line_is_one_json_object() -> None:
    said = io.StringIO()
    configure_logging("INFO", json=True, stream=said)
    logger.debug("too quiet")
    logger.info("placed %d events", 3)
    line = json.loads(said.getvalue())
    assert line.pop("at").endswith("+00:00")
    assert line == {"level": "INFO", "logger": "waystream.test", "message": "placed 3 events"}


@pytest.mark.parametrize("as_json", [True, False])
def test_an_error_is_placed_and_not_quoted(as_json: bool) -> None:
    said = io.StringIO()
    configure_logging("INFO", json=as_json, stream=said)
    try:
        raise ValueError("张三 13800138000 住在文三路")
    except ValueError:
        logger.exception("could not print for 13800138000")
    assert "ValueError at test_telemetry.py:" in said.getvalue()
    assert "test_an_error_is_placed_and_not_quoted" in said.getvalue()
    assert "138********" in said.getvalue()
    assert not {"张三", "13800138000", "文三路"} & set(said.getvalue().replace(" ", "\n").split())
    assert "张三" not in said.getvalue()


def test_loggers_that_repeat_addresses_are_quiet() -> None:
    said = io.StringIO()
    configure_logging("INFO", json=False, stream=said)
    logging.getLogger("uvicorn.access").info("GET /orders?phone=13800138000")
    logging.getLogger("httpx").info("HTTP Request: POST https://example.com/?phone=13800138000")
    assert said.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("tel 13800138000.", "tel 138********."),
        ("+86 13800138000", "138********"),
        ("0571-88776655", "0571********"),
        ("event 173640283990261760", "event 173640283990261760"),
        ("12 events in 1.25 s", "12 events in 1.25 s"),
    ],
)
def test_phone_numbers_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
