"""Ready search spaces, and the blocks to build one's own from. Needs only Keras and Keras Tuner."""

from hypermodels.cnn import CNNHyperModel
from hypermodels.mlp import MLPHyperModel
from hypermodels.resnet import ResNetHyperModel
from hypermodels.sequence import SequenceHyperModel
from hypermodels.tabular import TabularHyperModel
from hypermodels.transfer import TransferHyperModel

__all__ = [
    "CNNHyperModel",
    "MLPHyperModel",
    "ResNetHyperModel",
    "SequenceHyperModel",
    "TabularHyperModel",
    "TransferHyperModel",
]
