"""Ready search spaces, and the blocks to build one's own from. Needs only Keras and Keras Tuner."""

from hypermodels.cnn import CNNHyperModel
from hypermodels.mlp import MLPHyperModel

__all__ = ["CNNHyperModel", "MLPHyperModel"]
