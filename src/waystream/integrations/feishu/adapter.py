"""Feishu's group robot as a `core.gateways.Gateway`: a letter to staff as one text, and what the robot says to it."""

from datetime import datetime
from typing import TYPE_CHECKING

from waystream.core.channels import Letter
from waystream.core.gateways import Gateway, Values
from waystream.core.ports import Ask
from waystream.core.robots import Robot, post, write_words
from waystream.integrations.feishu.wire import TEXT_MAX_BYTES, Answer, write_body, write_path


class Feishu(Robot):
    """`gateway` below is the one instance."""

    NAME = "Feishu"
    ANSWER = Answer

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        url = values["address"].rstrip("/") + write_path(values["token"])
        words = write_words(letter, max_bytes=TEXT_MAX_BYTES)
        return post(url, write_body(words, values.get("secret", ""), now=now))


gateway = Feishu(__package__)
if TYPE_CHECKING:
    _conforms: Gateway = gateway
