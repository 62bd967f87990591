"""Dates as feeds write them. Every shape is spelt out: a date that fits none is unreadable, never guessed.

RFC 822 and 5322 (RSS), RFC 3339 and ISO 8601 (Atom), Korean and US forms, asctime, epoch. No year is judged.
"""
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_LONGEST = 100      # characters; JavaScript's, the longest seen, take 50

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")
_HOURS_OF = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "eet": 2,
    "eest": 3, "sast": 2, "msk": 3, "sgt": 8, "hkt": 8, "kst": 9, "jst": 9, "aest": 10, "aedt": 11,
    "nzst": 12, "nzdt": 13,
    # RFC 5322, 4.3; so CST is not China's
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "akst": -9, "akdt": -8, "hst": -10,
}

_COMMENT = re.compile(r"\([^()]*\)|\[[^][]*]")      # RFC 5322, 3.2.2; Java adds [Asia/Seoul]
# In any language where a comma follows, and whether right or wrong.
_WEEKDAY = re.compile(r"[^\W\d_]+\.?,\s*"
                      r"|(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|[월화수목금토일]요일)\.?\s+")
_EPOCH = re.compile(r"([0-9]{10})(?:[0-9]{3})?")    # seconds, or milliseconds as JavaScript counts

_ZONE = (r"\s*(?P<name>[a-z]{1,5})?"
         r"\s*(?:(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d\d)?(?::?(?P<seconds>\d\d))?(?:\s*[a-z]{1,5})?)?")
_TIME = (r"(?:(?P<half>오전|오후|am|pm)\s*)?(?P<hour>\d{1,2}):(?P<minute>\d{1,2})"
         r"(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?)?(?:\s*(?P<half_after>오전|오후|[ap]\.?m\b\.?))?")
_THEN_TIME = rf"(?:(?:\s*t\s*|[\s,]+(?:at\s+)?){_TIME})?{_ZONE}"
_SHAPES = tuple(re.compile(shape, re.ASCII) for shape in (
    # 2020-09-29T23:58:05+09:00, 2024. 10. 2., 2024/10/02 10:00, 2024년 10월 2일 수요일 오후 11:58
    rf"(?P<year>\d{{4}})\s*[-./년]\s*(?P<month>\d{{1,2}})\s*[-./월]\s*(?P<day>\d{{1,2}})\s*[.일]?"
    rf"(?:\s*[월화수목금토일]요일)?{_THEN_TIME}",
    # 29 Sep 2020 23:58:05 +0900, 29 9월 2020, 29-Sep-20
    rf"(?P<day>\d{{1,2}})[\s-]+(?P<month>[a-z]{{3,9}}\.?|\d{{1,2}}월)[\s,-]+(?P<year>\d{{2,4}}){_THEN_TIME}",
    # September 29, 2020 11:58 AM, Sep 29 2020 23:58:05 GMT+0900
    rf"(?P<month>[a-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s,]+(?P<year>\d{{4}}){_THEN_TIME}",
    # Sep 29 23:58:05 2020, Sep 29 23:58:05 KST 2020
    rf"(?P<month>[a-z]{{3}})\s+(?P<day>\d{{1,2}})\s+{_TIME}{_ZONE}\s+(?P<year>\d{{4}})",
    # 9/29/2020 11:58 PM
    rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/(?P<year>\d{{4}}){_THEN_TIME}",
))


def read(raw: str, zone: ZoneInfo) -> datetime | date | None:
    """An instant as aware UTC, a bare date as `date`, None for what cannot be read.

    Bare is what has no time, or 00:00:00 in whatever zone: its written day counts. 24:00:00 is the next day,
    bare too. A time without a zone is in `zone`; one in a zone of unknown name cannot be read.
    """
    if len(raw) > _LONGEST:
        return None
    text = " ".join(_COMMENT.sub(" ", raw).lower().split())
    if epoch := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(epoch[1]), UTC)
    if weekday := _WEEKDAY.match(text):
        text = text[weekday.end():]
    for shape in _SHAPES:
        if found := shape.fullmatch(text):
            try:
                return _when(found.groupdict(), zone)
            except (ValueError, OverflowError):     # 30 February; an instant before year 1 or after 9999
                return None
    return None


def _when(parts: dict[str, str | None], zone: ZoneInfo) -> datetime | date:
    day = date(_year(parts["year"] or ""), _month(parts["month"] or ""), int(parts["day"] or ""))
    offset = _zone(parts, zone)
    if parts["hour"] is None:
        return day
    hour, minute = _hour(parts), int(parts["minute"] or "")
    second = 59 if parts["second"] == "60" else int(parts["second"] or 0)     # a leap second stays on its day
    fraction = int((parts["fraction"] or "0").ljust(6, "0")[:6])
    if (minute, second, fraction) == (0, 0, 0) and hour in (0, 24):
        return day + timedelta(days=hour // 24)
    return datetime.combine(day, time(hour, minute, second, fraction), offset).astimezone(UTC)


def _year(digits: str) -> int:
    if len(digits) == 4:
        return int(digits)
    return int(digits) + (2000 if len(digits) == 2 and digits < "50" else 1900)     # RFC 5322, 4.3


def _month(written: str) -> int:
    word = written.rstrip(".월")
    if word.isdecimal():
        return int(word)
    return next((number for number, name in enumerate(_MONTHS, 1) if name.startswith(word)), 0)


def _hour(parts: dict[str, str | None]) -> int:
    hour = int(parts["hour"] or "")
    half = (parts["half"] or parts["half_after"] or "").replace(".", "")
    if half in ("pm", "오후") and hour < 12:
        return hour + 12
    return 0 if half in ("am", "오전") and hour == 12 else hour


def _zone(parts: dict[str, str | None], zone: ZoneInfo) -> tzinfo:
    if parts["sign"]:
        ahead = timedelta(hours=int(parts["hours"] or 0), minutes=int(parts["minutes"] or 0),
                          seconds=int(parts["seconds"] or 0))
        return timezone(-ahead if parts["sign"] == "-" else ahead)
    if parts["name"]:
        if parts["name"] not in _HOURS_OF:
            raise ValueError(f"no such zone: {parts['name']}")
        return timezone(timedelta(hours=_HOURS_OF[parts["name"]]))
    return zone
