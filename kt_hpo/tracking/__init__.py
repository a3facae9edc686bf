"""What watches a search: its progress display, and what keeps it somewhere else besides."""

from kt_hpo.tracking.audience import Audience
from kt_hpo.tracking.progress import BestSoFar, Counts, Progress, make_progress
from kt_hpo.tracking.tracker import TrackedSearch, Tracker, TrackerLike, make_trackers

__all__ = [
    "Audience",
    "BestSoFar",
    "Counts",
    "Progress",
    "TrackedSearch",
    "Tracker",
    "TrackerLike",
    "make_progress",
    "make_trackers",
]
