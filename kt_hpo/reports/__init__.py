"""A search as one self-contained HTML page."""

from kt_hpo.reports.page import report

__all__ = ["report"]
