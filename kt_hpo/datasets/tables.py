"""Data frames as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def check_complete(frame: pd.DataFrame, path: str | Path) -> None:
    """Refuses a table with missing values.

    Args:
        frame: The table.
        path: The file it is from, for the message.

    Raises:
        ValueError: If values are missing. Says how many and where.

    Example:
        >>> import pandas
        >>> check_complete(pandas.DataFrame({"size": [1.0, 2.0]}), "pets.csv")
    """
    missing = frame.isna()
    counts = missing.sum()
    if counts.any():
        where = ", ".join(
            f"{column!r}: {count} (the first in row {int(missing[column].to_numpy().argmax())})"
            for column, count in counts[counts > 0].items()
        )
        raise ValueError(
            f"{path} has {int(counts.sum())} missing values: {where}; rows are counted from 0 "
            "below the header. Fill them in or drop those rows."
        )


def one_hot(frame: pd.DataFrame) -> np.ndarray:
    """Gives a table as numbers: numeric columns as they are, text columns one-hot.

    Args:
        frame: The table.

    Returns:
        Float64, shape `(rows, columns)`; the columns of a text column stand at the end, one for
        each of its values in their sorted order.

    Raises:
        ValueError: If a text column has too many values, as names, identifiers and dates do.

    Example:
        >>> import pandas
        >>> one_hot(pandas.DataFrame({"pet": ["dog", "cat"], "size": [2, 1]}))
        array([[2., 0., 1.],
               [1., 1., 0.]])
    """
    import pandas as pd

    text = list(frame.select_dtypes(exclude=["number", "bool"]).columns)
    for column in text:
        distinct = frame[column].nunique()
        if distinct > max(20, len(frame) // 10):
            raise ValueError(
                f"Column {column!r} has {distinct} different values in {len(frame)} rows, too many "
                "to one-hot: drop it, or encode it as numbers."
            )
    return pd.get_dummies(frame, columns=text, dtype=float).to_numpy(dtype=np.float64)
