"""Numbers as places in a drawing, and as a line of a terminal. Pure: templates/web/chart*.html draw it.

A drawing is 320 wide and 164 high, as on a phone, so that the words in it have the size that is meant there.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import NamedTuple

_TOP, _BOTTOM, _RIGHT = 10, 138, 320
_DIGIT, _GAP = 8, 10            # how wide a digit beside the axis is; between these and the plot
_INTERVALS = 4                  # of an axis, at most
_LABEL = 66                     # between the middles of two labels below the plot, at least
_FILLED, _WIDEST = 0.76, 24     # of its place by a bar; but never wider
_LEVELS = 4                     # of a heat map, besides nothing
_SPARKS = "▁▂▃▄▅▆▇█"


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float


class Tick(NamedTuple):
    value: int
    y: float


class Column(NamedTuple):
    """What stands at one place: where it can be pointed at, and its bars; None for one of no height."""
    place: Box
    bars: tuple[Box | None, ...]


@dataclass(frozen=True)
class Chart:
    ticks: list[Tick]               # from below
    columns: list[Column]
    labels: list[tuple[int, float]]     # of which columns, and the middle of each
    left: float                     # where the plot begins
    zero: float                     # y of the line on which all stands
    edge: list[tuple[float, float]]     # of an area, its upper one; else empty


def bars(columns: Sequence[Sequence[int]]) -> Chart:
    """Bars in front of one another, those behind first; what is below zero hangs."""
    values = [value for column in columns for value in column]
    ticks, left = _ticks(min([0, *values]), max([0, *values]))
    places = _places(len(columns), left)
    return _chart(ticks, left, [Column(place, tuple(_bar(place, value, ticks) for value in column))
                                for place, column in zip(places, columns, strict=True)])


def area(values: Sequence[int]) -> Chart:
    """A line with what lies below it; each value in the middle of its place, the outermost to the borders."""
    ticks, left = _ticks(0, max([0, *values]))
    places = _places(len(values), left)
    edge = [(round(place.x + place.width / 2, 1), _y(value, ticks))
            for place, value in zip(places, values, strict=True)]
    if edge:
        edge = [(left, edge[0][1]), *edge, (_RIGHT, edge[-1][1])]
    return _chart(ticks, left, [Column(place, ()) for place in places], edge)


def heat(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """How warm each cell is, from 0, only for nothing, to 4, for the most."""
    most = max(map(max, rows))
    return [[ceil(_LEVELS * value / most) if value else 0 for value in row] for row in rows]


def spark(values: Sequence[int]) -> str:
    """A character for each value, as high as it is; a blank for nothing."""
    most = max(values, default=0)
    return "".join(_SPARKS[ceil(len(_SPARKS) * value / most) - 1] if value > 0 else " " for value in values)


def _chart(ticks: list[Tick], left: float, columns: list[Column],
           edge: Sequence[tuple[float, float]] = ()) -> Chart:
    return Chart(ticks, columns, _labels(columns), left, _y(0, ticks), list(edge))


def _labels(columns: list[Column]) -> list[tuple[int, float]]:
    """As many as there is room for, at equal distances, none beyond the borders."""
    middles = [(number, round(place.x + place.width / 2, 1)) for number, (place, _) in enumerate(columns)]
    whole = [label for label in middles if _LABEL / 2 <= label[1] <= _RIGHT - _LABEL / 2]
    every = ceil(_LABEL / columns[0].place.width) if columns else 1
    return whole[::-every][::-1]


def _ticks(low: int, high: int) -> tuple[list[Tick], float]:
    """(round numbers from `low` or below to `high` or above, two or more; where the plot begins)."""
    step = _round(max(1, high - low) / _INTERVALS)
    first, last = floor(low / step), max(1, ceil(high / step))
    height = (_BOTTOM - _TOP) / (last - first)
    ticks = [Tick(step * number, round(_BOTTOM - height * (number - first), 1))
             for number in range(first, last + 1)]
    return ticks, _DIGIT * max(len(f"{tick.value:,}") for tick in ticks) + _GAP


def _round(least: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= least:
                return digit * power
        power *= 10


def _places(count: int, left: float) -> list[Box]:
    width = (_RIGHT - left) / max(1, count)
    return [Box(round(left + width * number, 1), _TOP, round(width, 1), _BOTTOM - _TOP)
            for number in range(count)]


def _bar(place: Box, value: int, ticks: list[Tick]) -> Box | None:
    if not value:
        return None
    width = round(min(_WIDEST, _FILLED * place.width), 1)
    upper, lower = sorted((_y(value, ticks), _y(0, ticks)))
    return Box(round(place.x + (place.width - width) / 2, 1), upper, width, round(max(1, lower - upper), 1))


def _y(value: int, ticks: list[Tick]) -> float:
    low, high = ticks[0], ticks[-1]
    return round(low.y + (high.y - low.y) * (value - low.value) / (high.value - low.value), 1)
