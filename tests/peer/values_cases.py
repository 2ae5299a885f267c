"""Random cases for `ValuesVectors.java`, the same for the same seed, and the command that keeps Java's answers.

`python -m tests.peer.values_cases` writes `values_vectors.json`, which tests/unit/connectd/test_values_vectors.py reads.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.peer.jvm import compile_java, run_java
from tests.peer.values_codec import Answer, Case, Json

SOURCES = [Path(__file__).with_name(name) for name in ("ValuesVectors.java", "ValuesCodec.java")]
VECTORS = Path(__file__).with_name("values_vectors.json")

_MS_PER_DAY = 86_400_000
# From 1582 on Java's calendar is Gregorian, as Python's always is; Python's ends with the year 9999.
_FIRST_MS, _LAST_MS = -12_219_292_800_000, 253_402_300_799_999


def answers(cases: Sequence[Case]) -> list[Answer]:
    """What Java makes of the cases."""
    stdin = "".join(json.dumps(case) + "\n" for case in cases)
    out = run_java("ValuesVectors", stdin=stdin.encode(), classes=[compile_java(*SOURCES)])
    return [json.loads(line) for line in out.decode().splitlines()]


def vectors(seed: int, count: int) -> list[tuple[Case, Answer]]:
    """`count` cases of each kind with Java's answers, without those that Python cannot answer alike."""
    cases = list(Cases(seed).generate(count))
    return [(case, answer) for case, answer in zip(cases, answers(cases), strict=True) if _comparable(case, answer)]


def _comparable(case: Case, answer: Answer) -> bool:
    if case["op"] == "infer" and "error" in answer:
        # A list of nulls alone is an error in Java, here it has no schema.
        return False
    # As keys 0.0 and -0.0 are two in Java and one in Python.
    return '"-0.0"' not in json.dumps(answer) and _in_range(answer.get("schema"), answer.get("value"))


def _in_range(schema: Json, value: Json) -> bool:
    schema = schema or {}
    match value:
        case ["instant", ms]:
            return _is_python_instant(schema.get("name", "").rpartition(".")[2], ms)
        case ["array", elements]:
            return all(_in_range(schema.get("values"), element) for element in elements)
        case ["map", entries]:
            keys, values = schema.get("keys"), schema.get("values")
            return all(_in_range(keys, key) and _in_range(values, element) for key, element in entries)
    return True


def _is_python_instant(kind: str, ms: int) -> bool:
    if kind == "Time":
        return 0 <= ms < _MS_PER_DAY
    # Java's lists of dates may hold times, and the other way round.
    return _FIRST_MS <= ms <= _LAST_MS and (kind != "Date" or ms % _MS_PER_DAY == 0)


