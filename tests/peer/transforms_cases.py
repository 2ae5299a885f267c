"""Cases for `TransformsVectors.java`, the same for the same seed, and the command that keeps Java's answers.

`python -m tests.peer.transforms_cases` writes `transforms_vectors.xz`, which tests/unit/plugins/test_transforms_vectors.py reads.
For transformations that are in no Maven repository the variable PEER_CLASSES names a folder with their classes, compiled from
their sources; without it the answers that are kept for them stay.
"""

from __future__ import annotations

import json
import lzma
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from plugins.jars.artifacts import class_path
from tests.peer.jvm import compile_java, connect_class_path, run_java
from tests.peer.transforms_codec import Case
from tests.peer.transforms_configs import FAMILIES
from tests.peer.transforms_random import RandomRecords
from tests.peer.values_codec import Json

SOURCES = [Path(__file__).with_name(name) for name in ("TransformsVectors.java", "ValuesCodec.java")]
VECTORS = Path(__file__).with_name("transforms_vectors.xz")
DEBEZIUM_LOCK = Path(__file__).with_name("debezium.lock")
UNPUBLISHED_CLASSES = [Path(os.environ["PEER_CLASSES"])] if "PEER_CLASSES" in os.environ else []
PUBLISHED = tuple(name for name, family in FAMILIES.items() if family.is_published)
RECORDS_PER_CASE = 8
# The instants that Python's datetime can hold: the years 1 to 9999.
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999


class Vector(NamedTuple):
    """A case of a transformation, and what Java makes of it: one answer a record, or one error of the configuration."""

    family: str
    case: Case
    answers: list[Json]


def cases(family: str, seed: int, count: int) -> Iterator[Case]:
    """`count` cases with a few records each."""
    # A name's own hash changes from run to run.
    random = RandomRecords(seed * 1_000 + sum(family.encode()))
    spec = FAMILIES[family]
    for _ in range(count * spec.weight):
        java_name, part = spec.class_and_part(random)
        config = spec.config(random)
        spec.prepare(random, config)
        records = [spec.record(random) if spec.record else random.record(part) for _ in range(RECORDS_PER_CASE)]
        yield {"class": java_name, "config": config, "records": records}


def java_answers(asked: Sequence[Case]) -> list[list[Json]]:
    """What Java makes of the cases."""
    stdin = "".join(json.dumps(case) + "\n" for case in asked)
    out = run_java(
        "TransformsVectors",
        stdin=stdin.encode(),
        classes=[compile_java(*SOURCES)],
        libraries=[*connect_class_path(), *class_path(DEBEZIUM_LOCK), *UNPUBLISHED_CLASSES],
        timeout_s=120,
    )
    return [json.loads(line) for line in out.decode().splitlines()]


def vectors(seed: int, count: int, families: Sequence[str] = PUBLISHED) -> list[Vector]:
    """`count` cases of each family with Java's answers."""
    asked = [(family, case) for family in families for case in cases(family, seed, count)]
    answered = java_answers([case for _, case in asked])
    found = (Vector(family, case, answers) for (family, case), answers in zip(asked, answered, strict=True))
    return [_comparable(vector) for vector in found]


def _comparable(vector: Vector) -> Vector:
    """The vector without the records of which Java makes what Python cannot hold, or fails as no one would want."""
    records = vector.case["records"]
    if len(vector.answers) != len(records):
        return vector
    drops_accidents = not FAMILIES[vector.family].is_published
    kept = [
        (record, answer)
        for record, answer in zip(records, vector.answers, strict=True)
        if not _has_far_instant(answer) and not (drops_accidents and _is_accident(answer))
    ]
    case = vector.case | {"records": [record for record, _ in kept]}
    return vector._replace(case=case, answers=[answer for _, answer in kept])


def _is_accident(answer: Json) -> bool:
    # The message is that of Values.inferSchema for a map or list of nulls.
    return isinstance(answer, dict) and (
        answer.get("expected") is False or answer.get("message") == "type cannot be null"
    )


def _has_far_instant(json: Json) -> bool:
    match json:
        case ["instant", int() as ms]:
            return not _FIRST_MS <= ms <= _LAST_MS
        case dict():
            return any(_has_far_instant(value) for value in json.values())
        case list():
            return any(map(_has_far_instant, json))
    return False


def kept_vectors() -> list[Vector]:
    """Those of the file."""
    with lzma.open(VECTORS, "rt", encoding="utf-8") as lines:
        return [Vector(*json.loads(line)) for line in lines]


def main() -> None:
    """Write the vectors, one a line."""
    families = tuple(FAMILIES) if UNPUBLISHED_CLASSES else PUBLISHED
    made = vectors(1, 25, families)
    made += [vector for vector in kept_vectors() if vector.family not in families]
    with lzma.open(VECTORS, "wt", encoding="utf-8", preset=9 | lzma.PRESET_EXTREME) as lines:
        for vector in made:
            lines.write(json.dumps(vector, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
