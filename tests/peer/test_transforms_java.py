"""Transformations and predicates against the Java classes, on fresh cases, and the kept answers are what Java says today."""

from __future__ import annotations

from tests.peer import transforms_cases
from tests.peer.transforms_codec import agree, answers


def test_same_answers() -> None:
    compared = transforms_cases.vectors(seed=7, count=20)
    assert {vector.family for vector in compared} == set(transforms_cases.PUBLISHED)
    for vector in compared:
        for ours, javas in zip(answers(vector.case), vector.answers, strict=True):
            assert agree(ours, javas), f"{vector.case}\nJava: {javas}\nconnectd: {ours}"


def test_kept_answers_are_current() -> None:
    kept = [each for each in transforms_cases.kept_vectors() if each.family in transforms_cases.PUBLISHED]
    now = transforms_cases.java_answers([vector.case for vector in kept])
    assert [vector.answers for vector in kept] == now
