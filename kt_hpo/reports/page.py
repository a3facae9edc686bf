"""The page: what was found, put into its template."""

from __future__ import annotations

import base64
import copy
import hashlib
import html
from collections.abc import Container, Sequence
from datetime import datetime
from itertools import compress
from pathlib import Path
from typing import Any

import jinja2
import optuna
from markupsafe import Markup
from optuna.trial import FrozenTrial, TrialState

import kt_hpo
from kt_hpo._private_apis.optuna import StorageView, study_on
from kt_hpo.formatting import count, duration
from kt_hpo.garbage import without_collections
from kt_hpo.plots import text
from kt_hpo.plots.influences import Influence, influences, why_none
from kt_hpo.plots.search import Search
from kt_hpo.record.best import level, level_with_best, pareto_front
from kt_hpo.record.clock import seconds
from kt_hpo.record.studies import find_study
from kt_hpo.record.tables import objective_names
from kt_hpo.reports import advice, answer, charts, comparison, trials, words
from kt_hpo.reports.effects import effects
from kt_hpo.reports.untried import untried
from kt_hpo.space.hyperparameters import HyperParameters

FILE_NAME, COMPARISON_NAME = "report.html", "comparison.html"
# A page with more figures is not read; the least important hyperparameters have none.
MAX_SLICES = 12
# Bytes of a page that a notebook keeps a copy of.
MAX_FRAMED = 2_000_000
# Of trials as good as the best, and of what differs between them.
MAX_LEVEL, MAX_DIFFERENT = 10, 6

_TEMPLATES = jinja2.PackageLoader("kt_hpo.reports")


# Python's own subclass of `Path` for this system, which may be subclassed as `Path` may not.
_SystemPath: Any = type(Path())


class ReportFile(_SystemPath):
    """The path of a report, which a notebook shows.

    It is a `pathlib.Path` in everything else.

    Example:
        >>> path = ReportFile("report.html")
        >>> isinstance(path, Path), path == Path("report.html")
        (True, True)
    """

    def _repr_html_(self) -> str:
        """Shows a link to the page, and the page in a frame, unless it is a large one."""
        file = Path(self)
        name = html.escape(str(file))
        if not file.is_file():
            return f"<code>{name}</code>"
        link = file if not file.is_absolute() else file.as_uri()
        shown = f'<a href="{html.escape(str(link))}" target="_blank">{name}</a>'
        if file.stat().st_size > MAX_FRAMED:
            return shown
        page = html.escape(file.read_text(encoding="utf-8"), quote=True)
        look = "width:100%;height:600px;border:1px solid #8884"
        # What the page runs is its own script, with no way to the notebook around it.
        return f'{shown}<iframe sandbox="allow-scripts" style="{look}" srcdoc="{page}"></iframe>'


def report(tuner_or_study_or_path: Any, path: str | Path | None = None) -> Path:
    """Writes a search as one HTML file that needs no network and no other file.

    The answer comes first: the best values, their score and how far to trust it, which
    hyperparameters mattered, what to search next. Then interactive figures, a sortable table of
    the trials, errors, the space, the environment and the code to build the best model again.

    Args:
        tuner_or_study_or_path: A tuner, an `optuna.Study`, or what `kt_hpo.open_study` takes: a
            search's folder, a journal, a storage URL, a folder of plain Keras Tuner. The search
            may still be running. A list of these, to compare searches of one objective.
        path: The file to write; `report.html` in the search's folder, or else in the current one,
            if not given. A comparison is `comparison.html` in the current one.

    Returns:
        The file's path, which a notebook shows as a link and the page itself.

    Raises:
        FileNotFoundError: If there is no search, or no folder to write the file in.
        TypeError: If it is something else.
        ValueError: If searches to compare have objectives of different names or directions.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=20)
        >>> report(study, "study.html").read_text()[:15]
        '<!doctype html>'
    """
    if isinstance(tuner_or_study_or_path, list | tuple) and len(tuner_or_study_or_path) != 1:
        studies = [find_study(each)[0] for each in tuner_or_study_or_path]
        written = _file_to_write(path if path is not None else COMPARISON_NAME)
        with without_collections():
            written.write_text(render_comparison(studies), encoding="utf-8")
        return written
    if isinstance(tuner_or_study_or_path, list | tuple):
        [tuner_or_study_or_path] = tuner_or_study_or_path
    study, folder = find_study(tuner_or_study_or_path)
    written = _file_to_write(path if path is not None else folder / FILE_NAME)
    with without_collections():
        written.write_text(render(study), encoding="utf-8")
    return written


def _file_to_write(path: str | Path) -> ReportFile:
    file = ReportFile(path)
    if not file.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {file.parent} to write {file.name} in.")
    return file


def render(study: optuna.Study) -> str:
    """Writes the page.

    Args:
        study: The record of a search.

    Returns:
        The HTML text. Whatever comes from the record is escaped in it.
    """
    environment = _environment_of_templates()
    script = _asset(environment, "page.js")
    return environment.get_template("page.html").render(
        script=Markup(script),
        # The browser runs this script and no other, whatever else may have got into the page.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup(_asset(environment, "page.css")),
        written=datetime.now(),
        version=kt_hpo.__version__,
        **_contents(Search.of(_as_now(study))),
    )


