"""One worker for all tests of a file, with healthy connectors that must not notice anything."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.support.chaos import Chaos, chaos
from tests.support.kafka import TestKafka


@pytest.fixture(scope="module")
def world(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    """Use it by way of `shared`."""
    with chaos(tmp_path_factory.mktemp("chaos"), kafka, f"chaos-{uuid.uuid4().hex[:8]}") as running:
        yield running


@pytest.fixture
def shared(world: Chaos) -> Iterator[Chaos]:
    """The worker; after each test its healthy connectors are unharmed, and nothing is left of the others."""
    yield world
    world.remove_others()
    world.assert_unharmed()
    world.assert_clean()
