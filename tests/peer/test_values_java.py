"""Values, SchemaProjector and Decimal against Kafka's own, on fresh cases, and the kept answers are what Java says today."""

from __future__ import annotations

import json

import pytest

from tests.peer import values_cases
from tests.peer.values_codec import answer, normalized


@pytest.mark.parametrize("seed", [7, 8])
def test_same_answers(seed: int) -> None:
    compared = values_cases.vectors(seed, count=100)
    assert len(compared) > 600
    for case, expected in compared:
        assert normalized(case, answer(case)) == normalized(case, expected), case


def test_kept_answers_are_current() -> None:
    kept = json.loads(values_cases.VECTORS.read_text(encoding="utf-8"))
    now = values_cases.answers([case for case, _ in kept])
    assert [expected for _, expected in kept] == now
