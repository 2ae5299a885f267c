"""Transformations and predicates answer as Java's do: cases with the answers kept by `tests/peer/transforms_cases.py`."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.peer.transforms_cases import Vector, kept_vectors
from tests.peer.transforms_codec import agree, answers

BY_FAMILY: defaultdict[str, list[Vector]] = defaultdict(list)
for _vector in kept_vectors():
    BY_FAMILY[_vector.family].append(_vector)


@pytest.mark.parametrize("family", BY_FAMILY)
def test_as_java(family: str) -> None:
    for vector in BY_FAMILY[family]:
        for ours, javas in zip(answers(vector.case), vector.answers, strict=True):
            assert agree(ours, javas), f"{vector.case}\nJava: {javas}\nconnectd: {ours}"
