"""The tuner all others are: a search from its arguments to its results."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import optuna
from keras_tuner.engine.trial import Trial
from optuna.pruners import BasePruner, NopPruner

from kt_hpo._private_apis.keras_tuner import check_inherited
from kt_hpo.arguments import check_flag, check_name_in_path, check_place
from kt_hpo.constraints import ConstraintLike, make_constraints
from kt_hpo.execution import Executor, Inline, InProcess, Vectorized, make_executor
from kt_hpo.execution.distributed import is_worker, make_worker, work
from kt_hpo.execution.search import alone, shown
from kt_hpo.oracle.adoption import recorded
from kt_hpo.oracle.failures import check_any_went_well
from kt_hpo.pruning import check_pruner, make_pruner
from kt_hpo.record import journal, shared_storage
from kt_hpo.record.provenance import made_by, record_environment
from kt_hpo.record.record import Storage
from kt_hpo.results import Results
from kt_hpo.space import domain
from kt_hpo.space.continuation import Continuation
from kt_hpo.space.kinds import Value
from kt_hpo.startup import grow_memory, quiet_retracing
from kt_hpo.tracking import Progress, TrackerLike, make_trackers
from kt_hpo.training import checkpoints, fit, precision
from kt_hpo.training.build import check_model, go_on
from kt_hpo.training.checks import check_search
from kt_hpo.training.data import validation_samples
from kt_hpo.training.distribution import strategy_named
from kt_hpo.training.hyperparameters import has_own_fit
from kt_hpo.training.interruption import Interruption
from kt_hpo.training.options import make_options
from kt_hpo.training.reproducibility import make_deterministic
from kt_hpo.tuner_arguments import arguments_of, check_numbers, check_objects

# What a subclass may override to train in another way, as AutoKeras does.
_TRAINING = ("_build_and_fit_model", "_try_build")
# What Keras Tuner leaves to subclasses.
_HOOKS = ("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end")


class Tuner(Results):
    """Searches a hypermodel with an oracle, and keeps a record of it.

    Everything `keras_tuner.Tuner` can do, with the same arguments; the additions are keywords. A
    search that was interrupted, or killed, goes on when the same program is run again.

    Args:
        oracle: Who proposes the values: any `keras_tuner.Oracle`.
        hypermodel: A `keras_tuner.HyperModel` or a function of `hp` that returns a compiled model.
            Not needed by a subclass whose `run_trial` does without.
        max_model_size: Most weights a model may have; a trial with more fails.
        optimizer: Replaces the optimizer the model is compiled with.
        loss: Replaces the loss.
        metrics: Replaces the metrics.
        distribution_strategy: A `tf.distribute.Strategy` to build and train under.
        directory: Folder of projects; the current one by default.
        project_name: Folder of this search within it; `untitled_project` by default.
        logger: Not used any more, as in Keras Tuner.
        tuner_id: Name of this tuner. Where processes share an oracle, `KERASTUNER_TUNER_ID` is.
        overwrite: Whether to forget what the project's folder holds and begin anew.
        executions_per_trial: How often each trial's model is trained; the mean counts.
        storage: Where the record is kept: an Optuna storage or its URL, such as
            `sqlite:///trials.db`. A journal file in the project's folder by default.
        early_stopping: Epochs without a better objective after which a training ends; None lets
            all epochs run. Not used where `search` gets an `EarlyStopping` of the user's.
        keep_checkpoints: Of how many of the best trials the weights stay on disk.
        executor: Where the trials run. By default in this process: those that are alike together in
            one graph, all others one after the other. `Inline()` is one after the other,
            `Vectorized()` together wherever possible; `Workers(4)`, or just 4, runs that many at
            once in processes; `"auto"` does what is fastest.
        pruner: Which trials stop early: an `optuna.pruners` object, or the name of one: median,
            percentile, asha, hyperband, wilcoxon. None lets all run to their end.
        warm_start: A study of a past search, `open_study(...)`, whose trials this one begins with;
            for the algorithms that learn from trials.
        constraint: What a trial must keep to be among the best, such as `"parameters < 1e5"`; see
            `kt_hpo.constraints.make_constraints`. Optuna's samplers seek trials that keep it.
        tracker: What keeps the search besides the record: `"tensorboard"`, `"wandb"`, a
            `kt_hpo.tracking.Tracker`, or a list of these.
        try_defaults: Whether the first trial of the search tries the default of every
            hyperparameter that `build` asks for; an algorithm that tries every combination keeps
            its own order.
        **training: How trials train, each a field of `kt_hpo.training.options.TrainingOptions`:
            cross_validation, deterministic, distribution, precision, jit_compile,
            steps_per_execution, scale_learning_rate, reduce_lr_on_plateau, csv_log, trial_timeout,
            time_budget.

    Attributes:
        study: The record, an `optuna.Study`.

    Raises:
        ValueError: If an argument is not allowed, or no values at all give a model.

    Example:
        >>> import keras
        >>> def build(hp):
        ...     layers = [keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 4))]
        ...     model = keras.Sequential(layers)
        ...     model.compile(loss="mse")
        ...     return model
        >>> oracle = keras_tuner.oracles.RandomSearchOracle(objective="val_loss", max_trials=2)
        >>> tuner = Tuner(oracle, build, directory="runs", project_name="doc", overwrite=True)
        >>> [hp.name for hp in tuner.oracle.get_space().space]
        ['units']
    """

    preparation: Callable[[keras.Model], None] | None = None

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        hypermodel: Any = None,
        max_model_size: int | None = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        distribution_strategy: Any = None,
        directory: str | Path | None = None,
        project_name: str | None = None,
        logger: Any = None,
        tuner_id: str | None = None,
        overwrite: bool = False,
        executions_per_trial: int = 1,
        *,
        storage: Storage = None,
        early_stopping: int | None = 10,
        keep_checkpoints: int = 5,
        executor: Executor | int | str | None = None,
        pruner: str | BasePruner | None = None,
        warm_start: optuna.Study | None = None,
        constraint: ConstraintLike = None,
        tracker: TrackerLike = None,
        try_defaults: bool = False,
        **training: Any,
    ) -> None:
        check_inherited(Tuner)
        check_numbers(executions_per_trial, keep_checkpoints, early_stopping, max_model_size)
        check_flag(overwrite=overwrite, try_defaults=try_defaults)
        check_place(directory, project_name)
        check_objects(hypermodel, oracle, storage, warm_start, tuner_id)
        if hypermodel is None and not self.runs_its_own_way:
            raise ValueError(
                "A hypermodel is needed: a keras_tuner.HyperModel or a function build(hp) that "
                "returns a compiled model. Only a subclass with a run_trial of its own does "
                "without."
            )
        if isinstance(oracle, keras_tuner.Oracle):
            oracle = recorded(oracle)
            oracle.storage = storage if storage is not None else oracle.storage
            oracle.overwrite = overwrite and not is_worker()
            oracle.pruner = oracle.pruner if pruner is None else make_pruner(pruner)
            check_pruner(oracle.pruner, oracle)
            oracle.begin_from(warm_start)
            oracle.constraints = make_constraints(constraint) or oracle.constraints
        self.training = make_options(training, arguments_of(type(self), Tuner))
        self.interruption = Interruption()
        grow_memory()
        if self.training.deterministic:
            make_deterministic()
        self.early_stopping = early_stopping
        self.try_defaults = try_defaults
        self.keep_checkpoints = keep_checkpoints
        self.executor = make_executor(executor)
        self.trackers = make_trackers(tracker)
        self.progress = Progress()
        # The trials whose best and whose last weights are kept; None before anyone has looked.
        self._with_weights: tuple[set[str], set[str]] | None = None
        super().__init__(
            oracle,
            hypermodel,
            max_model_size=max_model_size,
            optimizer=optimizer,
            loss=loss,
            metrics=metrics,
            distribution_strategy=strategy_named(
                self.training.distribution,
                distribution_strategy,
                one_at_a_time=isinstance(self.executor, InProcess | Inline),
            ),
            directory=directory,
            project_name=project_name,
            logger=logger,
            tuner_id=tuner_id,
            # Keras Tuner would delete what another process is searching; see below.
            overwrite=False,
            executions_per_trial=executions_per_trial,
        )
        if is_worker():
            make_worker(self, recorded(oracle), overwrite)

    @property
    def runs_its_own_way(self) -> bool:
        """Whether a subclass overrides `run_trial`."""
        return type(self).run_trial is not Tuner.run_trial

    @property
    def fits_its_own_way(self) -> bool:
        """Whether something else than `model.fit` trains what `build` returns.

        That is the hypermodel's `fit`, or, as in AutoKeras, a method of a subclass of the tuner.
        """
        return bool(self._overridden(_TRAINING)) or has_own_fit(self.hypermodel)

    @property
    def overridden_hooks(self) -> list[str]:
        """The hooks of epochs and batches that a subclass overrides, by name."""
        return self._overridden(_HOOKS)

    @property
    def meets_more(self) -> bool:
        """Whether a trial may ask for hyperparameters that no build asks for."""
        return self.runs_its_own_way or self.fits_its_own_way

    @property
    def stops_trials_early(self) -> bool:
        """Whether a pruner, or a subclass that overrides `report`, may stop a running trial."""
        has_pruner = not isinstance(self.oracle.pruner, NopPruner)
        return has_pruner or type(self).report is not Tuner.report

    def _overridden(self, names: Iterable[str]) -> list[str]:
        """The methods that a subclass has of its own."""
        return [name for name in names if getattr(type(self), name) is not getattr(Tuner, name)]

    @property
    def _reports_epochs_here(self) -> bool:
        """Whether Ctrl-C can wait for the end of an epoch."""
        return not self.runs_its_own_way and isinstance(
            self.executor, InProcess | Inline | Vectorized
        )

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Runs trials until there are no more to run.

        Args:
            *fit_args: Passed on to `HyperModel.fit`, hence to `model.fit`: the data, or functions
                without arguments that make them where they are used.
            **fit_kwargs: Likewise: `validation_data`, `epochs`, `callbacks`, ... Of `verbose`, 0
                is silent, 1 (and "auto") shows the progress of the search, 2 the epochs of every
                trial besides.

        Raises:
            ValueError: If data, objective and model do not fit together; nothing is trained then.
            RuntimeError: If `max_consecutive_failed_trials` trials failed in a row, or all did.
            RecordError: If another process searches in this project.
        """
        self._searched = fit_args, fit_kwargs
        verbose = fit_kwargs.get("verbose", "auto")
        if not self._run_trial_takes("verbose"):
            fit_kwargs.pop("verbose", None)
        if is_worker():
            work(self, fit_args, fit_kwargs)
            return
        with quiet_retracing():
            ends_what_hangs = getattr(self.executor, "ends_what_hangs", False)
            check_search(self, fit_args, fit_kwargs, ends_what_hangs)
        with alone(self), quiet_retracing(), shown(self, verbose):
            record_environment(self.study)
            self.oracle.record.note(
                made_by=made_by(self), **self._validated_on(fit_args, fit_kwargs)
            )
            self.oracle.record.plan(self.oracle.plan)
            self.oracle.meets_more = self.meets_more
            self.oracle.seconds_left = self.interruption.seconds_left
            self.oracle.take_back(self.tuner_id)
            self.on_search_begin()
            with self.interruption.listening(
                self.progress.note, self.training.time_budget, self._reports_epochs_here
            ):
                self.executor.run(self, fit_args, fit_kwargs)
                self.oracle.record.note(finished=True)
            check_any_went_well(self.oracle.trials.values())
            self.on_search_end()

    def _validated_on(
        self, fit_args: tuple[Any, ...], fit_kwargs: Mapping[str, Any]
    ) -> dict[str, int | None]:
        """How many samples a score is measured on, where that is known: so far chance goes."""
        if self.runs_its_own_way:
            return {}
        on_folds = self.training.cross_validation is not None
        return {"validation_samples": validation_samples(fit_args, fit_kwargs, on_folds)}

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Trains and measures the model of a trial; to be overridden for anything else.

        Args:
            trial: The trial, its values in `trial.hyperparameters`.
            *args: Positional arguments of `search`.
            **kwargs: Keyword arguments of `search`.

        Returns:
            The results: a History, a dict of metrics, a float, or a list of these.
        """
        return fit.run_trial(self, trial, args, kwargs)

    def _build_and_fit_model(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Does one training of a trial; for AutoKeras and others to override, as in Keras Tuner.

        Args:
            trial: The trial.
            *args: Positional arguments of `search`.
            **kwargs: Its keyword arguments, the callbacks of the search included.

        Returns:
            As `run_trial`.
        """
        hp = trial.hyperparameters
        model = self._try_build(hp)
        if self.preparation is not None:
            self.preparation(model)  # A subclass has built it its own way.
        return self.hypermodel.fit(hp, model, *args, **kwargs)

    def _try_build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds and checks the model of a training; to be overridden likewise."""
        model = self._build_hypermodel(hp)
        check_model(model, self.max_model_size)
        if self.preparation is not None:
            self.preparation(model)
        else:
            go_on(self, hp, model)  # Called outside of a training.
        return model

    def _run_trial_takes(self, name: str) -> bool:
        parameters = inspect.signature(self.run_trial).parameters
        kinds = {parameter.kind for parameter in parameters.values()}
        return name in parameters or inspect.Parameter.VAR_KEYWORD in kinds

    def report(self, trial: Trial, epoch: int, metrics: dict[str, float]) -> bool:
        """Records an epoch of a running trial and shows it.

        Args:
            trial: The trial.
            epoch: The epoch, counted from 0.
            metrics: Values by the metrics' names.

        Returns:
            Whether the trial shall go on.
        """
        epochs = Continuation.of(trial.hyperparameters.values).epochs
        self.progress.epoch(int(trial.trial_id), epoch, epochs, metrics)
        return self.oracle.report(trial.trial_id, epoch, metrics)

    def annotate(self, trial: Trial, **attributes: Any) -> None:
        """Records what else is known of a running trial.

        Args:
            trial: The trial.
            **attributes: Becomes the trial's `user_attrs` in the study.
        """
        self.oracle.annotate(trial.trial_id, **attributes)

    def annotations(self, trial: Trial) -> dict[str, Any]:
        """Reads what is recorded of a running trial: what `annotate` has written.

        Args:
            trial: The trial.

        Returns:
            The trial's `user_attrs` in the study.
        """
        return self.oracle.annotations(trial.trial_id)

    def on_trial_end(self, trial: Trial) -> None:
        """Records the end of a trial, and deletes the weights nobody needs any more.

        Args:
            trial: The trial.
        """
        self.oracle.end_trial(trial)
        running = [t.trial_id for t in self.oracle.ongoing_trials.values()]
        kept = [t.trial_id for t in self.oracle.get_best_trials(self.keep_checkpoints)]
        best, last = {*kept, *running}, {*self.oracle.checkpoints_needed(), *running}
        before = self._with_weights
        among = before and (before[0] ^ best) | (before[1] ^ last) | {trial.trial_id}
        checkpoints.keep_only(Path(self.project_dir), best, last, among)
        self._with_weights = best, last

    def enqueue(self, values: Mapping[str, Value]) -> None:
        """Makes values the next to be tried, unless they have been tried or enqueued already.

        Args:
            values: Values by the names of hyperparameters, such as those known to be good. What is
                not given the search algorithm chooses.

        Raises:
            ValueError: If one is no hyperparameter of the space, outside its range, or the
                algorithm has an order of its own (grid search).
        """
        self.oracle.enqueue(values)

    def get_trial_dir(self, trial_id: str) -> str:
        """Gives the directory of a trial.

        Args:
            trial_id: The trial's id.

        Returns:
            Its path.

        Raises:
            ValueError: If the id, which a stranger's record may bring, leads elsewhere.
        """
        return super().get_trial_dir(check_name_in_path("trial", trial_id))

    def save(self) -> None:
        """Does nothing: all there is to save is in the record already."""

    def reload(self) -> None:
        """Does nothing: the record is taken up when the tuner is made."""

    def _build_hypermodel(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        with precision.using(self.training.precision):
            model = super()._build_hypermodel(hp)
        if isinstance(model, keras.Model):
            options = self.training
            precision.compile_steps(model, options.jit_compile, options.steps_per_execution)
        return model

    def _override_compile_args(self, model: keras.Model) -> None:
        if not isinstance(model, keras.Model):
            return  # Who trains it says that it is no model.
        if (self.optimizer or self.loss or self.metrics) and not model.compiled:
            model.compile(loss=self.loss)  # Keras Tuner reads what a model was compiled with.
        super()._override_compile_args(model)

    def _populate_initial_space(self) -> None:
        if is_worker():
            return
        folder = Path(self.project_dir)
        with journal.claimed(folder) if self.oracle.overwrite else nullcontext():
            if self.oracle.overwrite:
                shared_storage.check_free(self.oracle.storage, folder)
                journal.clear(folder)
            self._take_up_space()

    def _take_up_space(self) -> None:
        self.oracle.open_record()
        if self.hypermodel is not None:
            declared = self.oracle.get_space()
            self.hypermodel.declare_hyperparameters(declared)
            self.oracle.declare(declared)
            self.oracle.update_space(domain.explore(self.hypermodel.build, self.oracle.get_space()))
            keras.utils.clear_session(free_memory=False)
        name, folder = type(self).__name__, Path(self.project_dir)
        shared_storage.check_same_search(self.study, folder, name, self.oracle.hyperparameters)
        self.oracle.reload()
        if self.try_defaults:
            self.oracle.enqueue_defaults()

    def _get_tuner_fname(self) -> str:
        # Keras Tuner reloads from this file where it exists; the record knows better.
        return str(Path(self.project_dir) / "no tuner file")
