"""Cities of China at prefecture level, and roughly where they are: to hold what a trace says against an address.

Guaranteed: what is not named beyond doubt is no place: outlets and streets are called after far cities (北京路), and
counties after others. Positions are good for distances of a hundred kilometres and more, nothing finer.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt

EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class City:
    """A city by its short name, in degrees; `province` by its short name, too."""

    province: str
    name: str
    longitude: float
    latitude: float


#: Province: its cities, each with longitude and latitude in degrees.
_TABLE = """
北京: 北京 116.4 39.9
天津: 天津 117.2 39.1
上海: 上海 121.5 31.2
重庆: 重庆 106.5 29.6
河北: 石家庄 114.5 38.0 唐山 118.2 39.6 秦皇岛 119.6 39.9 邯郸 114.5 36.6 邢台 114.5 37.1 保定 115.5 38.9 张家口 114.9 40.8 承德 117.9 41.0 沧州 116.8 38.3 廊坊 116.7 39.5 衡水 115.7 37.7
山西: 太原 112.5 37.9 大同 113.3 40.1 阳泉 113.6 37.9 长治 113.1 36.2 晋城 112.9 35.5 朔州 112.4 39.3 晋中 112.8 37.7 运城 111.0 35.0 忻州 112.7 38.4 临汾 111.5 36.1 吕梁 111.1 37.5
内蒙古: 呼和浩特 111.7 40.8 包头 109.8 40.7 乌海 106.8 39.7 赤峰 118.9 42.3 通辽 122.2 43.6 鄂尔多斯 109.8 39.6 呼伦贝尔 119.8 49.2 巴彦淖尔 107.4 40.7 乌兰察布 113.1 41.0 兴安 122.0 46.1 锡林郭勒 116.1 43.9 阿拉善 105.7 38.8
辽宁: 沈阳 123.4 41.8 大连 121.6 38.9 鞍山 123.0 41.1 抚顺 123.9 41.9 本溪 123.8 41.3 丹东 124.4 40.1 锦州 121.1 41.1 营口 122.2 40.7 阜新 121.7 42.0 辽阳 123.2 41.3 盘锦 122.1 41.1 铁岭 123.8 42.3 朝阳 120.5 41.6 葫芦岛 120.8 40.7
吉林: 长春 125.3 43.8 吉林 126.5 43.8 四平 124.4 43.2 辽源 125.1 42.9 通化 125.9 41.7 白山 126.4 41.9 松原 124.8 45.1 白城 122.8 45.6 延边 129.5 42.9
黑龙江: 哈尔滨 126.5 45.8 齐齐哈尔 123.9 47.4 鸡西 131.0 45.3 鹤岗 130.3 47.3 双鸭山 131.2 46.6 大庆 125.1 46.6 伊春 128.8 47.7 佳木斯 130.3 46.8 七台河 131.0 45.8 牡丹江 129.6 44.6 黑河 127.5 50.2 绥化 127.0 46.6 大兴安岭 124.1 50.4
江苏: 南京 118.8 32.1 无锡 120.3 31.5 徐州 117.2 34.2 常州 120.0 31.8 苏州 120.6 31.3 南通 120.9 32.0 连云港 119.2 34.6 淮安 119.0 33.6 盐城 120.2 33.3 扬州 119.4 32.4 镇江 119.4 32.2 泰州 119.9 32.5 宿迁 118.3 34.0
浙江: 杭州 120.2 30.3 宁波 121.6 29.9 温州 120.7 28.0 嘉兴 120.8 30.8 湖州 120.1 30.9 绍兴 120.6 30.0 金华 119.6 29.1 衢州 118.9 28.9 舟山 122.2 30.0 台州 121.4 28.7 丽水 119.9 28.5
安徽: 合肥 117.2 31.8 芜湖 118.4 31.4 蚌埠 117.4 32.9 淮南 117.0 32.6 马鞍山 118.5 31.7 淮北 116.8 34.0 铜陵 117.8 30.9 安庆 117.1 30.5 黄山 118.3 29.7 滁州 118.3 32.3 阜阳 115.8 32.9 宿州 117.0 33.6 六安 116.5 31.7 亳州 115.8 33.8 池州 117.5 30.7 宣城 118.8 30.9
福建: 福州 119.3 26.1 厦门 118.1 24.5 莆田 119.0 25.4 三明 117.6 26.3 泉州 118.7 24.9 漳州 117.6 24.5 南平 118.1 27.3 龙岩 117.0 25.1 宁德 119.5 26.7
江西: 南昌 115.9 28.7 景德镇 117.2 29.3 萍乡 113.9 27.6 九江 116.0 29.7 新余 114.9 27.8 鹰潭 117.1 28.3 赣州 114.9 25.8 吉安 115.0 27.1 宜春 114.4 27.8 抚州 116.4 28.0 上饶 118.0 28.5
山东: 济南 117.1 36.7 青岛 120.4 36.1 淄博 118.1 36.8 枣庄 117.3 34.8 东营 118.7 37.4 烟台 121.4 37.5 潍坊 119.2 36.7 济宁 116.6 35.4 泰安 117.1 36.2 威海 122.1 37.5 日照 119.5 35.4 临沂 118.4 35.1 德州 116.4 37.4 聊城 116.0 36.5 滨州 118.0 37.4 菏泽 115.5 35.2 莱芜 117.7 36.2
河南: 郑州 113.6 34.7 开封 114.3 34.8 洛阳 112.5 34.6 平顶山 113.2 33.8 安阳 114.4 36.1 鹤壁 114.3 35.7 新乡 113.9 35.3 焦作 113.2 35.2 濮阳 115.0 35.8 许昌 113.9 34.0 漯河 114.0 33.6 三门峡 111.2 34.8 南阳 112.5 33.0 商丘 115.7 34.4 信阳 114.1 32.1 周口 114.7 33.6 驻马店 114.0 33.0 济源 112.6 35.1
湖北: 武汉 114.3 30.6 黄石 115.0 30.2 十堰 110.8 32.6 宜昌 111.3 30.7 襄阳 112.1 32.0 鄂州 114.9 30.4 荆门 112.2 31.0 孝感 113.9 30.9 荆州 112.2 30.3 黄冈 114.9 30.5 咸宁 114.3 29.8 随州 113.4 31.7 恩施 109.5 30.3 仙桃 113.5 30.4 潜江 112.9 30.4 天门 113.2 30.7 神农架 110.7 31.7
湖南: 长沙 112.9 28.2 株洲 113.1 27.8 湘潭 112.9 27.8 衡阳 112.6 26.9 邵阳 111.5 27.2 岳阳 113.1 29.4 常德 111.7 29.0 张家界 110.5 29.1 益阳 112.4 28.6 郴州 113.0 25.8 永州 111.6 26.4 怀化 110.0 27.6 娄底 112.0 27.7 湘西 109.7 28.3
广东: 广州 113.3 23.1 韶关 113.6 24.8 深圳 114.1 22.5 珠海 113.6 22.3 汕头 116.7 23.4 佛山 113.1 23.0 江门 113.1 22.6 湛江 110.4 21.3 茂名 110.9 21.7 肇庆 112.5 23.0 惠州 114.4 23.1 梅州 116.1 24.3 汕尾 115.4 22.8 河源 114.7 23.7 阳江 112.0 21.9 清远 113.1 23.7 东莞 113.8 23.0 中山 113.4 22.5 潮州 116.6 23.7 揭阳 116.4 23.5 云浮 112.0 22.9
广西: 南宁 108.4 22.8 柳州 109.4 24.3 桂林 110.3 25.3 梧州 111.3 23.5 北海 109.1 21.5 防城港 108.4 21.7 钦州 108.6 21.9 贵港 109.6 23.1 玉林 110.2 22.6 百色 106.6 23.9 贺州 111.6 24.4 河池 108.1 24.7 来宾 109.2 23.7 崇左 107.4 22.4
海南: 海口 110.3 20.0 三亚 109.5 18.3 儋州 109.6 19.5 琼海 110.5 19.2 文昌 110.8 19.5 万宁 110.4 18.8 五指山 109.5 18.8 东方 108.7 19.1
四川: 成都 104.1 30.6 自贡 104.8 29.3 攀枝花 101.7 26.6 泸州 105.4 28.9 德阳 104.4 31.1 绵阳 104.7 31.5 广元 105.8 32.4 遂宁 105.6 30.5 内江 105.1 29.6 乐山 103.8 29.6 南充 106.1 30.8 眉山 103.8 30.1 宜宾 104.6 28.8 广安 106.6 30.5 达州 107.5 31.2 雅安 103.0 30.0 巴中 106.7 31.9 资阳 104.6 30.1 阿坝 102.2 31.9 甘孜 102.0 30.0 凉山 102.3 27.9
贵州: 贵阳 106.6 26.6 六盘水 104.8 26.6 遵义 106.9 27.7 安顺 105.9 26.2 毕节 105.3 27.3 铜仁 109.2 27.7 黔西南 104.9 25.1 黔东南 108.0 26.6 黔南 107.5 26.3
云南: 昆明 102.8 24.9 曲靖 103.8 25.5 玉溪 102.5 24.4 保山 99.2 25.1 昭通 103.7 27.3 丽江 100.2 26.9 普洱 101.0 22.8 临沧 100.1 23.9 楚雄 101.5 25.0 红河 103.4 23.4 文山 104.2 23.4 西双版纳 100.8 22.0 大理 100.3 25.6 德宏 98.6 24.4 怒江 98.9 25.9 迪庆 99.7 27.8
西藏: 拉萨 91.1 29.7 日喀则 88.9 29.3 昌都 97.2 31.1 林芝 94.4 29.6 山南 91.8 29.2 那曲 92.1 31.5 阿里 80.1 32.5
陕西: 西安 108.9 34.3 铜川 108.9 34.9 宝鸡 107.2 34.4 咸阳 108.7 34.3 渭南 109.5 34.5 延安 109.5 36.6 汉中 107.0 33.1 榆林 109.7 38.3 安康 109.0 32.7 商洛 109.9 33.9
甘肃: 兰州 103.8 36.1 嘉峪关 98.3 39.8 金昌 102.2 38.5 白银 104.2 36.5 天水 105.7 34.6 武威 102.6 37.9 张掖 100.4 38.9 平凉 106.7 35.5 酒泉 98.5 39.7 庆阳 107.6 35.7 定西 104.6 35.6 陇南 104.9 33.4 临夏 103.2 35.6 甘南 102.9 35.0
青海: 西宁 101.8 36.6 海东 102.1 36.5 海北 100.9 37.0 黄南 102.0 35.5 海南 100.6 36.3 果洛 100.2 34.5 玉树 97.0 33.0 海西 97.4 37.4
宁夏: 银川 106.2 38.5 石嘴山 106.4 39.0 吴忠 106.2 38.0 固原 106.2 36.0 中卫 105.2 37.5
新疆: 乌鲁木齐 87.6 43.8 克拉玛依 84.9 45.6 吐鲁番 89.2 42.9 哈密 93.5 42.8 昌吉 87.3 44.0 博尔塔拉 82.1 44.9 巴音郭楞 86.1 41.8 阿克苏 80.3 41.2 克孜勒苏 76.2 39.7 喀什 76.0 39.5 和田 79.9 37.1 伊犁 81.3 43.9 塔城 83.0 46.7 阿勒泰 88.1 47.8 石河子 86.0 44.3
"""  # noqa: E501

_ENTRY = re.compile(r"(\S+) ([\d.]+) ([\d.]+)")


def _read_table() -> tuple[City, ...]:
    return tuple(
        City(province, name, float(longitude), float(latitude))
        for province, cities in (line.split(": ") for line in _TABLE.strip().splitlines())
        for name, longitude, latitude in _ENTRY.findall(cities)
    )


CITIES = _read_table()
_OF_PROVINCE = {
    province: tuple(city for city in CITIES if city.province == province) for province in {c.province for c in CITIES}
}
_OF_NAME = {city.name: city for city in CITIES}
#: The name alone may be a province, a county or a shop: these need their unit or province beside it.
_SHARED = frozenset({"吉林", "海南", "朝阳", "兴安", "阿里", "海西", "海北"})

_NAME = "|".join(sorted(_OF_NAME, key=len, reverse=True))
_NO_STREET = r"(?!路|街|大道|大街)"
_WITH_UNIT = re.compile(rf"({_NAME})(?:市(?!场)|地区|盟|林区|[^\s市区县]{{0,12}}?自治州){_NO_STREET}")
_WITH_PROVINCE = re.compile(
    rf"({'|'.join(_OF_PROVINCE)})(?:省|市|(?:壮族|回族|维吾尔)?自治区)?[\s·-]*({_NAME}){_NO_STREET}"
)
#: What may stand before the place that a text begins with.
_LEAD = re.compile(r"^\s*[由在从]?\s*[【\[]?\s*")


@lru_cache(8192)
def find_city(province: str, city: str) -> City | None:
    """The city of an address; None where it is not known for sure."""
    short = next((name for name in _OF_PROVINCE if province.startswith(name)), "")
    cities = _OF_PROVINCE.get(short, ())
    if len(cities) == 1:
        return cities[0]
    found = next((each for each in cities if city.startswith(each.name)), None)
    return found or (find_named(city) if not short else None)


def find_named(text: str) -> City | None:
    """The city that a text begins with: with its unit (深圳市) or behind its province (广东深圳)."""
    text = _LEAD.sub("", text, count=1)
    behind = _WITH_PROVINCE.match(text)
    if behind:
        return next((each for each in _OF_PROVINCE[behind[1]] if each.name == behind[2]), None)
    named = _WITH_UNIT.match(text)
    return _OF_NAME[named[1]] if named else None


@lru_cache(8192)
def find_place(location: str, text: str) -> City | None:
    """Where a scan happened: what its place field names, else the city its text begins with."""
    bare = _OF_NAME.get(location.strip())
    if bare is not None and bare.name not in _SHARED:
        return bare
    return find_named(location) if location.strip() else find_named(text)


def distance_km(one: City, other: City) -> float:
    """Over the earth, between their centres."""
    east = radians(other.longitude - one.longitude)
    north = radians(other.latitude - one.latitude)
    chord = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))
