"""Losses on the scale of their distance to the best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kt_hpo.engines.proposals.loss_scale import LossScale, most_telling

LOSSES = st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf])


@given(arrays(float, st.integers(1, 30), elements=LOSSES))
def test_the_order_of_losses_stays_and_what_failed_is_the_worst(losses):
    known = np.isfinite(losses)
    if not known.any():
        return
    scaled = LossScale(losses)(losses)
    assert np.isfinite(scaled).all()
    order = np.argsort(losses[known], kind="stable")
    assert (np.diff(scaled[known][order]) >= 0).all()
    assert (scaled[~known] == scaled.max()).all()
    assert LossScale(losses).best == scaled.min()


def test_scaled_losses_are_standardized():
    losses = np.random.default_rng(0).gamma(1.0, size=200)
    scaled = LossScale(losses)(losses)
    assert scaled.mean() == pytest.approx(0, abs=1e-9)
    assert scaled.std() == pytest.approx(1)


def test_the_unit_of_losses_does_not_matter():
    losses = np.random.default_rng(0).gamma(1.0, size=50)
    assert LossScale(1000 * losses - 7)(1000 * losses - 7) == pytest.approx(
        LossScale(losses)(losses)
    )


@given(arrays(float, st.integers(0, 60), elements=LOSSES), st.integers(2, 40))
def test_the_best_are_among_those_to_look_at(losses, most):
    chosen = most_telling(losses, most)
    assert len(chosen) == min(most, len(losses))
    assert (np.diff(chosen) > 0).all()
    best = np.sort(losses[~np.isnan(losses)])[: most // 2]
    assert set(best.tolist()) <= set(losses[chosen].tolist())
