"""How many trials have ended, by how they ended."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Counts:
    """How many trials ended, by how they ended.

    Args:
        complete: Integer, trials with an objective.
        pruned: Integer, trials stopped early because they were hopeless.
        failed: Integer, trials that raised an error.

    Example:
        >>> Counts(complete=3).plus("FAIL")
        Counts(complete=3, pruned=0, failed=1)
    """

    complete: int = 0
    pruned: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All trials that ended."""
        return self.complete + self.pruned + self.failed

    def plus(self, state: str) -> Counts:
        """Counts one more trial.

        Args:
            state: String, the name of an ended trial's `optuna.trial.TrialState`: `"COMPLETE"`,
                `"PRUNED"` or `"FAIL"`.

        Returns:
            New `Counts`.

        Raises:
            ValueError: If the state is none of these.
        """
        if state == "COMPLETE":
            return replace(self, complete=self.complete + 1)
        if state == "PRUNED":
            return replace(self, pruned=self.pruned + 1)
        if state == "FAIL":
            return replace(self, failed=self.failed + 1)
        raise ValueError(f'A trial ends as "COMPLETE", "PRUNED" or "FAIL", not as {state!r}.')
