"""Figures: what is drawn, that Plotly knows every key of it, and how values are normalised."""

import pytest
from plotly.graph_objects import Figure as PlotlyFigure

from experiments.charts import Series, bars, radar, share_of_best

AXES = ["law", "physics", "computer_science"]


def test_radar_is_a_figure_plotly_knows() -> None:
    PlotlyFigure(radar([Series("A", [1, 2, 3], ["1", "2", "3"])], AXES, scale=(0, 100)))


def test_radar_without_a_scale_is_a_figure_plotly_knows() -> None:
    PlotlyFigure(radar([Series("A", [1, None, 3])], AXES))


def test_bars_is_a_figure_plotly_knows() -> None:
    PlotlyFigure(bars([Series("A", [1, None]), Series("B", [2, 3])], AXES[:2], unit="tok/s"))


def test_radar_has_a_closed_trace_for_each_series() -> None:
    data = radar([Series("A", [1, 2, 3]), Series("B", [4, 5, 6])], AXES)["data"]
    assert [trace["name"] for trace in data] == ["A", "B"]
    assert data[1]["r"] == [4, 5, 6, 4]
    assert data[0]["theta"] == ["law", "physics", "computer<br>science", "law"]


def test_radar_shows_an_unknown_value_as_a_gap_never_as_zero() -> None:
    trace = radar([Series("A", [None, 2, 3])], AXES)["data"][0]
    assert trace["r"] == [None, 2, 3, None]
    assert trace["connectgaps"] is False
    assert trace["fill"] == "none"


def test_radar_keeps_the_given_scale() -> None:
    figure = radar([Series("A", [1, 2, 3])], AXES, scale=(0, 100))
    assert figure["layout"]["polar"]["radialaxis"]["range"] == [0, 100]


def test_radar_traces_differ_in_more_than_colour() -> None:
    data = radar([Series(str(index), [1, 2, 3]) for index in range(8)], AXES)["data"]
    looks = {(trace["line"]["dash"], trace["marker"]["symbol"]) for trace in data}
    assert len(looks) == 8


def test_names_are_text_and_never_markup() -> None:
    figure = radar([Series("<b>A</b>", [1, 2, 3])], ["<i>x", "y", "z"])
    assert figure["data"][0]["name"] == "&lt;b&gt;A&lt;/b&gt;"
    assert figure["data"][0]["theta"][0] == "&lt;i&gt;x"


def test_bars_leave_the_place_of_an_unknown_value_empty() -> None:
    data = bars([Series("A", [None, 3])], AXES[:2], unit="%")["data"]
    assert data[0]["x"] == [None, 3]


@pytest.mark.parametrize(
    ("values", "higher_is_better", "shares"),
    [
        ((50.0, 100.0), True, (50.0, 100.0)),
        ((50.0, 100.0), False, (100.0, 50.0)),
        ((None, 100.0), True, (None, 100.0)),
        ((None, None), True, (None, None)),
        ((0.0, 2.0), False, (100.0, 0.0)),
        ((0.0, 0.0), True, (100.0, 100.0)),
    ],
)
def test_share_of_best(
    values: tuple[float | None, ...], higher_is_better: bool, shares: tuple[float | None, ...]
) -> None:
    assert share_of_best(values, higher_is_better=higher_is_better) == shares


def test_a_slot_keeps_the_marks_of_a_series_wherever_it_stands() -> None:
    alone = radar([Series("B", [1, 2, 3], slot=1)], AXES)["data"][0]
    second = radar([Series("A", [1, 2, 3]), Series("B", [1, 2, 3])], AXES)["data"][1]
    assert (alone["line"], alone["marker"], alone["meta"]) == (
        second["line"],
        second["marker"],
        second["meta"],
    )


def test_bars_differ_in_more_than_colour() -> None:
    series = [Series(str(index), [1, 2], ["1", "2"], letter="AB"[index % 2]) for index in range(8)]
    figure = bars(series, AXES[:2], unit="%")
    PlotlyFigure(figure)
    assert len({trace["marker"]["pattern"]["shape"] for trace in figure["data"]}) == 8
    assert figure["data"][1]["texttemplate"] == "B %{text}"


def test_bars_leave_room_for_what_is_written_behind_them() -> None:
    figure = bars([Series("A", [50, 100]), Series("B", [None, None])], AXES[:2], unit="%")
    assert figure["layout"]["xaxis"]["range"] == [0, 120]
    assert bars([Series("A", [None])], AXES[:1], unit="%")["layout"]["xaxis"]["range"][1] > 0
