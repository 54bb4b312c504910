import dataclasses
import re
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib as mpl
import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.report.drawings.charts import NARROW, WIDE, draw_curve


def drawn(record, **options):
    return draw_curve(
        record.curve, audited=record.threat.fraction, wrong_row_loss=record.defender.wrong_row_loss, **options
    )


class Texts(HTMLParser):
    def __init__(self, markup):
        super().__init__()
        self.texts, self.inside = [], False
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "text"

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.texts.append(data.replace("\N{NO-BREAK SPACE}", " "))


def test_text_stays_text_and_labels_stand_at_the_lines(record):
    texts = Texts(drawn(record)).texts
    for label in ("certified bound", "≤ 0.3456", "attack found", "≥ 0.3455", "audited: 3 %", "5 %", "0.3"):
        assert label in texts


def test_nothing_points_outside_and_nothing_fixes_a_colour_font_or_size(record):
    svg = drawn(record)
    assert "http" not in svg
    assert "xlink" not in svg
    assert re.findall(r"(?:fill|stroke): (?!none|var\()[^;\"]*", svg) == []
    assert "DejaVu" not in svg
    assert "<style" not in svg
    assert re.search(r"<svg[^>]*\b(width|height)=", svg) is None


def test_every_colour_is_a_variable_of_the_page(record, hostile):
    used = set(re.findall(r"var\((--[a-z]+)\)", drawn(record) + drawn(hostile)))
    assert {"--bound", "--attack", "--gap", "--ink", "--muted", "--line", "--surface"} == used - {"--sans"}


def test_a_screen_reader_hears_every_number(record):
    svg = drawn(record)
    assert 'role="img" aria-labelledby="wide-title wide-desc"' in svg
    description = re.search(r'<desc id="wide-desc">(.*?)</desc>', svg).group(1).replace("\N{NO-BREAK SPACE}", " ")
    assert "at 3 % the bound is 0.3287 and the attack reaches 0.3286" in description
    assert "The audited fraction is 3 %." in description
    assert len(re.findall(r"the bound is", description)) == len(record.curve)


def test_every_mark_has_a_tooltip(record, hostile):
    assert len(re.findall(r'<g id="wide-(?:bound|attack)-\d">\n?<title>', drawn(record))) == 2 * len(record.curve)
    assert "(not conclusive)</title>" in drawn(hostile)
    assert "(not conclusive)</title>" not in drawn(record)


def fills(svg, kind):
    marks = re.findall(rf'<g id="wide-{kind}-[0-9]">.*?<use [^>]*style="fill: var[(](--[a-z]+)[)]', svg, re.DOTALL)
    return set(marks)


def test_only_inconclusive_bounds_are_hollow(record, hostile):
    assert (fills(drawn(record), "bound"), fills(drawn(record), "attack")) == ({"--bound"}, {"--attack"})
    assert (fills(drawn(hostile), "bound"), fills(drawn(hostile), "attack")) == ({"--surface"}, {"--attack"})


def test_both_lines_are_seen_where_they_coincide(record):
    equal = dataclasses.replace(
        record, curve=tuple(dataclasses.replace(point, attack_value=point.bound) for point in record.curve)
    )
    svg = drawn(equal)
    ((kind, solid),) = re.findall(r'"fill: none; stroke: var\(--(bound|attack)\); stroke-width: ([\d.]+)', svg)
    ((dashed),) = re.findall(r"stroke-dashoffset: 0; stroke: var\(--attack\); stroke-width: ([\d.]+)", svg)
    assert kind == "bound"
    assert float(solid) >= 2 * float(dashed)
    assert svg.index("var(--attack); stroke-width") > svg.index("var(--bound); stroke-width")


def test_the_same_curve_gives_the_same_bytes_whatever_the_caller_has_set(record):
    expected = drawn(record)
    with mpl.rc_context(
        {"axes.facecolor": "black", "font.size": 30, "svg.fonttype": "path", "axes.labelweight": "bold"}
    ):
        before = dict(mpl.rcParams)
        assert drawn(record) == expected
        assert dict(mpl.rcParams) == before
    shuffled = dataclasses.replace(record, curve=record.curve[::-1])
    assert drawn(shuffled) == expected


def test_two_charts_share_a_page(record):
    wide, narrow = drawn(record, canvas=WIDE), drawn(record, canvas=NARROW)
    ids = re.findall(r'\bid="([^"]*)"', wide + narrow)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:href="#|url\(#)([^")]*)', wide + narrow):
        assert target in ids


def test_the_line_where_every_row_may_be_wrong_appears_only_when_reached(record, hostile):
    assert "every row may be wrong" in drawn(hostile)
    assert "every row may be wrong" not in drawn(record)


def test_one_point_is_a_curve_and_none_is_not(record):
    alone = dataclasses.replace(record, curve=(record.headline,))
    assert "≤ 0.3287" in Texts(drawn(alone)).texts
    with pytest.raises(InvalidArgument, match="at least one point"):
        draw_curve((), audited=0.0, wrong_row_loss=1.0)


def test_a_bound_of_zero_is_drawn(record):
    flat = dataclasses.replace(record.headline, bound=0.0, attack_value=0.0)
    assert "≤ 0.0000" in Texts(draw_curve((flat,), audited=flat.fraction, wrong_row_loss=1.0)).texts


def test_no_global_figure_is_loaded():
    code = "import sys, toadstone.report.drawings.charts; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
