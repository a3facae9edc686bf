"""How the trials of a search train, beside what their models and `search` say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from kt_hpo.arguments import check_flag, check_whole, did_you_mean, is_number
from kt_hpo.training.cross_validation import Splitter, check_splitter
from kt_hpo.training.distribution import Distribution, check_distribution
from kt_hpo.training.precision import check_jit_compile, check_precision


@dataclass(frozen=True)
class TrainingOptions:
    """How the trials of a search train; each field is a keyword of `kt_hpo.Tuner`.

    Args:
        cross_validation: How each execution of a trial is validated on the training data: the
            number of folds (stratified where the targets are classes), a scikit-learn splitter, or
            a list of `(train, validation)` indices. The mean over the folds is the objective. All
            trials have the same folds, so that they can be compared. None for none.
        deterministic: Whether the same seed gives the same numbers to the last bit, at the price of
            speed; see `kt_hpo.training.reproducibility.make_deterministic`.
        distribution: Over which devices one trial is spread: `"one_device"`, `"mirrored"` (all GPUs
            of this machine), `"auto"` (mirrored where there are several and trials run one after
            the other), or a `tf.distribute.Strategy`. The batch size is always the global one,
            which the devices share. None for one device.
        precision: What is computed in: `"float32"`, `"mixed_float16"` (with loss scaling),
            `"mixed_bfloat16"`, or `"auto"` (mixed_float16 on GPUs with tensor cores, float32
            elsewhere). None leaves it to the program.
        compiled: Whether each epoch is one graph around the model where that can be, with the same
            losses and metrics up to the rounding of floats, in a half to a third of the time.
            False leaves all to `model.fit`. TensorFlow alone has it.
        jit_compile: Whether XLA compiles the models; `"auto"` leaves it to Keras, which does so on
            GPUs. None leaves it to the models' `compile`.
        steps_per_execution: Batches that run in one call of the graph; `"auto"` up to 32. None
            leaves it to the models' `compile`.
        scale_learning_rate: The batch size that the learning rates are meant for. With another the
            learning rate is multiplied by their ratio (Goyal et al. 2017). None scales nothing.
        reduce_lr_on_plateau: Epochs without a better objective after which the learning rate is
            divided by 10. None leaves it.
        csv_log: Whether the metrics of each epoch are written to `log.csv` in the trial's folder.
        trial_timeout: Seconds after which a trial fails.
        time_budget: Seconds after which the search stops, within an epoch if need be; the same
            program run again goes on.

    Raises:
        ValueError: If one is not allowed.

    Example:
        >>> TrainingOptions(cross_validation=5).cross_validation
        5
    """

    cross_validation: Splitter = None
    deterministic: bool = False
    distribution: Distribution = None
    precision: str | None = None
    compiled: bool = True
    jit_compile: bool | str | None = None
    steps_per_execution: int | str | None = None
    scale_learning_rate: int | None = None
    reduce_lr_on_plateau: int | None = None
    csv_log: bool = False
    trial_timeout: float | None = None
    time_budget: float | None = None

    def __post_init__(self) -> None:
        check_splitter(self.cross_validation)
        check_distribution(self.distribution)
        check_precision(self.precision)
        check_jit_compile(self.jit_compile)
        if self.steps_per_execution is not None and str(self.steps_per_execution) != "auto":
            check_whole(steps_per_execution=self.steps_per_execution)
        for name in ("scale_learning_rate", "reduce_lr_on_plateau"):
            if getattr(self, name) is not None:
                check_whole(**{name: getattr(self, name)})
        for name in ("trial_timeout", "time_budget"):
            _check_seconds(name, getattr(self, name))
        for name in ("deterministic", "compiled", "csv_log"):
            check_flag(**{name: getattr(self, name)})

    @property
    def chosen(self) -> list[str]:
        """The names of the options that are not as they are by default."""
        return [one.name for one in fields(self) if getattr(self, one.name) != one.default]


def make_options(keywords: Mapping[str, Any], others: Iterable[str] = ()) -> TrainingOptions:
    """Makes the options of a tuner's keywords.

    Args:
        keywords: Values by the names of options.
        others: Names of the tuner's other arguments, for suggestions.

    Returns:
        The options.

    Raises:
        ValueError: If there is no option of a name, the nearest is suggested; or a value is not
            allowed.
    """
    known = [field.name for field in fields(TrainingOptions)]
    for name in keywords:
        if name not in known:
            hint = did_you_mean(name, [*known, *others])
            raise ValueError(
                f"{name}= is no argument of a tuner.{hint} Of how trials train there are "
                f"{', '.join(known)}."
            )
    return TrainingOptions(**keywords)


def _check_seconds(name: str, seconds: Any) -> None:
    if seconds is not None and not (is_number(seconds) and seconds > 0):
        raise ValueError(
            f"{name}={seconds!r} is not allowed; give seconds, above 0, or None for no limit."
        )
