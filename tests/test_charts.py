"""Numbers as places in a drawing: round axes, bars that fit, labels that do not touch."""
from itertools import pairwise

import pytest

from devdigest import charts
from devdigest.charts import Chart

WIDE, HIGH = 320, 164


def axis(chart: Chart) -> list[int]:
    return [tick.value for tick in chart.ticks]


@pytest.mark.parametrize(("most", "ticks"), [
    (0, [0, 1]), (1, [0, 1]), (2, [0, 1, 2]), (4, [0, 1, 2, 3, 4]), (5, [0, 2, 4, 6]), (9, [0, 5, 10]),
    (64, [0, 20, 40, 60, 80]), (1000, [0, 500, 1000]), (1001, [0, 500, 1000, 1500]),
    (34_999, [0, 10_000, 20_000, 30_000, 40_000]),
])
def test_an_axis_has_few_and_round_numbers_up_to_the_greatest(most: int, ticks: list[int]) -> None:
    assert axis(charts.bars([[most]])) == axis(charts.area([most])) == ticks


def test_an_axis_begins_at_nothing_however_great_the_least_is() -> None:
    assert axis(charts.bars([[900], [1000]])) == axis(charts.area([900, 1000])) == [0, 500, 1000]


def test_what_is_below_nothing_hangs_from_the_axis() -> None:
    chart = charts.bars([(6, -2), (0, -1)])
    assert axis(chart) == [-2, 0, 2, 4, 6]
    (up, down), (none, less) = (column.bars for column in chart.columns)
    assert (up.y + up.height, down.y, none) == (chart.zero, chart.zero, None)
    assert up.height == pytest.approx(3 * down.height, 0.01)
    assert down.height == pytest.approx(2 * less.height, 0.01)


@pytest.mark.parametrize("count", [1, 2, 7, 30, 52, 90])
@pytest.mark.parametrize("most", [1, 37, 1_234_567])
def test_everything_lies_within_the_drawing_and_beside_one_another(count: int, most: int) -> None:
    chart = charts.bars([(most * number // count or 1, most // 3, -most // 5)
                         for number in range(1, count + 1)])
    boxes = [box for column in chart.columns for box in (column.place, *column.bars) if box]
    for x, y, width, height in boxes:
        assert chart.left - 0.1 <= x < x + width <= WIDE + 0.15
        assert 0 <= y < y + height <= HIGH
    for one, other in pairwise(chart.columns):
        assert one.bars[0].x + one.bars[0].width < other.bars[0].x


@pytest.mark.parametrize("count", [1, 2, 5, 7, 30, 52, 90])
def test_labels_have_room_at_equal_distances(count: int) -> None:
    chart = charts.bars([[1]] * count)
    middles = [middle for _, middle in chart.labels]
    gaps = [right - left for left, right in pairwise(middles)]
    assert 1 <= len(middles) <= 5
    assert all(33 <= middle <= WIDE - 33 for middle in middles)
    assert not gaps or (min(gaps) >= 65 and max(gaps) - min(gaps) < 1)
    for number, middle in chart.labels:
        place = chart.columns[number].place
        assert middle == pytest.approx(place.x + place.width / 2, abs=0.1)


def test_a_small_number_beside_great_ones_is_seen() -> None:
    small, great = (column.bars[0] for column in charts.bars([[1], [100_000]]).columns)
    assert (small.height, great.height > 100) == (1, True)


def test_an_area_reaches_both_borders_and_a_single_value_is_level() -> None:
    for values in ([5], [1, 4, 2]):
        edge = charts.area(values).edge
        assert (edge[0][0], edge[-1][0]) == (charts.area(values).left, WIDE)
        assert len(edge) == len(values) + 2
    assert len({y for _, y in charts.area([5]).edge}) == 1
    heights = [y for _, y in charts.area([1, 4, 2]).edge]
    assert heights[2] < heights[3] < heights[1] == heights[0]


def test_nothing_at_all_is_an_empty_plot() -> None:
    for chart in (charts.bars([]), charts.area([])):
        assert (chart.columns, chart.labels, chart.edge, axis(chart)) == ([], [], [], [0, 1])


def test_a_cell_is_cold_only_where_there_is_nothing() -> None:
    assert charts.heat([[0, 1, 25], [26, 75, 100]]) == [[0, 1, 1], [2, 3, 4]]
    assert charts.heat([[0, 0]]) == [[0, 0]]


@pytest.mark.parametrize(("values", "line"), [
    ([], ""), ([0, 0], "  "), ([1, 0, 8, 4], "▁ █▄"), ([1, 1000], "▁█"), ([3], "█")])
def test_a_line_of_a_terminal_shows_each_value_by_its_height(values: list[int], line: str) -> None:
    assert charts.spark(values) == line
