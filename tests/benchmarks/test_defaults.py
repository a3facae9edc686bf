from benchmarks.quality.defaults import first_trials
from benchmarks.quality.problems import PROBLEMS

DIGITS = next(name for name in PROBLEMS if name.startswith("digits_mlp loss"))


def test_trials_are_counted_and_their_epochs_paid_for():
    trainings, regret = first_trials("kt_hpo random", DIGITS, trials=12, seed=1)
    assert trainings == 12
    pruned, as_good = first_trials("kt_hpo random, median", DIGITS, trials=12, seed=1)
    assert 5 < pruned < 12, "five train to their end before any is pruned"
    assert 0 <= regret <= as_good < 0.2, "the same trials, some of them stopped"
