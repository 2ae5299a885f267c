"""Random records for the cases of `transforms_cases.py`: with and without schemas, fitting and not."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.peer.values_cases import Cases
from tests.peer.values_codec import Json

TOPICS = ["orders", "db.public.orders", "a-1", "abab", "Straße_7", "x"]
NAMES = ["a", "b", "c", "d", "e", "x.y", "q`r"]
TYPES = ["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "bytes"]
# Of these Java's own text of an instant is right.
_FIRST_DAY_MS = 86_400_000
_LAST_MS = 4_102_444_800_000


class RandomRecords(Cases):
    """Records from one seed. `texts` are values that strings have at `texts_rate`, `plain_numbers` those of numbers.

    With `is_uniform` all rows of an outbox have one schema and one topic.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.texts: list[str] = []
        self.texts_rate = 0.7
        self.plain_numbers: Sequence[int] = ()
        self.is_uniform = False

    def choice(self, choices: Sequence[Json]) -> Json:
        return self._pick(choices)

    def chance(self, probability: float) -> bool:
        return self._chance(probability)

    def some(self, choices: Sequence[str], most: int = 3) -> list[str]:
        """One or more of them, in any order."""
        return self._random.sample(list(choices), self._random.randint(1, min(most, len(choices))))

    def maybe(self, config: dict[str, str], key: str, *values: str) -> dict[str, str]:
        """The configuration with the key, or as often without."""
        return config | {key: self._pick(values)} if self._chance(0.5) else config

    def value(self, schema: Json) -> Json:
        """A value of the schema, sometimes None where that fits."""
        return self._value(schema)

    def record(self, part: str, is_sink: bool | None = None) -> Json:
        """A record whose `part` is of interest."""
        other = "value" if part == "key" else "key"
        is_sink = self._chance(0.5) if is_sink is None else is_sink
        has_timestamp = self._chance(0.85)
        return {
            "topic": self._pick(TOPICS),
            "partition": self._random.randint(0, 9) if is_sink or self._chance(0.6) else None,
            part: self.pair(),
            other: self._pick([[None, None], [{"type": "string"}, ["string", "k"]], [None, ["string", "k"]]]),
            "timestamp": self._random.randrange(_LAST_MS) if has_timestamp else None,
            "headers": [self._header() for _ in range(self._pick([0, 0, 1, 3]))],
            "offset": self._random.randrange(1000) if is_sink else None,
        }

    def pair(self) -> Json:
        """A schema, or None, and a value."""
        kind = self._random.random()
        if kind < 0.58:
            schema = self.struct_schema(2)
            value = self._value(schema)
            if value and self._chance(0.15):
                # A field that is not set may be required: that is found out when it is looked at.
                value[1][1] = [field for field in value[1][1] if self._chance(0.8)]
            return [schema, value]
        if kind < 0.85:
            return [None, self.plain_map(2)]
        if kind < 0.93:
            schema = self._any_schema(1)
            return [schema, self._value(schema)]
        return [None, self._pick([None, self._plain(0)])]

    def struct_schema(self, depth: int) -> Json:
        names = self._random.sample(NAMES, self._random.randint(0, len(NAMES)))
        schema: dict[str, Json] = {
            "type": "struct",
            "fields": [[name, self._field_schema(depth - 1)] for name in names],
        }
        if self._chance(0.3):
            schema["optional"] = True
        if self._chance(0.3):
            schema |= {"name": "com.example.Thing", "version": 3}
        if self._chance(0.2):
            schema |= {"doc": "about it", "parameters": {"p": "1"}}
        return schema

    def plain_map(self, depth: int) -> Json:
        names = self._random.sample(NAMES, self._random.randint(0, len(NAMES)))
        return ["map", [[["string", name], self._plain(depth - 1)] for name in names]]

    def _field_schema(self, depth: int) -> Json:
        schema: dict[str, Json] = self._any_schema(depth)
        if self._chance(0.1):
            schema |= {"doc": "a field"}
        return self._with_default(schema)

    def _any_schema(self, depth: int) -> Json:
        if depth > 0 and self._chance(0.25):
            return self.struct_schema(depth)
        return self._schema(max(0, depth))

    def _plain(self, depth: int) -> Json:
        if self._chance(0.15):
            return None
        if depth > 0 and self._chance(0.35):
            return self.plain_map(depth)
        kind = self._pick(
            ["int64", "int64", "float64", "boolean", "string", "string", "bytes", "timestamp", "decimal", "array"]
        )
        match kind:
            case "array":
                return [kind, [["int64", 1], ["string", "x"]]]
            case "decimal":
                return [kind, "12.50"]
            case "timestamp":
                return [kind, self._random.randrange(_FIRST_DAY_MS, _LAST_MS)]
            case "int64" if self.plain_numbers and self._chance(0.6):
                return [kind, self._pick(self.plain_numbers)]
        return [kind, self._scalar(kind)]

    def _value(self, schema: Json, nulls: bool = True) -> Json:
        if schema["type"] == "struct":
            if schema.get("optional") and nulls and self._chance(0.2):
                return None
            present = [[name, value] for name, field in schema["fields"] if (value := self._value(field)) is not None]
            return ["struct", [schema, present]]
        if "default" in schema and nulls and self._chance(0.3):
            return None
        return super()._value(schema, nulls)

    def _with_default(self, schema: Json) -> Json:
        changed: Json = super()._with_default(schema)
        # Such default values are never equal: NaN in Python, bytes within a map or a list in Java.
        default = json.dumps(changed.get("default"))
        is_unequal = "NaN" in default or ('"bytes"' in default and changed["type"] in ("map", "array"))
        return schema if is_unequal else changed

    def _scalar(self, kind: str) -> Json:
        if kind == "string" and self.texts and self._chance(self.texts_rate):
            return self._pick(self.texts)
        if kind == "int64" and self.plain_numbers and self._chance(0.5):
            return self._pick(self.plain_numbers)
        return super()._scalar(kind)

    def _header(self) -> Json:
        name = self._pick(["h1", "h2", "h3"])
        return self._pick([[name, {"type": "string"}, ["string", "v"]], [name, None, ["int64", 5]], [name, None, None]])
