"""Trace texts lose the people and keep the rest."""

import pytest

from waystream.parts.tracking.masks import masked


@pytest.mark.parametrize(("told", "stored"), [
    ("【武汉】派件员：王小明 电话13812345678 正在派件", "【武汉】派件员：王** 电话1********** 正在派件"),
    ("派件员:王小明(138-1234-5678)", "派件员:王**(1**********)"),
    ("业务员【李四】正在派件，联系电话：+86 13912345678", "业务员【李**】正在派件，联系电话：1**********"),
    ("已签收，签收人：张三丰，如有疑问请电联 0755-88887777", "已签收，签收人：张**，如有疑问请电联 0755-********"),
    ("快递员为 欧阳娜娜", "快递员为 欧**"),
    ("已签收，签收人是【门卫】", "已签收，签收人是【门**】"),
])
def test_people_are_replaced(told: str, stored: str) -> None:
    assert masked(told) == stored
    assert masked(stored) == stored


@pytest.mark.parametrize("told", [
    "快件到达【武汉转运中心】", "运单号 YT8835012345678 已发出", "客服电话 95554", "投诉电话 400-888-9999",
    "包裹 20006208 已扫描", "派件员正在派件", "2026-11-11 10:00:00 已揽收", "",
])
def test_the_rest_stays(told: str) -> None:
    assert masked(told) == told
