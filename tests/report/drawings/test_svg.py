"""Drawings fitted into a page."""

from toadstone.report.drawings.svg import inlined

HOSTILE = "<script>alert('x')</script>"


def test_all_words_are_escaped():
    svg = inlined(
        '<svg viewBox="0 0 1 1"><g id="mark"><path/></g></svg>',
        name="wide",
        title=HOSTILE,
        description=HOSTILE,
        variables={},
        tooltips={"mark": HOSTILE},
    )
    assert "<script" not in svg
    assert svg.count("&lt;script&gt;") == 3
    assert '<g id="wide-mark"><title>&lt;script&gt;' in svg
