"""The hub a parcel waits for, in the words of every style the sandbox's carriers write."""

import pytest

from waystream.parts.silence.places import PLACE_MAX_CHARS, place_of
from waystream.sandbox.phrases import STYLES, Scene, wording

SCENE = Scene(city="成都市", outlet="成都高新", hub="成都转运中心", courier="李师傅", phone="19900001234")
ON_THE_ROAD = Scene(city="杭州市", outlet="杭州城西", hub="杭州转运中心", following="成都转运中心")


@pytest.mark.parametrize("carrier", ["ZTO", "SF", "YTO", "YD"])
def test_in_a_hub_or_on_the_way_to_it_is_the_same_place(carrier: str) -> None:
    assert place_of(wording(carrier, "at_hub", SCENE), "成都市") == "成都转运中心"
    assert place_of(wording(carrier, "from_hub", ON_THE_ROAD), "杭州市") == "成都转运中心"
    assert len(STYLES) == 4


def test_where_no_hub_is_named_the_location_counts() -> None:
    assert place_of(wording("ZTO", "collected", SCENE), "成都市") == "成都市"
    assert place_of("", "") == ""


def test_a_place_is_short_and_without_numbers() -> None:
    assert place_of("", "驿站 13912345678  二楼") == "驿站 二楼"
    assert len(place_of("发往" + "很" * 500, "")) == PLACE_MAX_CHARS
