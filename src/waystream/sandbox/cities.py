"""The sandbox's map: cities with their centres, the hub each belongs to, and how far apart two places are.

A city that is not on the map still has a place: one that its name decides, so nothing is ever undeliverable here.
"""

import hashlib
import math
from dataclasses import dataclass

_EARTH_KM = 6_371.0


@dataclass(frozen=True, slots=True)
class City:
    name: str
    latitude: float
    longitude: float
    hub: str


_ROWS = """
北京市 39.90 116.40 北京|天津市 39.13 117.20 天津|石家庄市 38.04 114.51 石家庄|太原市 37.87 112.55 太原
呼和浩特市 40.84 111.75 呼和浩特|沈阳市 41.80 123.43 沈阳|大连市 38.91 121.61 沈阳|长春市 43.82 125.32 长春
哈尔滨市 45.80 126.53 哈尔滨|上海市 31.23 121.47 上海|南京市 32.06 118.80 南京|苏州市 31.30 120.58 无锡
无锡市 31.49 120.31 无锡|杭州市 30.27 120.15 杭州|宁波市 29.87 121.55 杭州|温州市 27.99 120.70 温州
金华市 29.08 119.65 义乌|合肥市 31.82 117.23 合肥|福州市 26.07 119.30 福州|厦门市 24.48 118.09 泉州
泉州市 24.87 118.68 泉州|南昌市 28.68 115.86 南昌|济南市 36.65 117.12 济南|青岛市 36.07 120.38 潍坊
郑州市 34.75 113.63 郑州|武汉市 30.59 114.31 武汉|长沙市 28.23 112.94 长沙|广州市 23.13 113.26 广州
深圳市 22.54 114.06 深圳|东莞市 23.02 113.75 东莞|佛山市 23.02 113.12 广州|南宁市 22.82 108.37 南宁
海口市 20.04 110.20 海口|重庆市 29.56 106.55 重庆|成都市 30.57 104.07 成都|贵阳市 26.65 106.63 贵阳
昆明市 24.88 102.83 昆明|拉萨市 29.65 91.11 拉萨|西安市 34.34 108.94 西安|兰州市 36.06 103.83 兰州
西宁市 36.62 101.78 兰州|银川市 38.49 106.23 银川|乌鲁木齐市 43.83 87.62 乌鲁木齐
"""


def _read(row: str) -> City:
    name, latitude, longitude, hub = row.split()
    return City(name, float(latitude), float(longitude), hub)


CITIES = {city.name: city for city in map(_read, _ROWS.strip().replace("\n", "|").split("|"))}


def city_of(name: str) -> City:
    """The city of that name (市 may be missing), or a place its name decides."""
    full = name if name.endswith("市") else f"{name}市"
    return CITIES.get(full) or _invented(name)


def distance_km(one: City, other: City) -> float:
    """Along the great circle."""
    lat1, lat2 = math.radians(one.latitude), math.radians(other.latitude)
    turn = math.radians(other.longitude - one.longitude)
    arc = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(turn / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(arc))


def _invented(name: str) -> City:
    spot = hashlib.blake2b(name.encode(), digest_size=4).digest()
    return City(name, 24 + spot[0] / 16, 103 + spot[1] / 16, name.removesuffix("市"))
