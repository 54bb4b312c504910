import base64
import dataclasses
import hashlib
import itertools
import re
from html.parser import HTMLParser

import pytest

from toadstone.core.errors import InvalidData
from toadstone.report.pages.audit_page import render
from toadstone.report.pages.environment import MOST_ROWS

VOID = {"meta", "link", "br", "img", "input", "hr"}
MOST_BYTES = 150_000


class Page(HTMLParser):
    """Checks that tags balance, and remembers elements and text."""

    def __init__(self, markup):
        super().__init__()
        self.stack, self.elements, self.words = [], [], []
        self.feed(markup)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), f"doubled attribute in <{tag}>"
        self.elements.append((tag, dict(attrs), tuple(self.stack)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.stack)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.stack):
            self.words.append(data)

    def all(self, *tags):
        return [(tag, attrs, parents) for tag, attrs, parents in self.elements if tag in tags]

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words).replace("\N{NO-BREAK SPACE}", " "))


@pytest.fixture(params=["record", "hostile"])
def page(request):
    return Page(render(request.getfixturevalue(request.param)))


def test_the_page_is_well_formed_and_small(page, record, hostile):
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert max(len(render(each).encode()) for each in (record, hostile)) < MOST_BYTES


def test_nothing_is_fetched(page):
    for tag, attrs, _ in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attrs.get(name, "")
            assert value.startswith("#") or value in ("", "data:,"), (tag, name, value)
        assert "url(" not in attrs.get("style", "")
    assert page.all("img", "iframe", "object", "embed", "base", "form") == []


