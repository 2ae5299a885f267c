"""The reference page of the built-in transformations and predicates: `python -m plugins.reference > docs/transformations.md`."""

from plugins.reference.page import page

__all__ = ["page"]
