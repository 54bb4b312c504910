"""Triggers: what they paint, in either layout, and that they leave their input alone."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.row_trigger import FeatureTrigger, TokenTrigger
from toadstone.attacks.backdoors.trigger import BlendedTrigger, PatchTrigger, SinusoidalTrigger, Trigger
from toadstone.core.errors import InvalidArgument, InvalidData

COLOUR = {"height": 6, "width": 4, "channels": 3}
HWC, CHW = ImageShape(**COLOUR), ImageShape(**COLOUR, layout="CHW")


def triggers(shape: ImageShape) -> list[Trigger]:
    picture = np.random.default_rng(1).uniform(size=(6, 4, 3))
    return [
        PatchTrigger(shape=shape, size=2, corner="top right", pattern="checkerboard"),
        BlendedTrigger(shape=shape, picture=picture, opacity=0.2),
        SinusoidalTrigger(shape=shape, frequency=1.0),
        FeatureTrigger(features=(1, 5), values=(0.25, 0.0)),
        TokenTrigger(features=(3, 2), count=2, highest=2.5),
    ]


def images(n: int = 5) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.where(rng.random((n, 6, 4, 3)) < 0.5, 0.0, rng.random((n, 6, 4, 3)))


KINDS = range(len(get_args(Trigger)))


@pytest.mark.parametrize("kind", KINDS)
class TestAll:
    def test_the_input_is_left_alone_and_the_output_differs(self, kind):
        for X in (HWC.rows(images()), csr_array(HWC.rows(images()))):
            before = X.copy()
            made = triggers(HWC)[kind].apply(X)
            assert (abs(X - before)).max() == 0
            assert abs(made - X).max() > 0
            assert made.shape == X.shape

    def test_sparse_rows_stay_sparse_and_agree(self, kind):
        X, trigger = HWC.rows(images()), triggers(HWC)[kind]
        sparse = trigger.apply(csr_array(X))
        assert issparse(sparse)
        np.testing.assert_allclose(sparse.toarray(), trigger.apply(X), atol=1e-15)

    def test_no_rows_give_no_rows(self, kind):
        assert triggers(HWC)[kind].apply(np.empty((0, 72))).shape == (0, 72)


@pytest.mark.parametrize("kind", range(3))
class TestOnImages:
    def test_both_layouts_give_the_same_picture(self, kind):
        near = HWC.images(triggers(HWC)[kind].apply(HWC.rows(images())))
        far = CHW.images(triggers(CHW)[kind].apply(CHW.rows(images())))
        np.testing.assert_array_equal(near, far)

    def test_values_stay_legal_in_eight_bits(self, kind):
        whole = ImageShape(**COLOUR, highest=255.0, levels=256)
        pictures = np.rint(images() * 255)
        trigger = [
            PatchTrigger(shape=whole),
            BlendedTrigger.random(whole, np.random.default_rng(0)),
            SinusoidalTrigger(shape=whole, amplitude=40.0, frequency=1.0),
        ][kind]
        made = whole.images(trigger.apply(whole.rows(pictures)))
        assert made.min() >= 0
        assert made.max() <= 255
        np.testing.assert_array_equal(made, np.rint(made))
        if kind == 2:
            assert np.abs(made - pictures).max() <= 40

    def test_another_number_of_columns_is_refused(self, kind):
        with pytest.raises(InvalidData, match=r"images: expected 72 columns .*, got 71"):
            triggers(HWC)[kind].apply(np.zeros((1, 71)))


def test_values_are_rounded_to_the_nearest_level():
    shape = ImageShape(height=1, width=1, lowest=-1.0, highest=1.0, levels=5)
    assert shape.legal(np.array([-9.0, -0.3, -0.2, 0.3, 0.74, 0.76])).tolist() == [-1.0, -0.5, 0.0, 0.5, 0.5, 1.0]


class TestPatch:
    @pytest.mark.parametrize("corner", ["top left", "top right", "bottom left", "bottom right"])
    def test_where_it_is(self, corner):
        grey = ImageShape(height=5, width=7)
        made = grey.images(PatchTrigger(shape=grey, size=2, corner=corner).apply(np.zeros((1, 35))))[0, :, :, 0]
        wanted = np.zeros((5, 7))
        wanted[
            (slice(0, 2) if "top" in corner else slice(3, 5)), (slice(0, 2) if "left" in corner else slice(5, 7))
        ] = 1
        np.testing.assert_array_equal(made, wanted)

    def test_a_checkerboard_paints_black_too(self):
        trigger = PatchTrigger(shape=ImageShape(height=2, width=2), size=2, pattern="checkerboard")
        assert trigger.apply(np.full((1, 4), 0.5)).tolist() == [[1, 0, 0, 1]]

    def test_the_rest_keeps_values_that_are_no_levels(self):
        shape = ImageShape(height=3, width=1, levels=2)
        assert PatchTrigger(shape=shape, size=1).apply(np.full((1, 3), 0.3)).tolist() == [[0.3, 0.3, 1.0]]

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [({"size": 5}, "`size`: expected a whole number from 1 to 4, got 5"), ({"corner": "middle"}, "`corner`")],
    )
    def test_refusals(self, wrong, message):
        with pytest.raises(InvalidArgument, match=message):
            PatchTrigger(shape=HWC, **wrong)


def test_blending_is_a_weighted_mean():
    shape = ImageShape(height=1, width=2)
    made = BlendedTrigger(shape=shape, picture=np.array([[1.0, 0.5]]), opacity=0.25).apply(np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(made, [[0.25, 0.875]])


def test_stripes_are_the_papers_sine():
    shape = ImageShape(height=2, width=8)
    made = SinusoidalTrigger(shape=shape, amplitude=0.2, frequency=2.0).apply(np.full((1, 16), 0.5))
    np.testing.assert_allclose(made.reshape(2, 8)[1], 0.5 + 0.2 * np.sin(4 * np.pi * np.arange(8) / 8), atol=1e-12)


class TestFeatures:
    def test_values_that_occur(self):
        X = np.array([[1.0, 5.0], [2.0, 6.0], [9.0, 7.0]])
        for rows in (X, csr_array(X)):
            assert FeatureTrigger.seen_in(rows, (1, 0), quantile=0.5).values == (6.0, 2.0)

    @pytest.mark.parametrize("features", [(), (0, 0), (-1,), (9,)])
    def test_columns_that_there_are_not(self, features):
        with pytest.raises(InvalidArgument, match="`features`"):
            FeatureTrigger.seen_in(np.zeros((2, 3)), features)

    def test_as_many_values(self):
        with pytest.raises(InvalidArgument, match=r"`values`: expected 2 finite numbers"):
            FeatureTrigger(features=(0, 1), values=(1.0,))


class TestTokens:
    def test_the_rarest_words_that_occur(self):
        X = np.array([[1, 0, 3, 1, 0], [1, 0, 0, 1, 2], [1, 0, 0, 0, 0]], dtype=float)
        assert TokenTrigger.rarest_in(X, 2).features == (2, 4)
        with pytest.raises(InvalidArgument, match=r"`n_tokens`: expected a whole number from 1 to 4, got 5"):
            TokenTrigger.rarest_in(X, 5)

    def test_counts_never_exceed_the_highest_nor_fall(self):
        made = TokenTrigger(features=(0, 1, 2), count=2, highest=3).apply(np.array([[0.0, 2.0, 5.0]]))
        assert made.tolist() == [[2.0, 3.0, 5.0]]


def test_missing_values_are_refused():
    with pytest.raises(InvalidData, match="NaN or infinity in row 1"):
        FeatureTrigger(features=(0,), values=(1.0,)).apply(np.array([[1.0], [np.nan]]))
