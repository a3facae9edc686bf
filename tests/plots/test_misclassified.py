"""The samples that are shown as misclassified."""

import numpy as np
import pytest
from plots.studies import words

from kt_hpo import plots

TRUE = [0, 1, 1, 2, 2]
PREDICTED = [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0, 1, 0], [0.05, 0.9, 0.05], [0, 0, 1]]


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 3)])
def test_images_are_shown_the_most_confident_mistakes_first(shape, ax):
    images = np.stack([np.full(shape, number) for number in range(5)])
    plots.plot_misclassified(images, TRUE, PREDICTED, ["a", "b", "c"], ax)
    assert [words(panel) for panel in ax.child_axes] == [["b (90%)", "is c"], ["a (60%)", "is b"]]
    shown = [panel.images[0].get_array().ravel()[0] for panel in ax.child_axes]
    assert shown == [0.75, 0.25]
    assert ax.get_title(loc="right") == "2 of 5 wrong (40.0%)"


def test_other_samples_are_bars_of_confidence(ax):
    plots.plot_misclassified(np.zeros((5, 13)), TRUE, PREDICTED, ax=ax)
    assert words(ax) == ["taken for 1 (90%), is 2", "taken for 0 (60%), is 1"]
    assert [bar.get_width() for bar in ax.patches] == [0.9, 0.6]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["sample 3", "sample 1"]


def test_labels_words_and_sigmoids_are_taken(ax):
    plots.plot_misclassified(np.zeros((2, 4)), ["cat", "dog"], ["dog", "dog"], ax=ax)
    assert words(ax) == ["taken for dog, is cat"]
    ax.clear()
    plots.plot_misclassified(np.zeros((3, 4)), [1, 0, 1], [[0.2], [0.9], [0.7]], ax=ax)
    assert words(ax) == ["taken for 1 (90%), is 0", "taken for 0 (80%), is 1"]


def test_at_most_eighteen_images_are_shown(ax):
    plots.plot_misclassified(np.zeros((50, 8, 8)), np.zeros(50, int), np.ones(50, int), ax=ax)
    assert len(ax.child_axes) == 18


def test_no_mistakes_are_said(ax):
    plots.plot_misclassified(np.zeros((5, 8, 8)), TRUE, TRUE, ax=ax)
    assert words(ax) == ["No sample is misclassified."]


def test_what_does_not_fit_is_refused(ax):
    with pytest.raises(ValueError, match="x has 4 samples, y_true has 5, y_pred has 5"):
        plots.plot_misclassified(np.zeros((4, 8, 8)), TRUE, PREDICTED, ax=ax)
    with pytest.raises(ValueError, match="2 names, and none for 2"):
        plots.plot_misclassified(np.zeros((5, 8, 8)), TRUE, PREDICTED, ["a", "b"], ax)
