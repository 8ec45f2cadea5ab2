"""Places: named beyond doubt or not at all, and about where the real ones are."""

import csv
import os
from pathlib import Path

import pytest

from waystream.core.cities import CITIES, City, distance_km, find_city, find_place

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("WAYSTREAM_DATA", ROOT.parent / "shared" / "data"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("【郑州市】 快件已在 【郑州新郑】 签收", "郑州"),
        ("[广东省 深圳市 龙华区]快件到达【深圳转运中心】", "深圳"),
        ("由广东深圳罗湖中转部 发往 山东潍坊中转部", "深圳"),
        ("从浙江宁波分拨中心发出，本次转运目的地：浙江宁波鄞州区邱隘公司", "宁波"),
        ("南京市|发件|南京市【南京转运中心】", "南京"),
        ("广州市 51018010 中国邮政 已收取快件", "广州"),
        ("【恩施土家族苗族自治州】已签收", "恩施"),
        ("【海南藏族自治州】已签收", "海南"),
        ("【吉林市】已签收", "吉林"),
    ],
)
def test_a_text_names_its_city_at_its_beginning(text: str, name: str) -> None:
    place = find_place("", text)
    assert place is not None and place.name == name


@pytest.mark.parametrize(
    "text",
    [
        "【北京路营业部】已签收",
        "【上海南京路店】已签收",
        "[北京对外经贸]已签收",
        "【朝阳】已签收",
        "【河南南阳路营业部】已签收",
        "【义乌市】已签收",  # a county-level city
        "【三藩市】已签收",
        "快件已到达 【九江】",
        "客户 签收人 : 本人签收 已签收",
        "",
    ],
)
def test_what_may_be_another_place_is_none(text: str) -> None:
    assert find_place("", text) is None


def test_a_place_field_may_name_the_city_alone() -> None:
    assert find_place("深圳", "已签收") == find_city("广东省", "深圳市")
    assert find_place("深圳市", "【北京市】已签收") == find_city("广东省", "深圳市")
    assert find_place("朝阳", "已签收") is None
    assert find_place("转运中心", "【北京市】已签收") is None


def test_an_address_names_its_city() -> None:
    assert find_city("北京市", "市辖区") == find_city("北京市", "北京市") != None  # noqa: E711
    assert find_city("四川", "成都").name == "成都"  # type: ignore[union-attr]
    assert find_city("浙江省", "义乌市") is None
    assert find_city("", "") is None and find_city("虚拟", "虚拟市") is None


def test_distances_are_those_of_the_map() -> None:
    beijing, shanghai = find_city("北京", ""), find_city("上海", "")
    assert beijing and shanghai
    assert 1050 < distance_km(beijing, shanghai) < 1090
    assert distance_km(beijing, beijing) == 0


def test_every_real_city_is_where_it_is() -> None:
    """Against public centroids, where they are at hand."""
    file = DATA / "divisions" / "cn_divisions_centroids.csv"
    if not file.is_file():
        pytest.skip(f"no centroids: WAYSTREAM_DATA must name the folder that holds divisions/ (looked in {DATA})")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    provinces = {row["adcode"]: row["name"] for row in rows if row["level"] == "province"}
    found = 0
    for row in rows:
        city = find_city(provinces.get(row["parent_adcode"], ""), row["name"]) if row["level"] == "city" else None
        if city is not None and not row["name"].endswith("郊县"):
            there = City("", "", float(row["lng_gcj02"]), float(row["lat_gcj02"]))
            assert distance_km(city, there) < 50, row["name"]
            found += 1
    assert found >= len(CITIES) - 2
