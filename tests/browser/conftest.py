"""One browser for the tests of each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import PATIENCE_MS, chromium

expect.set_options(timeout=PATIENCE_MS)


# Not for longer: Playwright has an event loop running meanwhile, beside which there can be no other.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found
