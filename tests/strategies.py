"""Hypothesis strategies for search spaces."""

from hypothesis import strategies as st

from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Boolean, Choice, Fixed, Float, Int

NAMES = st.text("abcdefgh_/[]=, é", min_size=1, max_size=8)
TEXT = st.text(max_size=6)
FLOATS = st.floats(-1e6, 1e6, allow_nan=False)
POSITIVE = st.floats(1e-6, 1e6)


@st.composite
def ints(draw, name="x", conditions=None):
    sampling = draw(st.sampled_from(["linear", "log", "reverse_log"]))
    low = draw(st.integers(-1000, 1000) if sampling == "linear" else st.integers(1, 1000))
    high = low + draw(st.integers(0, 5000))
    smallest = 1 if sampling == "linear" else 2
    step = draw(st.none() | st.integers(smallest, 50))
    return Int(name, low, high, step=step, sampling=sampling, conditions=conditions)


@st.composite
def floats(draw, name="x", conditions=None):
    sampling = draw(st.sampled_from(["linear", "log", "reverse_log"]))
    low = draw(FLOATS if sampling == "linear" else POSITIVE)
    high = low + draw(st.floats(0, 1e6))
    if sampling == "linear":
        width = high - low
        step = draw(st.none() | st.integers(1, 200).map(lambda parts: width / parts or None))
    else:
        step = draw(st.none() | st.floats(1.01, 10))
    return Float(name, low, high, step=step, sampling=sampling, conditions=conditions)


@st.composite
def choices(draw, name="x", conditions=None):
    kind = draw(st.sampled_from([TEXT, st.integers(-99, 99), FLOATS, st.booleans()]))
    values = draw(st.lists(kind, min_size=1, max_size=5, unique=True))
    numeric = not isinstance(values[0], str)
    ordered = draw(st.none() | st.booleans()) if numeric else None
    return Choice(name, values, ordered=ordered, conditions=conditions)


@st.composite
def booleans(draw, name="x", conditions=None):
    return Boolean(name, default=draw(st.booleans()), conditions=conditions)


@st.composite
def fixed(draw, name="x", conditions=None):
    value = draw(TEXT | st.integers(-99, 99) | FLOATS | st.booleans())
    return Fixed(name, value, conditions=conditions)


KINDS = [ints, floats, choices, booleans, fixed]


@st.composite
def hyperparameters(draw, name="x"):
    return draw(draw(st.sampled_from(KINDS))(name=name))


@st.composite
def spaces(draw):
    """A space with nested conditional scopes, some of them sharing names."""
    hps = HyperParameters()
    _fill(draw, hps, depth=0, prefix="")
    return hps


def _fill(draw, hps, depth, prefix):
    for index in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(KINDS))
        name = f"{prefix}{index}"
        if hps._exists(name):
            continue
        hps._retrieve(draw(kind(name=name, conditions=list(hps._conditions))))
    if depth == 2:
        return
    for _ in range(draw(st.integers(0, 2))):
        name = f"{prefix}parent{depth}"
        if not hps._exists(name):
            hps.Choice(name, ["a", "b", "c"])
        branch = draw(st.sampled_from(["a", "b", "c"]))
        with hps.conditional_scope(name, [branch]):
            # The same prefix in every branch: names are shared by scopes.
            _fill(draw, hps, depth + 1, f"{prefix}{depth}")