def test_styles_fetch_nothing(record):
    (style,) = re.findall(r"<style>(.*?)</style>", render(record), re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    assert "@font-face" not in style


def test_the_policy_allows_the_one_script_and_nothing_else(hostile):
    markup = render(hostile)
    (script,) = re.findall(r"<script>(.*?)</script>", markup, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [
        attrs["content"]
        for _, attrs, _ in Page(markup).all("meta")
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert len(Page(markup).all("script")) == 1


def test_hostile_text_is_shown_and_never_run(hostile):
    page = Page(render(hostile))
    for _, attrs, _ in page.elements:
        assert not [name for name in attrs if name.startswith("on")]
    assert "<script>alert('x')</script>" in page.text
    assert "{{ 7 * 7 }} {% raw %}" in page.text
    assert "&amp;" in page.text


def test_characters_that_hide_or_reorder_are_shown_as_such(hostile):
    markup = render(hostile)
    assert r"right\u202eto\u2066left\x00\x1b[31m\ud800" in markup
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", markup)
    markup.encode("utf-8")


def test_every_figure_of_the_curve_appears_and_is_rounded_safely(record):
    text = Page(render(record)).text
    for point in record.curve:
        assert f"{-(-point.bound * 1e5 // 1) / 1e5:.5f}" in text
        assert f"{point.attack_value * 1e5 // 1 / 1e5:.5f}" in text
    assert "≤ 0.3287" in text
    assert "≥ 0.3286" in text
    assert "the gap to the bound is 0.0000039" in text
    assert "0.19718" in text


def test_every_cell_of_the_matrix_appears(record):
    text = Page(render(record)).text
    for run in record.evaluations:
        assert f"{100 * run.test_error:.1f} %" in text
        if run.poison_rows:
            assert f"poison {run.poison_removed} of {run.poison_rows}" in text
        assert f"clean {run.clean_removed} of 4,137" in text
    assert "two point" in text
    assert "no defence" in text


def test_every_suspect_appears(record):
    text = Page(render(record)).text
    for suspect in record.suspects:
        assert f"{suspect.row}{suspect.label}{suspect.preview}{suspect.suspicion:.3f}" in text
    assert f"{len(record.suspects[0].removed_by)} of 5" in text
    assert "The 20 most suspicious training rows." in text


def test_what_it_rests_on_and_how_to_repeat_it_appears(record):
    text = Page(render(record)).text
    for words in (
        *record.assumptions,
        *record.not_promised,
        record.header.command,
        record.header.digests["train"],
        record.data.preparation,
        record.data.test_origin,
        *record.header.versions.values(),
        "Seed24",
        "certify1.44 s",
        "2,928 training, 744 test",
        "squared norm at most 6 (given)",
        "Hinge loss",
    ):
        assert words in text


def test_an_inconclusive_and_vacuous_bound_is_said_beside_the_figure(hostile):
    page = Page(render(hostile))
    notes = [attrs for _, attrs, _ in page.all("div") if attrs.get("role") == "note"]
    assert len(notes) == 1
    for title in ("Not tested.", "Not conclusive.", "The bound rules nothing out."):
        assert title in page.text
    assert "≤ 7.300 not conclusive" in page.text
    assert "allows every row to be wrong" in page.text


def test_a_sound_bound_carries_no_warning(record):
    page = Page(render(record))
    assert "not conclusive" not in page.text.replace("Hollow marks are not conclusive", "")
    assert not [attrs for _, attrs, _ in page.all("div") if attrs.get("role") == "note"]


def test_tables_can_be_read_by_keyboard_and_ear(page):
    ids = {attrs["id"] for _, attrs, _ in page.elements if "id" in attrs}
    tables = page.all("table")
    assert len(tables) == len(page.all("caption")) == 3 + ("costs-caption" in ids)
    for _, attrs, _ in page.all("th"):
        assert attrs["scope"] in ("col", "row")
    regions = [attrs for _, attrs, _ in page.all("div") if attrs.get("class") == "scroll"]
    assert len(regions) == len(tables)
    for attrs in regions:
        assert attrs["tabindex"] == "0"
        assert attrs["role"] == "region"
        assert attrs["aria-labelledby"] in ids


def test_headings_descend_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _, _ in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_page_says_its_language_and_lets_readers_skip(page):
    assert page.all("html")[0][1]["lang"] == "en-GB"
    ids = {attrs["id"] for _, attrs, _ in page.elements if "id" in attrs}
    links = [attrs["href"] for _, attrs, _ in page.all("a")]
    assert links[0] == "#main"
    assert {link.removeprefix("#") for link in links} <= ids
    assert page.all("main")


def test_the_same_record_gives_the_same_bytes(record, hostile):
    assert render(record) == render(record)
    assert render(hostile) == render(hostile)


def test_long_lists_of_suspects_are_cut_and_say_so(record):
    many = dataclasses.replace(record, suspects=record.suspects * 10)
    markup = render(many)
    assert f"The {MOST_ROWS} most suspicious training rows of 200 listed in suspects.csv." in Page(markup).text
    worst = dataclasses.replace(many.suspects[0], label='"' * 500, preview='"' * 500)
    assert len(render(dataclasses.replace(many, suspects=(worst,) * 200)).encode()) < MOST_BYTES


def test_a_record_without_evaluations_or_suspects_still_makes_a_page(record):
    text = Page(render(dataclasses.replace(record, evaluations=(), suspects=()))).text
    assert "No attack was run against a defence" in text
    assert "This audit lists no suspicious rows." in text
    assert "Attacked test error" not in text


def test_a_curve_without_the_audited_fraction_is_refused(record):
    with pytest.raises(InvalidData, match=r"expected a point at the audited fraction 0\.03"):
        render(dataclasses.replace(record, curve=record.curve[:2]))


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *(("ink", ground) for ground in ("paper", "surface", "caution", "chosen", "gap", *(f"heat-{k}" for k in range(7)))),
    *((words, ground) for words in ("muted", "accent") for ground in ("paper", "surface")),
    ("bound", "surface"),
    ("attack", "surface"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrast_meets_wcag_aa(record, scheme):
    (style,) = re.findall(r"<style>(.*?)</style>", render(record), re.DOTALL)
    light, dark = re.findall(r":root \{(.*?--.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))
    for words, ground in PAIRS:
        assert contrast(colours[words], colours[ground]) >= 4.5, (words, ground)


def test_dark_defines_every_colour_that_light_does(record):
    (style,) = re.findall(r"<style>(.*?)</style>", render(record), re.DOTALL)
    light, dark = re.findall(r":root \{(.*?--.*?)\}", style, re.DOTALL)
    assert re.findall(r"(--[a-z0-9-]+): #", light) == re.findall(r"(--[a-z0-9-]+): #", dark)
