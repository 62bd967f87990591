"""The numbers as charts, for everybody: nothing that would tell of one person."""
from collections.abc import Callable
from typing import NamedTuple

from devdigest import charts, stats
from devdigest.stats import Day
from devdigest.web.visit import Page, Visit

_DEFAULT = 30           # days
_FIGURES = {            # what is counted, in the order in which it stands before one another
    "subscribers": ("subscribers",),
    "posts": ("posts",),
    "mails": ("mails",),
    "clicks": ("clicks", "readers"),
    "changes": ("asked", "confirmed", "cancelled"),
}
_PERSONAL = ("subscribers", "clicks", "changes")        # where there are few subscribers


class Figure(NamedTuple):
    """A chart with all that is said about it."""
    name: str                   # of its words
    counted: tuple[str, ...]    # of the words for its numbers
    total: str
    rows: list[tuple[str, str, tuple[int, ...]]]        # a day or a week, its numbers in words, and as such
    chart: charts.Chart | None                          # None where there is nothing to show


def last(days: int) -> Callable[[Visit], str]:
    """What answers with the numbers of so many days."""
    def answer(visit: Visit) -> str:
        found = stats.numbers(visit.config, visit.now, days)
        few, spans = found.subscribers < stats.FEWEST, stats.spans(found.days)
        figures = [_figure(name, spans, visit) for name in _FIGURES if not (few and name in _PERSONAL)]
        ranges = [(_path(each), visit.say(f"range_{each}"), each == days) for each in stats.RANGES]
        return visit.page(
            "stats", visit.say("nav_stats"), path=_path(days), about=visit.say("stats_about"), found=found,
            ranges=ranges, few=few, fewest=stats.FEWEST, figures=figures,
            labels=[_label(span, visit) for span in spans],
            left=None if few or found.left is None else f"{found.left:.1%}",
            warmth=None if few or not any(map(any, found.hours)) else charts.heat(found.hours))
    return answer


def _path(days: int) -> str:
    return "/stats" if days == _DEFAULT else f"/stats/{days}"


def _figure(name: str, spans: list[list[Day]], visit: Visit) -> Figure:
    counted = _FIGURES[name]
    numbers = [tuple(_sum(what, span) for what in counted) for span in spans]
    total = numbers[-1] if name == "subscribers" else tuple(map(sum, zip(*numbers, strict=True)))
    rows = [(_when(span, visit), _told(name, row, visit), row)
            for span, row in zip(spans, numbers, strict=True)]
    return Figure(name, counted, _told(name, total, visit), rows,
                  _chart(counted, numbers) if any(map(any, numbers)) else None)


def _sum(what: str, span: list[Day]) -> int:
    """Of some days together; subscribers are those at the end of them."""
    numbers = [getattr(day, what) for day in span]
    return numbers[-1] if what == "subscribers" else sum(numbers)


def _chart(counted: tuple[str, ...], numbers: list[tuple[int, ...]]) -> charts.Chart:
    if counted == ("subscribers",):
        return charts.area([row[0] for row in numbers])
    return charts.bars([[-number if what == "cancelled" else number
                         for what, number in zip(counted, row, strict=True)] for row in numbers])


def _told(name: str, numbers: tuple[int, ...], visit: Visit) -> str:
    return visit.say(f"told_{name}", *(f"{number:,}" for number in numbers))


def _when(span: list[Day], visit: Visit) -> str:
    first, last = span[0].day, span[-1].day
    return visit.words.day(first) if first == last else visit.words.span(first, last)


def _label(span: list[Day], visit: Visit) -> str:
    """Below the plot: a day, or the month in which a week ends."""
    return visit.say("label_day" if len(span) == 1 else "label_month", span[-1].day)


PAGES = tuple(Page("GET", _path(days), last(days), kept=True) for days in stats.RANGES)
