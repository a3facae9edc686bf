"""What a search has found: its record, its best trials and their models."""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import optuna
import pandas as pd
from keras_tuner.engine.trial import Trial

from kt_hpo.oracle.ranking import front
from kt_hpo.record import tables
from kt_hpo.space import summary
from kt_hpo.training import best, checkpoints, distribution
from kt_hpo.training.confirm import Confirmation, confirm
from kt_hpo.training.data import make_data


class Results(keras_tuner.Tuner):
    """The part of a tuner that is of use when trials have ended; see `kt_hpo.Tuner`."""

    _searched: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    @property
    def study(self) -> optuna.Study:
        """The record of the search, for `optuna.visualization` and everything else of Optuna's."""
        return self.oracle.record.study

    def load_model(self, trial: Trial) -> keras.Model:
        """Builds the model of a trial and loads the weights of its best epoch.

        Args:
            trial: A trial of this search.

        Returns:
            The trained model.

        Raises:
            FileNotFoundError: If the weights are not kept; see `keep_checkpoints`.
        """
        model = self._build_hypermodel(trial.hyperparameters.copy())
        with distribution.scope(self.distribution_strategy):
            checkpoints.restore(model, Path(self.get_trial_dir(trial.trial_id)) / checkpoints.BEST)
        return model

    def get_best_models(self, num_models: int = 1) -> list[keras.Model]:
        """Gives the models of the best trials; a ValueError if all break the constraints."""
        reason = self.oracle.why_none_is_best()
        if reason and self.oracle.constraints and self.oracle.end_order:
            raise ValueError(reason)
        return super().get_best_models(num_models)

    def fit_best(self, *fit_args: Any, ensemble: int = 1, **fit_kwargs: Any) -> keras.Model:
        """Trains the best trial's model anew, on all the data there are.

        Args:
            *fit_args: The data, as in `search`: for example training and validation data together.
            ensemble: How often, each time with other initial weights. The model is the mean of
                all then, which is ahead of one where samples are few. One is trained where the
                model is a subclass with a `call` of its own, and a warning says so.
            **fit_kwargs: As in `search`. Without `epochs` the model is trained as long as it took
                the trial to reach its best epoch.

        Returns:
            The trained model.

        Raises:
            ValueError: If no trial has been completed, or none that keeps the constraints.
        """
        return best.fit_best(self, fit_args, fit_kwargs, ensemble)

    def confirm(
        self, *fit_args: Any, top: int = 5, executions: int = 5, **fit_kwargs: Any
    ) -> Confirmation:
        """Trains the best trials again with other seeds, to tell luck from merit.

        The best of many noisy trials is flattered: it was chosen for its luck too. What is measured
        here was not chosen.

        Args:
            *fit_args: The data, as in `search`; those of the latest `search` if none are given.
            top: How many of the best trials.
            executions: How often each is trained, on every fold where there are some.
            **fit_kwargs: As in `search`.

        Returns:
            Means with confidence intervals, and which differences are real. Printed, it is two
            tables; the record holds it as `study.user_attrs["confirmation"]`.

        Raises:
            ValueError: If no trial has been completed, there are several objectives, or no data.
        """
        data = (fit_args, fit_kwargs) if fit_args or fit_kwargs else self._searched
        return confirm(self, data and make_data(*data), top, executions)

    def pareto_front(self) -> list[Trial]:
        """Picks the trials that no other is better than in every objective.

        Returns:
            Those that keep the constraints, in the order of the first objective; with one objective
            the best trials.
        """
        return front(self.oracle.kept_trials(), self.oracle.objective)

    def to_dataframe(self) -> pd.DataFrame:
        """Makes a data frame of the trials; see `kt_hpo.record.tables.to_dataframe`.

        Returns:
            A row for each trial, in the order in which they began.
        """
        return tables.to_dataframe(self.study)

    def search_space_summary(self, extended: bool = False) -> None:
        """Prints the search space, a line a hyperparameter.

        Args:
            extended: Taken and not used, as in Keras Tuner.
        """
        space = self.oracle.get_space()
        print("Search space summary")
        print(f"Default search space size: {len(space.space)}")
        if space.space:
            print(summary.as_text(space))

    def _repr_html_(self) -> str:
        """Shows in a notebook how the search stands: the best trials, or else the space."""
        trials = self.study.get_trials(deepcopy=False)
        counts = Counter(trial.state.name.lower() for trial in trials)
        states = ", ".join(f"{count:,} {state}" for state, count in counts.most_common())
        name = escape(f"{type(self).__name__} {self.project_name}")
        head = f"<div><b>{name}</b>: {states or 'no trial yet'}</div>"
        if tables.best_trials(self.study, 1).empty:
            return head + summary.as_html(self.oracle.get_space())
        shown = tables.compare_best(self.study, 5, as_html=True)
        return f"{head}<div>The best, in {escape(str(self.project_dir))}:</div>{shown}"

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints a table of the best trials.

        Args:
            num_trials: How many at most.
        """
        print(f"Results in {self.project_dir}")
        print(tables.compare_best(self.study, num_trials))
