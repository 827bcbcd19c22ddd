"""The learning plot has a panel for each text."""

from tests.benchmarks.plots import REFERENCES, draw


def test_each_text_has_a_panel_and_each_way_of_training_a_line() -> None:
    curve = [[1.0, 3.0], [10.0, 2.0]]
    names = ["tinyshakespeare, 3 minutes, recipe default", "tinyshakespeare, 20 minutes, recipe best"]
    names += ["time to the tutorial's best loss on nietzsche, recipe default", "the tutorial on nietzsche"]
    left, right = draw([{"what": name, "curve": curve} for name in names]).axes
    drawn, references = ["recipe default", "recipe best"], list(REFERENCES["tinyshakespeare"])
    assert [text.get_text() for text in left.get_legend().get_texts()] == [*drawn, *references]
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["recipe default", "the tutorial"]
    assert left.lines[0].get_xydata().tolist() == curve
