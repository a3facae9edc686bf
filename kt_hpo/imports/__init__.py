"""Searches of other programs, in a record."""

from kt_hpo.imports.search import import_search

__all__ = ["import_search"]
