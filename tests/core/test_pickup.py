"""Where a parcel waits and its code, from carriers' words as they come."""

import pytest

from waystream.core.pickup import Pickup, read_pickup


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("快件已放入【丰巢智能柜3号】，请凭取件码 8812-4471 及时领取", "丰巢智能柜3号", "8812-4471"),
        ("您的快件已到达【桐梓林路菜鸟驿站】，取件码：5-6-7012，营业时间 9-21 点", "桐梓林路菜鸟驿站", "5-6-7012"),
        ("已存放至妈妈驿站文三路店，请凭提货码A102领取", "妈妈驿站文三路店", "A102"),
        ("快件已放入【keeper】，请凭取件码及时领取，如有疑问请联系派件员", "keeper", ""),
        ("派件员 张** 1********** 正在派件", "", ""),
        ("请联系快递员取件 取件码 13812345678", "", ""),
        ("【杭州转运中心】已发出", "", ""),
        ("Ready at locker, pickup code: 4471", "", "4471"),
    ],
)
def test_place_and_code(text: str, place: str, code: str) -> None:
    assert read_pickup(text) == Pickup(place, code)
