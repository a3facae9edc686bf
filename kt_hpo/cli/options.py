"""The options of `kt-hpo search`, each said once: for the shell, the file and the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kt_hpo import registry
from kt_hpo.cli import values
from kt_hpo.cli.values import Kind

MODELS = ("auto", *registry.MODELS)
DATASETS = ("digits", "mnist5k", "breast_cancer", "wine", "diabetes")
TASKS = ("classification", "regression")
OBJECTIVES = (
    "val_accuracy", "val_loss",
    "latency", "parameters", "flops", "training_seconds", "generalization_gap",
)  # fmt: skip
PRUNERS = ("auto", *registry.PRUNERS)
TRACKERS = tuple(registry.TRACKERS)
EXECUTORS = (*registry.EXECUTORS, "auto")
# Those of `kt_hpo.training`, which imports Keras.
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
DISTRIBUTIONS = ("auto", "one_device", "mirrored")


@dataclass(frozen=True)
class Option:
    """An option of a search.

    Attributes:
        name: Its name in the file; the flag's with dashes.
        kind: What its value may be.
        help: What it says.
        default: Its value where it is not given; None for what the tuner does by itself.
        fixed: Whether a search has the same to its end, its trials being alike in it.
        in_file: Whether it may stand in a file.
    """

    name: str
    kind: Kind
    help: str
    default: Any = None
    fixed: bool = True
    in_file: bool = True

    @property
    def described(self) -> str:
        """What it says, with its default."""
        has_default = self.default is not None and self.default is not False
        return f"{self.help} (default: {self.default})" if has_default else self.help

    @property
    def flag(self) -> str:
        """Its name in a shell."""
        return "--" + self.name.replace("_", "-")

    def read(self, value: Any, said: str) -> Any:
        """Makes the value.

        Args:
            value: What was given.
            said: How that was written, for the message of an error.

        Returns:
            The value.

        Raises:
            ValueError: If it is not allowed.

        Example:
            >>> OPTIONS["time_budget"].read("2h", "--time-budget 2h")
            7200.0
        """
        try:
            return self.kind.read(value)
        except ValueError as error:
            raise ValueError(f"{said} is not allowed; {error}") from None


@dataclass(frozen=True)
class OptionGroup:
    """Options that `--help` shows together.

    Attributes:
        title: What they are about.
        options: The options.
    """

    title: str
    options: tuple[Option, ...]


_WHAT = OptionGroup(
    "what is searched",
    (
        Option(
            "data",
            values.text("DATA", DATASETS),
            "name of a data set, a .csv file, a folder of images, or module:function",
        ),
        Option(
            "target", values.text("COLUMN"), "column of a .csv file to predict (default: its last)"
        ),
        Option(
            "task",
            values.name(TASKS, "TASK"),
            "classification or regression (default: by the targets)",
        ),
        Option("image_size", values.size(), "pixels to resize images to: 64, or height,width"),
        Option(
            "model",
            values.name(MODELS, "MODEL", or_target=True),
            f"{', '.join(registry.MODELS)}, or module:name of a HyperModel or of a function "
            "build(hp); auto is by the kind of data",
            "auto",
        ),
        Option(
            "objective",
            values.several(values.objective(OBJECTIVES), "NAMES"),
            "metrics to optimize, several with commas, or latency, parameters, flops, "
            "training_seconds, generalization_gap; my_metric:max says the direction (default: "
            "val_accuracy; val_loss for numbers and imbalanced classes)",
        ),
        Option(
            "constraint",
            values.several(values.text(), "BOUNDS"),
            "what the best must keep, such as 'parameters < 1e5, latency < 2'",
        ),
    ),
)
_HOW = OptionGroup(
    "how it is searched",
    (
        Option(
            "algorithm", values.name(tuple(registry.algorithms())), "one of those below", "auto"
        ),
        Option(
            "max_trials",
            values.whole(),
            "how many trials, or, with a time, as many as it allows; auto and freeze_thaw train "
            "the epochs of so many full trainings, 20 by default; hyperband and pbt plan their own",
            50,
            fixed=False,
        ),
        Option(
            "max_epochs", values.whole(), "epochs of a trial at most; 20, more for a small table"
        ),
        Option(
            "pruner",
            values.name(PRUNERS),
            f"which trials stop early: {', '.join(PRUNERS[1:])}; auto is median, or none where "
            "epochs tell nothing of the objective or the algorithm stops trials itself",
            "auto",
        ),
        Option("warm_start", values.text("SEARCH"), "a past search to learn from: folder or URL"),
        Option(
            "no_defaults",
            values.flag(),
            "draw the first trial too; that of a ready model tries its defaults otherwise",
            False,
        ),
        Option("seed", values.whole(0), "the same seed gives the same trials", 0),
    ),
)
_TRAINING = OptionGroup(
    "how a trial trains",
    (
        Option("batch_size", values.whole(), "for a model that does not choose its own"),
        Option(
            "ensemble",
            values.whole(),
            "trainings of the best model whose mean is the result; 5 for a ready model of a table "
            "or a forecast",
        ),
        Option(
            "early_stopping",
            values.whole(1, ["none"]),
            "epochs without a better objective after which a training ends, or none (default: 10, "
            "none for pbt)",
        ),
        Option(
            "cross_validation",
            values.whole(2, ["none"]),
            "number of folds, whose mean counts, or none; 5 for a ready model of a small table",
        ),
        Option(
            "executions_per_trial", values.whole(), "trainings of each trial; their mean counts"
        ),
        Option(
            "reduce_lr_on_plateau",
            values.whole(),
            "epochs without a better objective after which the learning rate is a tenth",
        ),
        Option("scale_learning_rate", values.whole(), "batch size that learning rates are for"),
        Option("precision", values.name(PRECISIONS), ", ".join(PRECISIONS)),
        Option("compiled", values.flag(), "an epoch is one graph, where it can be", True),
        Option("jit_compile", values.flag(["auto"]), "whether XLA compiles the models"),
        Option("steps_per_execution", values.whole(1, ["auto"]), "batches in a call of the graph"),
        Option(
            "distribution",
            values.name(DISTRIBUTIONS),
            "GPUs of a trial: auto, one_device or mirrored",
        ),
        Option("deterministic", values.flag(), "the same numbers to the last bit", False),
    ),
)
_WHERE = OptionGroup(
    "where and how long",
    (
        Option(
            "executor",
            values.name(EXECUTORS),
            "where trials run: inline, workers, vectorized (many in one graph), ray, or auto",
            fixed=False,
        ),
        Option(
            "workers",
            values.whole(),
            "trials that run at once, each in a process of its own",
            fixed=False,
        ),
        Option("gpus_per_trial", values.number(), "GPUs of a worker; 0.5 shares one", fixed=False),
        Option(
            "address",
            values.text("ADDRESS"),
            "the Ray cluster: auto, or ray://host:10001 (default: a Ray on this machine)",
            fixed=False,
        ),
        Option(
            "storage_path",
            values.text("PATH"),
            "where the nodes of a Ray cluster leave checkpoints: a shared folder or a URI",
            fixed=False,
        ),
        Option(
            "time_budget",
            values.seconds(),
            "time in all, the retraining of the best model included: 90s, 15m, 2h",
            fixed=False,
        ),
        Option(
            "minutes",
            values.minutes(),
            "the same as a number: 10",
            fixed=False,
            in_file=False,
        ),
        Option("trial_timeout", values.seconds(), "time after which a trial fails", fixed=False),
    ),
)
_KEPT = OptionGroup(
    "what is kept",
    (
        Option(
            "directory",
            values.text("FOLDER"),
            "where the search is kept (default: runs/DATA-MODEL)",
            fixed=False,
        ),
        Option("storage", values.text("URL"), "data base for the record: sqlite:///trials.db"),
        Option(
            "tracker",
            values.several(values.name(TRACKERS), "NAMES"),
            "tensorboard, wandb, or both with a comma",
            fixed=False,
        ),
        Option(
            "keep_checkpoints",
            values.whole(),
            "of how many of the best trials the weights stay (default: 5)",
            fixed=False,
        ),
        Option("csv_log", values.flag(), "write each trial's epochs to a log.csv", False, False),
        Option(
            "folder",
            values.text("FOLDER"),
            "where relative paths and modules are looked up (default: the current one)",
            fixed=False,
        ),
    ),
)
_RUN = OptionGroup(
    "this run",
    (
        Option(
            "config",
            values.text("FILE"),
            "a .toml or .yaml file of these options; flags go before what it says",
            in_file=False,
        ),
        Option("overwrite", values.flag(), "forget what the directory holds", False, in_file=False),
        Option(
            "verbose",
            values.whole(0, highest=2),
            "0 silent, 2 shows all epochs",
            1,
            False,
            False,
        ),
    ),
)

GROUPS = (_WHAT, _HOW, _TRAINING, _WHERE, _KEPT, _RUN)
OPTIONS = {option.name: option for group in GROUPS for option in group.options}
NEEDED = ("data",)
