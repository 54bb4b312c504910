import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.report.text.formats import (
    flow,
    format_attack_value,
    format_bound,
    format_fraction,
    format_interval,
    format_loss,
    format_share,
    format_share_bound,
    shortened,
    visible,
)

LOSSES = st.floats(min_value=0, max_value=1e6, allow_nan=False)
SHARES = st.floats(min_value=0, max_value=1, allow_nan=False)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.32864001, "0.3287"),
        (0.3287, "0.3287"),
        (0.0625001, "0.06251"),
        (7.3, "7.300"),
        (0.0, "0.0000"),
        (12.341, "12.35"),
    ],
)
def test_a_bound_is_rounded_up(value, text):
    assert format_bound(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.32869999, "0.3286"), (0.3286, "0.3286"), (1e-12, "0.00000000")])
def test_an_attack_is_rounded_down(value, text):
    assert format_attack_value(value) == text


@given(value=LOSSES, digits=st.integers(1, 8), decimals=st.none() | st.integers(0, 8))
def test_what_is_shown_never_promises_more_than_the_record(value, digits, decimals):
    exact = Decimal(repr(value))
    above = Decimal(format_bound(value, digits=digits, decimals=decimals))
    below = Decimal(format_attack_value(value, digits=digits, decimals=decimals))
    assert below <= exact <= above
    assert below <= Decimal(format_loss(value, digits=digits, decimals=decimals)) <= above


@given(value=st.floats(min_value=1e-4, max_value=1e6))
def test_rounding_up_costs_at_most_one_unit_of_the_fourth_digit(value):
    assert float(format_bound(value)) <= value * (1 + 1e-3) + 1e-12


@given(low=SHARES, high=SHARES)
def test_an_interval_is_rounded_outwards(low, high):
    low, high = sorted((low, high))
    shown = [Decimal(part) for part in plain(format_interval(low, high)).removesuffix(" %").split(" to ")]
    assert shown[0] <= Decimal(repr(low)) * 100
    assert shown[1] >= Decimal(repr(high)) * 100


@given(share=SHARES)
def test_a_bound_on_a_share_is_rounded_up(share):
    assert Decimal(plain(format_share_bound(share)).removesuffix(" %")) >= Decimal(repr(share)) * 100


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.03, "3 %"), (0.0, "0 %"), (0.015, "1.5 %"), (0.1, "10 %"), (0.0001, "0.01 %"), (0.29, "29 %")],
)
def test_a_fraction_stays_exact(value, text):
    assert plain(format_fraction(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(53 / 1035, "5.1 %"), (0.0069, "0.69 %"), (0.0, "0.0 %"), (1.0, "100.0 %")]
)
def test_a_share_is_finer_below_one_per_cent(value, text):
    assert plain(format_share(value)) == text


def test_controls_that_hide_or_reorder_text_become_visible():
    assert visible("a\x00b\x1bc\u202ed\u2066e\ud800f\u2028g") == r"a\x00b\x1bc\u202ed\u2066e\ud800f\u2028g"
    assert visible("\t\n\r\x85\xad\u200b\u200d\ufeff\U000e0041") == r"\t\n\r\x85\xad\u200b\u200d\ufeff\U000e0041"
    for code in (0x061C, 0x200E, 0x200F, 0x202A, 0x2066, 0x2069, 0x7F, 0x85):
        assert visible(chr(code)).startswith("\\")
    assert visible("Ünïcode, 防御 😀, עברית, हिन्दी, ❤️") == "Ünïcode, 防御 😀, עברית, हिन्दी, ❤️"


def test_whatever_has_no_look_of_its_own_is_escaped():
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            assert visible(character).isascii(), hex(code)
        assert visible(visible(character)) == visible(character)


def test_a_text_is_cut_only_when_too_long():
    assert shortened("abcde", 5) == "abcde"
    assert shortened("abcdef", 5) == "abcd…"


def test_flow_fits_and_loses_nothing():
    text = "a certificate is never rounded down, whatever the width of the terminal may be"
    for width in (20, 40, 80):
        lines = flow(text, width, indent=4).split("\n")
        assert max(map(len, lines)) <= width
        assert all(line.startswith("    ") for line in lines[1:])
        assert " ".join(line.strip() for line in lines) == text
    assert flow(text, None) == text


@pytest.mark.parametrize("width", [80, None])
def test_a_line_break_in_foreign_text_starts_no_line(width):
    assert flow("row 1: seen\nrow 2: forged", width) == r"row 1: seen\nrow 2: forged"


def test_flow_keeps_numbers_and_their_units_together():
    assert "3\N{NO-BREAK SPACE}%" in flow("x" * 17 + " 3\N{NO-BREAK SPACE}% of rows", 20)
