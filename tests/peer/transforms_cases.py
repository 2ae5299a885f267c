"""Cases for `TransformsVectors.java`, the same for the same seed, and the command that keeps Java's answers.

`python -m tests.peer.transforms_cases` writes `transforms_vectors.xz`, which tests/unit/plugins/test_transforms_vectors.py reads.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from supervisor.embedded.artifacts import class_path
from tests.peer.jvm import compile_java, connect_class_path, run_java
from tests.peer.transforms_codec import Case
from tests.peer.transforms_configs import FAMILIES
from tests.peer.transforms_random import RandomRecords
from tests.peer.values_codec import Json

SOURCES = [Path(__file__).with_name(name) for name in ("TransformsVectors.java", "ValuesCodec.java")]
VECTORS = Path(__file__).with_name("transforms_vectors.xz")
DEBEZIUM_LOCK = Path(__file__).with_name("debezium.lock")
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
        libraries=[*connect_class_path(), *class_path(DEBEZIUM_LOCK)],
        timeout_s=120,
    )
    return [json.loads(line) for line in out.decode().splitlines()]


def vectors(seed: int, count: int, families: Sequence[str] = tuple(FAMILIES)) -> list[Vector]:
    """`count` cases of each family with Java's answers."""
    asked = [(family, case) for family in families for case in cases(family, seed, count)]
    answered = java_answers([case for _, case in asked])
    found = (Vector(family, case, answers) for (family, case), answers in zip(asked, answered, strict=True))
    return [_without_far_instants(vector) for vector in found]


def _without_far_instants(vector: Vector) -> Vector:
    """The vector without the records of which Java makes what Python cannot hold."""
    records = vector.case["records"]
    if len(vector.answers) != len(records):
        return vector
    near = [(record, each) for record, each in zip(records, vector.answers, strict=True) if not _has_far_instant(each)]
    case = vector.case | {"records": [record for record, _ in near]}
    return vector._replace(case=case, answers=[answer for _, answer in near])


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
    with lzma.open(VECTORS, "wt", encoding="utf-8", preset=9 | lzma.PRESET_EXTREME) as lines:
        for vector in vectors(seed=1, count=25):
            lines.write(json.dumps(vector, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
