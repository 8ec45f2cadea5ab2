"""DingTalk's group robot as a `core.gateways.Gateway`: a letter to staff as one text, and what the robot says to it."""

from datetime import datetime
from typing import TYPE_CHECKING

from waystream.core.channels import Letter
from waystream.core.gateways import Gateway, Values
from waystream.core.ports import Ask
from waystream.core.robots import Robot, RobotAnswer, post, write_words
from waystream.integrations.dingtalk.wire import PATH, TEXT_MAX_BYTES, Answer, code_of, write_body, write_query


class DingTalk(Robot):
    """`gateway` below is the one instance."""

    NAME = "DingTalk"
    ANSWER = Answer

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        query = write_query(values["token"], values.get("secret", ""), now=now)
        url = values["address"].rstrip("/") + PATH + "?" + query
        return post(url, write_body(write_words(letter, max_bytes=TEXT_MAX_BYTES)))

    def code_of(self, answer: RobotAnswer) -> str:
        return code_of(answer)


gateway = DingTalk(__package__)
if TYPE_CHECKING:
    _conforms: Gateway = gateway