class Cases:
    """Cases from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def generate(self, count: int) -> Iterator[Case]:
        """`count` cases of each kind."""
        for _ in range(count):
            yield {"op": "parse", "text": self._any_text()}
            yield {"op": "parse", "text": self._structure(2)}
            yield self._conversion()
            yield self._to_string()
            yield self._inference()
            yield self._projection()
            yield self._decimal()

    def _any_text(self) -> str:
        return self._pick([self._number, self._temporal, self._soup, self._word])()  # type: ignore[no-any-return]

    def _pick(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _number(self) -> str:
        digits = "".join(self._pick("0123456789") for _ in range(self._random.randint(1, self._pick([3, 6, 12, 25]))))
        sign = self._pick(["", "", "", "-", "+"])
        fraction = self._pick(["", "", ".", ".0", ".5", f".{digits}"])
        exponent = self._pick(["", "", "", "e3", "E-7", "e+40", "e-50", "E400", "e-400", "e12345678901"])
        return f"{sign}{digits}{fraction}{exponent}"

    def _temporal(self) -> str:
        number = self._random
        year = f"{number.randint(1600, 2400):04}"
        date = f"{year}-{number.randint(0, 14):02}-{number.randint(0, 33):02}"
        time = f"{number.randint(0, 23):02}:{number.randint(0, 61):02}:{number.randint(0, 59):02}.{number.randint(0, 999):03}Z"
        text: str = self._pick([date, time, f"{date}T{time}"])
        if self._chance(0.3):
            text = text.replace(":", "\\:")
        if self._chance(0.15):
            position = number.randrange(2, len(text))
            text = text[:position] + self._pick(" -:x7") + text[position + 1 :]
        return text

    def _soup(self) -> str:
        pieces = [*',:{}[]"', *',:{}[]"', " ", "\\", "true", "null", "1", "2.5", "a", "300", "false ", "-", "\n"]
        return "".join(self._pick(pieces) for _ in range(self._random.randint(1, 9)))

    def _word(self) -> str:
        return str(
            self._pick(["", " ", "true", " False", "null", "a b", "NaN", "0x1F", "1_000", "abc,def", "5 apples", "ü"])
        )

    def _quoted(self) -> str:
        inner = self._pick(
            [self._temporal, self._word, lambda: 'x\\"y', lambda: "a\\\\b", lambda: "[1]", lambda: "k:v"]
        )
        return f'"{inner()}"'

    def _structure(self, depth: int) -> str:
        scalar = [
            self._number,
            self._quoted,
            self._quoted,
            self._temporal,
            lambda: self._pick(["true", "false", "null"]),
        ]
        nested = [lambda: self._structure(depth - 1)] * 2 if depth else []
        # Often of one kind, so that elements have a schema in common.
        kinds = [self._pick(scalar)] if self._chance(0.6) else scalar + nested
        elements = [self._spaced(self._pick(kinds)()) for _ in range(self._random.randint(0, 4))]
        if self._chance(0.5):
            text = f"[{','.join(elements)}]"
        else:
            keys = [self._spaced(self._pick([self._quoted, self._number])()) for _ in elements]
            text = "{" + ",".join(f"{key}:{value}" for key, value in zip(keys, elements, strict=True)) + "}"
        if self._chance(0.1):
            position = self._random.randrange(len(text))
            text = text[:position] + text[position + 1 :]
        return self._spaced(text)

    def _spaced(self, text: str) -> str:
        return self._pick(["", "", "", " ", "\t"]) + text + self._pick(["", "", "", " "])  # type: ignore[no-any-return]

    def _schema(self, depth: int) -> Json:
        kinds = ["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "bytes"]
        kinds += ["decimal", "date", "time", "timestamp"]
        if depth:
            kinds += ["array", "map", "struct"]
        kind = self._pick(kinds)
        schema: dict[str, Json] = {"type": kind}
        match kind:
            case "decimal":
                schema = {"type": "bytes", "parameters": {"scale": str(self._random.randint(0, 4))}}
            case "date" | "time":
                schema = {"type": "int32"}
            case "timestamp":
                schema = {"type": "int64"}
            case "array":
                schema["values"] = self._schema(depth - 1)
            case "map":
                schema["keys"] = {"type": self._pick(["string", "int32"])}
                schema["values"] = self._schema(depth - 1)
            case "struct":
                names = self._random.sample("abcdef", self._random.randint(0, 3))
                schema["fields"] = [[name, self._schema(depth - 1)] for name in names]
        if kind in ("decimal", "date", "time", "timestamp"):
            schema |= {"name": f"org.apache.kafka.connect.data.{kind.title()}", "version": 1}
        if self._chance(0.3):
            schema["optional"] = True
        return schema

    def _value(self, schema: Json, nulls: bool = True) -> Json:
        if nulls and schema.get("optional") and self._chance(0.3):
            return None
        name = schema.get("name", "").rpartition(".")[2].lower()
        kind = name if name in ("decimal", "date", "time", "timestamp") else schema["type"]
        match kind:
            case "array":
                return [kind, [self._value(schema["values"]) for _ in range(self._random.randint(0, 3))]]
            case "map":
                keys = {json.dumps(self._value(schema["keys"])): None for _ in range(self._random.randint(0, 3))}
                return [kind, [[json.loads(key), self._value(schema["values"])] for key in keys]]
            case "struct":
                return [kind, [schema, [[name, self._value(field)] for name, field in schema["fields"]]]]
            case "decimal":
                scale = int(schema["parameters"]["scale"])
                return [kind, f"{self._random.randint(-500, 500)}.{'7' * scale}" if scale else "123"]
            case _:
                return [kind, self._scalar(kind)]

    def _scalar(self, kind: str) -> Json:
        number = self._random
        match kind:
            case "boolean":
                return self._chance(0.5)
            case "string":
                return self._any_text()
            case "bytes":
                return self._pick(["", "AA==", "/w==", "AQID"])
            case "float32":
                return self._pick(["1.5", "0.1", "-3.4E38", "1.0E-10", "16777216", "NaN", "Infinity", "1e-44", "0.001"])
            case "float64":
                return self._pick(
                    ["1.5", "0.1", "1e300", "1e23", "-1e7", "5e-324", "NaN", "-Infinity", "123456.789", "3e9"]
                )
            # Before 1970-01-02 Java loses the day of what it writes.
            case "date":
                return number.randint(1, 40_000)
            case "time":
                return number.randrange(_MS_PER_DAY)
            case "timestamp":
                return number.randint(1, 40_000) * _MS_PER_DAY + self._pick([0, number.randrange(_MS_PER_DAY)])
        bits = int(kind.removeprefix("int")) - 1
        return number.randint(-(2**bits), 2**bits - 1) >> number.randrange(bits)

    def _conversion(self) -> Case:
        op = self._pick(["boolean", "byte", "short", "integer", "long", "float", "double", "list", "map", "to_decimal"])
        op = self._pick([op, op, "date", "time", "timestamp"])
        schema = self._schema(1)
        value = self._value(schema)
        if op in ("date", "time", "timestamp"):
            schema, value = self._for_temporal(op)
        case = {"op": op, "schema": schema, "value": value}
        return case | {"scale": 2} if op == "to_decimal" else case

    def _for_temporal(self, op: str) -> tuple[Json, Json]:
        # Java refuses text that has a schema, and takes one temporal type for another when there is no schema.
        if self._chance(0.3):
            return None, ["string", self._pick(["17", "-5", "abc", "true", "[1]", "86399999", "1e3", ""])]
        kind = self._pick(
            ["timestamp", op, "int64", "int32", "float64"] if op != "timestamp" else ["date", "time", op, "int32"]
        )
        if kind.startswith(("int", "float")):
            return {"type": kind}, [kind, self._scalar(kind)]
        types = {"date": "int32", "time": "int32", "timestamp": "int64"}
        return {"type": types[kind], "name": f"org.apache.kafka.connect.data.{kind.title()}"}, [
            kind,
            self._scalar(kind),
        ]

    def _to_string(self) -> Case:
        schema = self._schema(2)
        return {"op": "string", "schema": schema, "value": self._value(schema)}

    def _inference(self) -> Case:
        # Only types that a Python value tells.
        schema: Json = {"type": self._pick(["int64", "float64", "boolean", "string", "bytes"]), "optional": True}
        for _ in range(self._random.randint(0, 2)):
            keys = {"type": "string"}
            schema = self._pick([{"type": "array", "values": schema}, {"type": "map", "keys": keys, "values": schema}])
        return {"op": "infer", "value": self._value(schema)}

    def _projection(self) -> Case:
        source = self._schema(2)
        return {"op": "project", "schema": source, "value": self._value(source), "target": self._evolved(source)}

    def _evolved(self, schema: Json) -> Json:
        schema = dict(schema)
        widths = ["int8", "int16", "int32", "int64", "float32", "float64"]
        if schema["type"] in widths and "name" not in schema and self._chance(0.5):
            later = widths[widths.index(schema["type"]) :] if self._chance(0.9) else widths
            schema["type"] = self._pick(later)
        for part in ("keys", "values"):
            if part in schema:
                schema[part] = self._evolved(schema[part])
        if "fields" in schema:
            kept = [[name, self._evolved(field)] for name, field in schema["fields"] if self._chance(0.8)]
            added = [["z", self._with_default(self._schema(0))]] if self._chance(0.4) else []
            schema["fields"] = kept + added
        if self._chance(0.05):
            schema["name"] = "other"
        if self._chance(0.3):
            schema.pop("optional", None)
        elif self._chance(0.3):
            schema["optional"] = True
        return self._with_default(schema)

    def _with_default(self, schema: Json) -> Json:
        # Java takes no struct as a default.
        if self._chance(0.4) and '"struct"' not in json.dumps(schema):
            return schema | {"default": self._value(schema, nulls=False)}
        return schema

    def _decimal(self) -> Case:
        bits = self._random.randint(1, 200)
        unscaled = self._pick([2**bits, 2**bits - 1, -(2**bits), -(2**bits) - 1, self._random.getrandbits(bits)])
        scale = self._random.randint(-3, 5)
        parameters = {"scale": str(scale if self._chance(0.9) else 1)}
        schema = {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": parameters}
        return {"op": "decimal", "schema": schema, "value": ["decimal", f"{unscaled}E{-scale}"]}


def main() -> None:
    """Write the vectors, one a line."""
    lines = [json.dumps(list(vector), ensure_ascii=False) for vector in vectors(seed=1, count=60)]
    VECTORS.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