def render_comparison(studies: Sequence[optuna.Study]) -> str:
    """Writes the page that compares searches.

    Args:
        studies: Their records.

    Returns:
        The HTML text. Whatever comes from the records is escaped in it.

    Raises:
        ValueError: If there are none, or their objectives have different names or directions.
    """
    environment = _environment_of_templates()
    return environment.get_template("comparison.html").render(
        style=Markup(_asset(environment, "page.css")),
        written=datetime.now(),
        version=kt_hpo.__version__,
        **comparison.contents([_as_now(study) for study in studies]),
    )


def _environment_of_templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=_TEMPLATES,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "words": words.value_in_words,
        "count": count,
        "listed": words.listed,
        "percent": text.percent,
        "spread": words.spread,
        "broken": words.broken,
    }
    return environment


def _asset(environment: jinja2.Environment, name: str) -> str:
    return _TEMPLATES.get_source(environment, name)[0]


class _Snapshot(StorageView):
    """A storage with the trials of one study as they are now: one that runs would change them.

    Trials that have ended change no more; copying them takes longer than all the rest of a page.
    """

    def __init__(self, study: optuna.Study) -> None:
        super().__init__(study)
        self._attributes = study.user_attrs
        self._now = [
            trial if trial.state.is_finished() else copy.deepcopy(trial)
            for trial in study.get_trials(deepcopy=False)
        ]

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        return [trial for trial in self._now if states is None or trial.state in states]

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._attributes

    get_best_trial = optuna.storages.BaseStorage.get_best_trial


def _as_now(study: optuna.Study) -> optuna.Study:
    return study_on(_Snapshot(study), study)


def _contents(search: Search) -> dict[str, Any]:
    attributes = search.study.user_attrs
    config = attributes.get("space")
    space = None if config is None else HyperParameters.from_config(config)
    names = objective_names(search.study)
    found = [(name, influences(search, index)) for index, name in enumerate(names)]
    mattered = {one.name: one.share for one in found[0][1] if one.mattered}
    best = answer.answer(search, space, mattered or None)
    near = level_with_best(search.study, names[0])
    return {
        "search": search,
        "headline": answer.headline(search),
        "answer": best,
        "why_none": answer.why_none(search),
        "front": _front(search),
        "objectives": attributes.get("objective") or ", ".join(names),
        "constraints": attributes.get("constraints") or [],
        "test": attributes.get("test") or {},
        "influences": found,
        "effects": [effects(search, one, index) for index, (_, one) in enumerate(found)],
        "level": None if best is None or not near else _level(search, [best.trial, *near]),
        "untried": untried(search, space) if search.trials else [],
        "why_no_influence": [why_none(search, index) for index in range(len(names))],
        "advice": advice.advise(search, space, mattered),
        "why_no_advice": advice.why_none(search),
        "further": answer.further(search, best.uncertainty if best else None),
        "charts": charts.overview(search) + charts.whole_space(search, found[0][1]),
        "slices": charts.slices(search, _in_order(search, found[0][1])),
        "table": trials.trial_table(search),
        "failures": trials.failures(search),
        "space": trials.space_lines(space, search),
        "made_by": attributes.get("made_by") or {},
        "environment": _environment(attributes.get("environments") or [{}]),
        "command": attributes.get("command") or {},
        "running": len(search.with_state(TrialState.RUNNING)),
    }


def _level(search: Search, trials: list[FrozenTrial]) -> dict[str, Any]:
    """What differs between the trials that cannot be told from the best, and what they cost."""
    shown = trials[:MAX_LEVEL]
    names = dict.fromkeys(name for trial in shown for name in trial.params)
    differ = [n for n in names if len({repr(trial.params.get(n)) for trial in shown}) > 1]
    rows = [
        (
            trial.number,
            [
                search.value(trial),
                trial.user_attrs.get("parameters"),
                duration(taken) if (taken := seconds(trial)) else None,
                *(trial.params.get(name) for name in differ[:MAX_DIFFERENT]),
            ],
        )
        for trial in shown
    ]
    columns = [search.objective, "parameters", "time", *map(search.short_name, differ)]
    known = [any(row[i] is not None for _, row in rows) for i in range(len(rows[0][1]))]
    return {
        "said": level(search.study, search.objective),
        "columns": list(compress(columns, known)),
        "rows": [(number, list(compress(row, known))) for number, row in rows],
        "left_out": len(trials) - len(shown),
    }


def _environment(environments: list[dict[str, Any]]) -> dict[str, str]:
    """What the search ran on last, a line each."""
    packages = environments[-1].get("packages", {})
    others = {
        name.replace("_", " "): ", ".join(value) if isinstance(value, list) else str(value)
        for name, value in environments[-1].items()
        if name not in ("packages", "from_trial") and value is not None
    }
    return {**packages, **others}


def _in_order(search: Search, found: list[Influence]) -> list[str]:
    """The hyperparameters to draw, the most important first."""
    names = [one.name for one in found] or list(advice.distributions(search.finished()))
    return names[:MAX_SLICES]


def _front(search: Search) -> list[tuple[int, list[float]]]:
    """The trials no other is better than, where there are several objectives."""
    if search.n_objectives < 2:
        return []
    best = pareto_front(search.study, search.trials)
    return [(trial.number, list(trial.values)) for trial in best]
