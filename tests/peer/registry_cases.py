"""The cases that connectd's and Confluent's converters with a registry are asked."""

from __future__ import annotations

from tests.peer.registry_cases_avro import avro_cases
from tests.peer.registry_cases_json import json_cases
from tests.peer.registry_cases_protobuf import protobuf_cases
from tests.peer.registry_peer import Case


def all_cases() -> list[Case]:
    """All of them; the same in every run."""
    return [*avro_cases(), *json_cases(), *protobuf_cases()]
