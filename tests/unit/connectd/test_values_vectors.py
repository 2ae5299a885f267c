"""Values, SchemaProjector and Decimal answer as Java's do: cases with the answers kept by `tests/peer/values_cases.py`."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from tests.peer.values_cases import VECTORS
from tests.peer.values_codec import Answer, Case, answer, normalized

BY_OP: defaultdict[str, list[tuple[Case, Answer]]] = defaultdict(list)
for _case, _answer in json.loads(VECTORS.read_text(encoding="utf-8")):
    BY_OP[_case["op"]].append((_case, _answer))


@pytest.mark.parametrize("op", BY_OP)
def test_as_java(op: str) -> None:
    for case, expected in BY_OP[op]:
        assert normalized(case, answer(case)) == normalized(case, expected), case
