"""What watches a search: its progress display."""

from kt_hpo.tracking.progress import Best, Counts, Progress, make_progress

__all__ = ["Best", "Counts", "Progress", "make_progress"]
