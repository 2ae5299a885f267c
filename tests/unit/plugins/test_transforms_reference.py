"""The reference page is what the code says today."""

from __future__ import annotations

from pathlib import Path

from plugins.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "transformations.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m plugins.reference > docs/transformations.md"
