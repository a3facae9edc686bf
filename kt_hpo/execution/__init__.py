"""WHERE trials run."""

from kt_hpo.execution.inline import Inline

__all__ = ["Inline"]
