"""THE registry: every engine, executor, pruner, ready model, tracker and plot, by name.

One line adds one.

The public names of `kt_hpo`, `kt_hpo.oracles`, `kt_hpo.tuners` and `kt_hpo.plots`, the choices of
the command line, and the static types (`make stubs`) are made from it. It imports none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class EngineEntry:
    """An engine of `kt_hpo/engines/`.

    Attributes:
        file: The name of its module.
        tuner: The name of its tuner there; its oracle is named the same, with `Oracle` behind it.
        algorithms: What it is called on the command line, and what that is.
        argument: The argument of its tuner that takes the algorithm's name, if it has several.
        budget: The arguments of its tuner that say how long it searches.
        prunes: Which of its algorithms stop trials early by themselves.
        has_oracle: Whether it has an oracle of its own.

    Example:
        >>> entry = EngineEntry("random_search", "RandomSearch")
        >>> entry.module, entry.oracle
        ('kt_hpo.engines.random_search', 'RandomSearchOracle')
    """

    file: str
    tuner: str
    algorithms: Mapping[str, str] = field(default_factory=dict)
    argument: str | None = None
    budget: tuple[str, ...] = ("max_trials",)
    prunes: tuple[str, ...] = ()
    has_oracle: bool = True

    @property
    def module(self) -> str:
        """Where it is."""
        return f"kt_hpo.engines.{self.file}"

    @property
    def counts_epochs(self) -> bool:
        """Whether its `max_trials` are the epochs of so many full trainings."""
        return {"max_trials", "max_epochs"} <= {*self.budget}

    @property
    def oracle(self) -> str:
        """The name of its oracle."""
        return f"{self.tuner}Oracle"


_SAMPLERS = {
    "tpe": "Optuna's TPE, the one to begin with",
    "cmaes": "Optuna's CMA-ES",
    "nsga2": "Optuna's NSGA-II, for several objectives",
    "bohb": "TPE with Hyperband pruning",
}
_HYPERBAND = {"hyperband": "many trials of few epochs, the best go on"}
_PBT = {"pbt": "population-based training"}

ENGINES = (
    EngineEntry(
        "auto_search",
        "AutoSearch",
        {"auto": "the one of these that suits the search, and why"},
        budget=("max_trials", "max_epochs"),
        prunes=("auto",),
        has_oracle=False,
    ),
    EngineEntry("random_search", "RandomSearch", {"random": "random search"}),
    EngineEntry("grid_search", "GridSearch", {"grid": "every combination in order"}),
    EngineEntry(
        "bayesian_optimization",
        "BayesianOptimization",
        {"bayesian": "Keras Tuner's Gaussian process"},
    ),
    EngineEntry(
        "hyperband", "Hyperband", _HYPERBAND, budget=("max_epochs",), prunes=("hyperband",)
    ),
    EngineEntry(
        "freeze_thaw_search",
        "FreezeThawSearch",
        {"freeze_thaw": "trainings pause, the most promising go on"},
        budget=("max_trials", "max_epochs"),
        prunes=("freeze_thaw",),
    ),
    EngineEntry(
        "gaussian_process_search",
        "GaussianProcessSearch",
        {"gaussian_process": "a Gaussian process with a length for each hyperparameter"},
    ),
    EngineEntry("optuna_search", "OptunaSearch", _SAMPLERS, argument="sampler", prunes=("bohb",)),
    EngineEntry("hyperopt_search", "HyperoptSearch", {"hyperopt": "Hyperopt's TPE"}),
    EngineEntry(
        "bayesopt_search",
        "BayesOptSearch",
        {"bayesopt": "the Gaussian process of bayesian-optimization"},
    ),
    EngineEntry(
        "evolutionary_search", "EvolutionarySearch", {"evolution": "regularized evolution"}
    ),
    EngineEntry(
        "population_based_training",
        "PopulationBasedTraining",
        _PBT,
        budget=("max_epochs",),
        prunes=("pbt",),
    ),
    EngineEntry("sklearn_tuner", "SklearnTuner", has_oracle=False),
)

# Classes of `kt_hpo.execution`, by their names on the command line.
EXECUTORS = {"inline": "Inline", "workers": "Workers", "vectorized": "Vectorized", "ray": "Ray"}

# Classes of `optuna.pruners`, and their arguments.
PRUNERS: dict[str, tuple[str, dict[str, Any]]] = {
    "median": ("MedianPruner", {}),
    "percentile": ("PercentilePruner", {"percentile": 25.0}),
    "asha": ("SuccessiveHalvingPruner", {"min_resource": 1}),
    "hyperband": ("HyperbandPruner", {"min_resource": 1}),
    "wilcoxon": ("WilcoxonPruner", {}),
    "none": ("NopPruner", {}),
}

# Ready search spaces: classes of `hypermodels`, by their names on the command line.
MODELS = {
    "mlp": "MLPHyperModel",
    "cnn": "CNNHyperModel",
    "resnet": "ResNetHyperModel",
    "sequence": "SequenceHyperModel",
    "tabular": "TabularHyperModel",
    "transfer": "TransferHyperModel",
}

# Each is a module of `kt_hpo.tracking`, named as its extra, and a class there.
TRACKERS = {"tensorboard": "TensorBoardTracker", "wandb": "WandbTracker"}

# Functions of `kt_hpo.plots`, and the modules they are in.
PLOTS = {
    "overview": "page",
    "plot_best_so_far": "best_so_far",
    "plot_brackets": "brackets",
    "plot_confusion_matrix": "confusion",
    "plot_contour": "contour",
    "plot_durations": "durations",
    "plot_edf": "edf",
    "plot_importances": "importances",
    "plot_learning_curves": "learning_curves",
    "plot_learning_rate": "learning_rate",
    "plot_lineage": "lineage",
    "plot_misclassified": "misclassified",
    "plot_model_size": "model_size",
    "plot_optimization_history": "optimization_history",
    "plot_parallel_coordinates": "parallel_coordinates",
    "plot_pareto_front": "pareto_front",
    "plot_predictions": "predictions",
    "plot_rank": "rank",
    "plot_schedules": "schedules",
    "plot_slice": "slice",
    "plot_space": "space",
    "plot_timeline": "timeline",
}


def algorithms() -> dict[str, EngineEntry]:
    """Lists the algorithms of the command line.

    Returns:
        The engine of each, by the algorithm's name.

    Example:
        >>> algorithms()["cmaes"].tuner
        'OptunaSearch'
    """
    return {name: engine for engine in ENGINES for name in engine.algorithms}
