"""WeCom's group robot as a `core.gateways.Gateway`: a letter to staff as one text, and what the robot says to it."""

from datetime import datetime
from typing import TYPE_CHECKING

from waystream.core.channels import Letter
from waystream.core.gateways import Gateway, Values
from waystream.core.ports import Ask
from waystream.core.robots import Robot, post, write_words
from waystream.integrations.wecom.wire import PATH, TEXT_MAX_BYTES, Answer, write_body, write_query


class WeCom(Robot):
    """`gateway` below is the one instance."""

    NAME = "WeCom"
    ANSWER = Answer

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        url = values["address"].rstrip("/") + PATH + "?" + write_query(values["key"])
        return post(url, write_body(write_words(letter, max_bytes=TEXT_MAX_BYTES)))


gateway = WeCom(__package__)
if TYPE_CHECKING:
    _conforms: Gateway = gateway
