"""Texts as sequences of token ids."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from kt_hpo.datasets.preprocessing.base import Preprocessing
from kt_hpo.optional import install_line

_MOST_TOKENS = 10_000
_LONGEST = 256
# Signs that Keras leaves out, as if there had been nothing between two words.
_BETWEEN_WORDS = re.compile(r"([^\w\s]+)")


def text_layer(name: str, what: str, **arguments: Any) -> Any:
    """Makes a layer of texts, which TensorFlow runs under every backend of Keras.

    Args:
        name: Name of its class in `keras.layers`.
        what: What needs it, as the error begins.
        **arguments: Its arguments.

    Returns:
        The layer.

    Raises:
        ImportError: If TensorFlow is not installed. Says what to do.
    """
    import keras

    try:
        return getattr(keras.layers, name)(**arguments)
    except ImportError as error:
        raise ImportError(
            f"{what} need TensorFlow under every backend of Keras, and it is not installed. Run: "
            f"{install_line('cpu')}, or give numbers instead of texts.",
            name="tensorflow",
        ) from error


@dataclass(frozen=True)
class TextPreprocessing(Preprocessing):
    """Turns each text into the ids of its words: 0 pads, 1 stands for words out of the vocabulary.

    Args:
        vocabulary: The words, the most frequent first.
        length: Ids of a text; longer texts are cut, shorter ones padded.
        column: Name of the column, where the texts are one of a table.
        token_weights: Inverse document frequency of each id in the texts that were learned from; a
            model that needs it keeps it, so a config does not.

    Example:
        >>> texts = np.array(["good dog", "good cat", "dog"], dtype=object)
        >>> words = TextPreprocessing.learn(texts)
        >>> words.transform(["dog", "good bird"])
        array([[3, 0],
               [2, 1]], dtype=int32)
        >>> words.vocabulary_size
        5
    """

    kind: ClassVar[str] = "text"
    vocabulary: tuple[str, ...]
    length: int
    column: str | None = None
    token_weights: tuple[float, ...] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def learn(cls, texts: np.ndarray, column: str | None = None) -> TextPreprocessing:
        """Learns the words, and how long texts are.

        Args:
            texts: Texts to learn from.
            column: Name of the column they are of.

        Returns:
            The preprocessing; its length is that of the longest but 2 % of the texts, 256 at most.
        """
        import keras

        texts = _apart(texts)
        layer = text_layer("TextVectorization", "The texts", max_tokens=_MOST_TOKENS)
        layer.adapt(texts)
        words = tuple(str(word) for word in layer.get_vocabulary()[2:])
        lengths, texts_with = [], np.zeros(len(words) + 2, int)
        for start in range(0, len(texts), 1024):
            for ids in keras.ops.convert_to_numpy(layer(texts[start : start + 1024])):
                lengths.append(np.count_nonzero(ids))
                texts_with[np.unique(ids)] += 1
        length = int(np.ceil(np.quantile(lengths, 0.98)))
        # As scikit-learn's TfidfTransformer has it.
        weights = np.log((1 + len(texts)) / (1 + texts_with)) + 1
        return cls(words, min(max(length, 1), _LONGEST), column, tuple(weights.tolist()))

    @property
    def vocabulary_size(self) -> int:
        """Number of different ids."""
        return len(self.vocabulary) + 2

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Name of the column, where the texts are one of a table."""
        return () if self.column is None else (self.column,)

    def inputs(self, raw: Any) -> np.ndarray:
        """Gives texts as Keras takes them; see `Preprocessing.inputs`."""
        if self.column is not None and hasattr(raw, "columns"):
            if self.column not in raw.columns:
                raise ValueError(
                    f"There is no column {self.column!r}. The table has "
                    f"{', '.join(map(str, raw.columns))}."
                )
            raw = raw[self.column].astype(object).where(raw[self.column].notna(), "")
        texts = np.asarray(raw, dtype=object).reshape(len(raw))
        return _apart(texts)

    def symbols(self) -> Any:
        """Makes the symbolic input; see `Preprocessing.symbols`."""
        import keras

        return keras.Input((1,), dtype="string")

    def apply(self, inputs: Any) -> Any:
        """Numbers the words; see `Preprocessing.apply`."""
        from keras import ops

        layer = text_layer(
            "TextVectorization",
            "The texts",
            vocabulary=list(self.vocabulary),
            output_sequence_length=self.length,
        )
        return ops.cast(ops.reshape(layer(inputs), (-1, self.length)), "int32")

    def to_config(self) -> dict[str, Any]:
        """Gives all that was learned as what JSON can hold."""
        learned = asdict(self)
        del learned["token_weights"]
        return {"kind": self.kind, **learned}


def _apart(texts: np.ndarray) -> np.ndarray:
    """Texts with space around all signs, so that words stay apart when the signs are left out."""
    return np.array([_BETWEEN_WORDS.sub(r" \1 ", str(text)) for text in texts], dtype=object)
