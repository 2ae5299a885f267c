"""The cases of `python -m bench.records`: how records are written, what is done to them, and in which direction they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """How records are written: settings of the value converter, and whether the source's values have a schema.

    `needs_registry`: the converter is Confluent's, and gets the address of a Schema Registry.
    """

    converter: Mapping[str, str]
    with_schema: bool
    needs_registry: bool = False


# A converter that both systems have is one more line here.
FORMATS: Mapping[str, Format] = {
    "json-with-schema": Format(
        {"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "true"},
        True,
    ),
    "json-without-schema": Format(
        {"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"},
        False,
    ),
    "avro": Format({"value.converter": "io.confluent.connect.avro.AvroConverter"}, True, needs_registry=True),
}
CHAIN: Mapping[str, str] = {
    "transforms": "insert,replace,mask",
    "transforms.insert.type": "org.apache.kafka.connect.transforms.InsertField$Value",
    "transforms.insert.static.field": "origin",
    "transforms.insert.static.value": "shop",
    "transforms.replace.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
    "transforms.replace.exclude": "note",
    "transforms.replace.renames": "reference:code",
    "transforms.mask.type": "org.apache.kafka.connect.transforms.MaskField$Value",
    "transforms.mask.fields": "customer",
}
CHAINS: Mapping[str, Mapping[str, str]] = {"alone": {}, "chain-of-three": CHAIN}
DIRECTIONS = ("source", "sink")


@dataclass(frozen=True)
class Case:
    """One row of the table; `form` and `chain` are names in FORMATS and CHAINS."""

    direction: str
    form: str
    chain: str

    @property
    def name(self) -> str:
        return f"{self.direction}-{self.form}-{self.chain}"


CASES: Mapping[str, Case] = {
    case.name: case
    for case in (Case(direction, form, chain) for form in FORMATS for direction in DIRECTIONS for chain in CHAINS)
}
