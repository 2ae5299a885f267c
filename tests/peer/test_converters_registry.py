"""The converters with a Schema Registry answer as Confluent's own classes did: schemas, data, errors."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.peer.registry_cases_avro import avro_cases
from tests.peer.registry_cases_json import json_cases
from tests.peer.registry_cases_protobuf import protobuf_cases
from tests.peer.registry_peer import Case, key_of, ours, recorded

# Java writes the entries of both maps as one type, though they differ, and nobody can read them: here it is an error.
_UNREADABLE = "There are two different schemas with the name io.confluent.connect.avro.MapEntry"


@pytest.mark.parametrize("cases_of", [avro_cases, json_cases, protobuf_cases])
def test_answers_as_confluents_converter(cases_of: Callable[[], list[Case]]) -> None:
    cases = cases_of()
    answers = recorded()
    found: list[str] = []
    for case, (answer, error) in zip(cases, ours(cases), strict=True):
        theirs = answers[key_of(case)]
        if not case.is_same(theirs, answer) and _UNREADABLE not in error:
            question = json.dumps(case.question())[:600]
            found.append(
                f"{question}\n  Java: {json.dumps(theirs)[:800]}\n  connectd: {json.dumps(answer)[:800]} {error}"
            )
    assert len(cases) > 500
    assert not found, f"{len(found)} of {len(cases)} answers differ:\n" + "\n".join(found[:10])
