"""Puts the page together: for each class its documentation, its keys as they are declared, and an example that is run."""

from __future__ import annotations

import base64
import datetime
import decimal
import inspect
import json
from collections.abc import Iterator
from typing import Any

from connectd.records import SinkRecord
from connectd.struct import Struct
from connectd.transforms import Predicate
from plugins.discovery import PluginKind, find_class
from plugins.discovery.builtin import BUILTINS
from plugins.discovery.kinds import simple_name
from plugins.reference.examples import EXAMPLES, Example

_HEAD = """# Transformations and predicates

<!-- Made by `python -m plugins.reference` from the code; do not edit. The examples were run. -->

A transformation changes single records, or drops them, between the connector and Kafka. A connector's setting `transforms`
lists them in their order, and `transforms.NAME.` stands before the keys of each. With `transforms.NAME.predicate` it applies only
to the records that a predicate chooses, with `transforms.NAME.negate=true` only to all others:

```properties
transforms=mask
transforms.mask.type=org.apache.kafka.connect.transforms.MaskField$Value
transforms.mask.fields=email
transforms.mask.predicate=customers
predicates=customers
predicates.customers.type=org.apache.kafka.connect.transforms.predicates.TopicNameMatches
predicates.customers.pattern=db\\\\.customers.*
```

Names, keys and results are those of the Java classes; [compatibility](compatibility.md) lists what differs. Of `$Key` and
`$Value` one works on the keys of records and the other on their values. `type` may also be the name without what is before
the last point, such as `MaskField$Value`. Regular expressions and patterns of dates have Java's syntax.
"""

_GROUPS = {
    "Of Apache Kafka": "org.apache.kafka.",
    "Of Debezium": "io.debezium.",
    "Of the community": "",
}


def page() -> str:
    """The whole page."""
    families = _families(PluginKind.TRANSFORMATION)
    parts = [_HEAD]
    for title, prefix in _GROUPS.items():
        names = [name for name in families if name.startswith(prefix)]
        parts += [f"## {title}", *(_section(name, families.pop(name)) for name in names)]
    predicates = _families(PluginKind.PREDICATE)
    parts += ["## Predicates", *(_section(name, classes) for name, classes in predicates.items())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _families(kind: PluginKind) -> dict[str, list[str]]:
    """The Java names of the classes of each transformation, by its name without `$Key` and `$Value`, in order of these."""
    families: dict[str, list[str]] = {}
    for name in sorted(BUILTINS[kind], key=lambda name: (simple_name(name), name)):
        families.setdefault(name.partition("$")[0], []).append(name)
    return families


def _section(name: str, classes: list[str]) -> str:
    plugin = find_class(classes[-1])
    # The class for values is documented where it comes from.
    documented = plugin.__mro__[1] if "$" in classes[-1] else plugin
    parts = [
        f"### {simple_name(name)}",
        inspect.getdoc(documented) or "",
        "\n".join(f"- `{each}`" for each in classes),
        plugin.CONFIG.to_markdown(4).strip(),
        *_example(classes, EXAMPLES[simple_name(name)]),
    ]
    return "\n\n".join(part for part in parts if part)


def _example(classes: list[str], example: Example) -> Iterator[str]:
    name = next((each for each in classes if each.endswith(example.part)), classes[0])
    plugin = find_class(name)()
    plugin.configure(example.config)
    is_predicate = isinstance(plugin, Predicate)
    prefix = "predicates.p" if is_predicate else "transforms.t"
    settings = [f"{prefix}.type={name}", *(f"{prefix}.{key}={value}" for key, value in example.config.items())]
    yield "Example:"
    yield "```properties\n" + "\n".join(settings).replace("\\", "\\\\") + "\n```"
    if is_predicate:
        yield f"```text\n{_shown(_parts(example.record))}\n{str(plugin.test(example.record)).lower()}\n```"
    elif not example.is_volatile:
        yield f"```text\n{_comparison(example.record, plugin.apply(example.record))}\n```"


def _comparison(before: SinkRecord, after: SinkRecord | None) -> str:
    parts = _parts(before)
    if after is None:
        return f"before: {_shown(parts)}\nafter:  dropped"
    changed = _parts(after)
    names = [name for name in {**parts, **changed} if parts.get(name) != changed.get(name)] or ["value"]
    lines = [{name: each.get(name) for name in names} for each in (parts, changed)]
    return f"before: {_shown(lines[0])}\nafter:  {_shown(lines[1])}"


def _parts(record: SinkRecord) -> dict[str, Any]:
    parts = {
        "topic": record.topic,
        "key": _plain(record.key),
        "value": _plain(record.value),
        "schema": record.value_schema.name if record.value_schema is not None else None,
        "timestamp": record.timestamp,
        "headers": {header.key: _plain(header.value) for header in record.headers},
    }
    return {name: part for name, part in parts.items() if part not in (None, {})}


def _shown(parts: dict[str, Any]) -> str:
    return json.dumps(parts, ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case Struct():
            return {field.name: _plain(value.get(field)) for field in value.schema.fields}
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal():
            return str(value)
    return value
