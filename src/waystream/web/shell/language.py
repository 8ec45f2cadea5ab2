"""The two languages: whole sentences from the catalogue, and numbers, money and dates as each language writes them.

English sentences are the keys; `locale/zh/*.po` hold the Chinese of the pages, `parts.po` and `*.parts.po` that of
errors and reasons: an open list, so that what belongs together can have a file of its own.
Sentences are trusted markup, what is put into them is escaped. Numbers are formatted here, never by a template.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from markupsafe import Markup

LANGUAGES = ("zh", "en")
CHINESE = Path(__file__).parent / "locale" / "zh"
PARTS = "parts.po"

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86400
WAN_FROM = 100_000
MINUS = "\N{MINUS SIGN}"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant for a page: machine-readable, how long ago, and exactly."""

    iso: str
    ago: str
    exact: str


@dataclass(frozen=True)
class Language:
    """One language in one time zone."""

    code: str
    zone: ZoneInfo

    def say(self, sentence: str, **facts: object) -> Markup:
        """The sentence in this language with its facts put in; `sentence` is the English text and the key."""
        return _fill(self._look_up(sentence), facts)

    def say_n(self, one: str, many: str, n: int, **facts: object) -> Markup:
        """The sentence for `n` things; `%(n)s` in it is the number as this language writes it."""
        text = self._look_up(one, plural=True) if self.code == "zh" else (one if n == 1 else many)
        return _fill(text, {"n": self.number(n), **facts})

    def echo(self, text: str) -> str:
        """A sentence that comes from a part (an error, a reason), with what the part put into it."""
        if self.code == "en":
            return text
        for pattern, translation in list_patterns():
            if found := pattern.fullmatch(text):
                return translation.format(*map(self.echo, found.groups()))
        return self._look_up(text)

    def _look_up(self, sentence: str, *, plural: bool = False) -> str:
        if self.code == "en":
            return sentence
        message = catalogue().get(sentence)
        if message is None or not message.string:
            return sentence
        return message.string[0] if isinstance(message.string, list | tuple) else str(message.string)

    def number(self, n: int | float, digits: int = 0) -> str:
        """`12,846`; in Chinese from a hundred thousand on `31.2 万`; the minus is a real one."""
        if self.code == "zh" and abs(n) >= WAN_FROM and not digits:
            return f"{n / 10_000:,.1f} 万".replace("-", MINUS)
        return f"{n:,.{digits}f}".replace("-", MINUS)

    def share(self, part: int, whole: int) -> str:
        """A percentage with one digit, `–` of nothing."""
        return f"{100 * part / whole:.1f}" if whole else "–"

    def money(self, fen: int) -> str:
        """`1,280.00`; the currency stands in the head of the column."""
        sign = MINUS if fen < 0 else ""
        return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"

    def kilograms(self, weight_g: int) -> str:
        return f"{weight_g / 1000:.2f}"

    def when(self, at: datetime | None, now: datetime) -> Moment | None:
        if at is None:
            return None
        return Moment(at.astimezone(self.zone).isoformat(timespec="seconds"), self.ago(at, now), self.exact(at, now))

    def ago(self, at: datetime, now: datetime) -> str:
        """`2 min ago`; what lies ahead is told by its date."""
        seconds = int((now - at).total_seconds())
        if seconds < -MINUTE_S:
            return self.exact(at, now)
        if seconds < MINUTE_S:
            return self.say("just now")
        if seconds < HOUR_S:
            return self.say("%(n)s min ago", n=seconds // MINUTE_S)
        if seconds < DAY_S:
            return self.say("%(n)s h ago", n=seconds // HOUR_S)
        return self.say_n("%(n)s day ago", "%(n)s days ago", seconds // DAY_S)

    def lasting(self, seconds: float) -> str:
        """A duration: `45 s`, `12 min`, `7 h 12 min`, `3 d 4 h`."""
        whole = max(int(seconds), 0)
        if whole < MINUTE_S:
            return self.say("%(n)s s", n=whole)
        if whole < HOUR_S:
            return self.say("%(n)s min", n=whole // MINUTE_S)
        if whole < DAY_S:
            return self.say("%(h)s h %(m)s min", h=whole // HOUR_S, m=whole % HOUR_S // MINUTE_S)
        return self.say("%(d)s d %(h)s h", d=whole // DAY_S, h=whole % DAY_S // HOUR_S)

    def hours(self, seconds: float) -> str:
        """A duration in a column: `7:12`, hours and minutes."""
        minutes = max(int(seconds), 0) // MINUTE_S
        return f"{minutes // 60}:{minutes % 60:02d}"

    def exact(self, at: datetime, now: datetime) -> str:
        """`14:30` today, `yesterday 14:30`, else the date with it."""
        here, today = at.astimezone(self.zone), now.astimezone(self.zone).date()
        days = (today - here.date()).days
        if days == 0:
            return f"{here:%H:%M}"
        if days == 1:
            return self.say("yesterday %(time)s", time=f"{here:%H:%M}")
        return f"{self.short_date(here.date(), today.year)} {here:%H:%M}"

    def stamp(self, at: datetime, now: datetime) -> str:
        """An instant of a timeline, to the second: `today 09:20:03`, `11-11 18:05:31`."""
        here, today = at.astimezone(self.zone), now.astimezone(self.zone).date()
        days = (today - here.date()).days
        if days == 0:
            return self.say("today %(time)s", time=f"{here:%H:%M:%S}")
        if days == 1:
            return self.say("yesterday %(time)s", time=f"{here:%H:%M:%S}")
        return f"{self.short_date(here.date(), today.year)} {here:%H:%M:%S}"

    def short_date(self, day: date, this_year: int) -> str:
        this = day.year == this_year
        if self.code == "zh":
            return f"{day:%m-%d}" if this else f"{day:%Y-%m-%d}"
        return f"{day.day} {_MONTHS[day.month - 1]}{'' if this else f' {day.year}'}"

    def long_now(self, now: datetime) -> str:
        """`Thu 12 Nov, 14:32`: the head of the overview."""
        here = now.astimezone(self.zone)
        if self.code == "zh":
            return f"{here.month} 月 {here.day} 日 周{'一二三四五六日'[here.weekday()]} {here:%H:%M}"
        return f"{here:%a} {here.day} {_MONTHS[here.month - 1]}, {here:%H:%M}"


def N_(sentence: str) -> str:
    """Marks a sentence for the catalogue that is said later."""
    return sentence


def choose_language(wanted: str, accepted: str) -> str:
    """The language a person asked for, else the first one we have of their browser's."""
    if wanted in LANGUAGES:
        return wanted
    for part in accepted.split(","):
        code = part.split(";")[0].strip().split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return "zh"


@cache
def catalogue() -> Catalog:
    """The sentences of the pages."""
    return _read([path for path in sorted(CHINESE.glob("*.po")) if not path.name.endswith(PARTS)])


@cache
def parts_catalogue() -> Catalog:
    """The sentences that come from the parts; `{}` in them is what a part put in."""
    return _read(sorted(CHINESE.glob(f"*{PARTS}")))


@cache
def list_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences of the parts as patterns, the most particular first."""
    messages = [(str(message.id), str(message.string)) for message in parts_catalogue() if message.id]
    ordered = sorted(messages, key=lambda message: -len(message[0].replace("{}", "")))
    return tuple((re.compile("(.+)".join(map(re.escape, one.split("{}")))), other) for one, other in ordered)


def _read(files: Sequence[Path]) -> Catalog:
    """All of them as one; a sentence that stands in several is said as the last one has it."""
    whole = Catalog(locale="zh")
    for file in files:
        with file.open("rb") as opened:
            for message in read_po(opened, locale="zh"):
                if message.id:
                    whole[message.id] = message
    return whole


def _fill(text: str, facts: dict[str, object]) -> Markup:
    return Markup(text) % facts if facts else Markup(text)
