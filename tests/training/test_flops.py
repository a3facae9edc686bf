"""Flops against counts by hand."""

import keras
import pytest
from keras import layers

from kt_hpo.training.flops import count_flops

IMAGE = (8, 8, 3)
STEPS = (5, 4)
CONVOLVED = 6 * 6 * 4 * (2 * 3 * 3 * 3 + 1)

BY_HAND = {
    "dense": ((10,), [layers.Dense(3)], 2 * 10 * 3 + 3),
    "dense without bias": ((10,), [layers.Dense(3, use_bias=False)], 2 * 10 * 3),
    "dense of steps": (STEPS, [layers.Dense(3)], 5 * (2 * 4 * 3 + 3)),
    "two dense": ((10,), [layers.Dense(3, "relu"), layers.Dense(2)], 63 + 14),
    "conv": (IMAGE, [layers.Conv2D(4, 3)], CONVOLVED),
    "conv same": (IMAGE, [layers.Conv2D(4, 3, padding="same")], 8 * 8 * 4 * 55),
    "conv strided": (IMAGE, [layers.Conv2D(4, 2, strides=2)], 4 * 4 * 4 * (2 * 2 * 2 * 3 + 1)),
    "conv in groups": (IMAGE, [layers.Conv2D(6, 3, groups=3)], 6 * 6 * 6 * (2 * 9 + 1)),
    "conv 1d": (STEPS, [layers.Conv1D(7, 2)], 4 * 7 * (2 * 2 * 4 + 1)),
    "depthwise": (IMAGE, [layers.DepthwiseConv2D(3)], 6 * 6 * 3 * (2 * 9 + 1)),
    "separable": (
        IMAGE, [layers.SeparableConv2D(4, 3)], 6 * 6 * (3 * 2 * 9 + 4 * (2 * 3 + 1)),
    ),
    "transposed": (
        IMAGE, [layers.Conv2DTranspose(4, 2, strides=2)], 2 * 192 * 2 * 2 * 4 + 16 * 16 * 4,
    ),
    "cnn": (
        IMAGE,
        [layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(),
         layers.Flatten(), layers.Dropout(0.5), layers.Dense(5)],
        CONVOLVED + 2 * 144 + 4 * 36 + 2 * 36 * 5 + 5,
    ),
    "global": (IMAGE, [layers.GlobalAveragePooling2D()], 192),
    "lstm": (STEPS, [layers.LSTM(6)], 5 * 4 * 6 * (2 * (4 + 6) + 1)),
    "both ways": (
        STEPS, [layers.Bidirectional(layers.SimpleRNN(6))], 2 * 5 * 6 * (2 * (4 + 6) + 1),
    ),
    "each step": (STEPS, [layers.TimeDistributed(layers.Dense(3))], 5 * 27),
    "nested": ((10,), [keras.Sequential([layers.Dense(3)])], 63),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_flops_are_those_counted_by_hand(name):
    shape, stack, expected = BY_HAND[name]
    assert count_flops(keras.Sequential([keras.Input(shape), *stack])) == expected


def test_a_shared_layer_counts_each_time():
    one, two = keras.Input((4,)), keras.Input((4,))
    shared = layers.Dense(3)
    added = layers.Add()([shared(one), shared(two)])
    assert count_flops(keras.Model([one, two], added)) == 2 * 27 + 3
    assert count_flops(keras.Model([one, two], shared(one) + shared(two))) == 2 * 27 + 3


def test_what_cannot_be_counted_is_said():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    class OwnLayer(layers.Layer):
        def call(self, inputs):
            return inputs

    stack = [keras.Input((4,)), OwnLayer(name="mine")]
    with pytest.raises(ValueError, match="no functional or sequential"):
        count_flops(Own())
    with pytest.raises(ValueError, match=r"'mine' \(OwnLayer\) cannot be counted.*Measure"):
        count_flops(keras.Sequential(stack))
    with pytest.raises(ValueError, match="any length"):
        count_flops(keras.Sequential([keras.Input((None, 4)), layers.LSTM(2)]))
