"""Pieces of a search space, to be used in one's own HyperModel.

Example:
    >>> class MyHyperModel(keras_tuner.HyperModel):
    ...     def build(self, hp):
    ...         inputs = keras.Input((28, 28, 1))
    ...         x = conv_block(hp, inputs, index=0)
    ...         x = conv_block(hp, x, index=1)
    ...         x = dense_stack(hp, keras.layers.Flatten()(x))
    ...         return compiled(keras.Model(inputs, output(x, num_classes=10)), optimizer(hp), 10)
    >>> MyHyperModel().build(keras_tuner.HyperParameters()).output_shape
    (None, 10)
"""

from hypermodels.blocks.convolution import (
    POOLINGS,
    augmented,
    conv_block,
    declare_conv_block,
    doubled,
    with_channels,
)
from hypermodels.blocks.dense import (
    ACTIVATIONS,
    NORMALIZATIONS,
    activated,
    dense_stack,
    normalized,
)
from hypermodels.blocks.members import averaged, repeated
from hypermodels.blocks.residual import CONVOLUTIONS, convolved, residual_block
from hypermodels.blocks.sequence import (
    STEP_POOLINGS,
    bag_of_words,
    convolved_steps,
    length,
    masked,
    padding_mask,
    pooled_steps,
    recurrent,
    transformer_block,
    weighed_steps,
    window_features,
    with_positions,
)
from hypermodels.blocks.tabular import periodic, piecewise_linear, residual_stack
from hypermodels.blocks.training import (
    OPTIMIZERS,
    SCHEDULES,
    compiled,
    learning_rate,
    optimizer,
    output,
    output_width,
    regularizer,
)

__all__ = [
    "ACTIVATIONS",
    "CONVOLUTIONS",
    "NORMALIZATIONS",
    "OPTIMIZERS",
    "POOLINGS",
    "SCHEDULES",
    "STEP_POOLINGS",
    "activated",
    "augmented",
    "averaged",
    "bag_of_words",
    "compiled",
    "conv_block",
    "convolved",
    "convolved_steps",
    "declare_conv_block",
    "dense_stack",
    "doubled",
    "learning_rate",
    "length",
    "masked",
    "normalized",
    "optimizer",
    "output",
    "output_width",
    "padding_mask",
    "periodic",
    "piecewise_linear",
    "pooled_steps",
    "recurrent",
    "regularizer",
    "repeated",
    "residual_block",
    "residual_stack",
    "transformer_block",
    "weighed_steps",
    "window_features",
    "with_channels",
    "with_positions",
]
