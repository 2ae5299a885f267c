"""JSON Schemas in the one form that the mapping to Connect knows: what kind each is, and where references lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from connectd.errors import DataException

Node = Mapping[str, Any]

_OBJECT_WORDS: Final = ("properties", "additionalProperties", "required", "patternProperties")
_ARRAY_WORDS: Final = ("items", "prefixItems", "additionalItems")
_COMBINATIONS: Final = ("oneOf", "anyOf", "allOf")


class Documents:
    """A JSON Schema and those that it refers to, by name. Raises DataException for text that is no JSON object."""

    def __init__(self, text: str, references: Mapping[str, str]) -> None:
        self.root = _decoded(text)
        self._documents = {"": self.root, **{name: _decoded(each) for name, each in references.items()}}
        self._of_document: dict[int, Node] = {}
        self._by_id: dict[str, Node] = {}
        for document in self._documents.values():
            self._note(document, document)

    def _note(self, node: Any, document: Node) -> None:
        """Where each part of a schema belongs, and which has an id."""
        for each in _parts(node):
            self._of_document[id(each)] = document
            for word in ("$id", "id", "$anchor"):
                if isinstance(each.get(word), str):
                    name = f"#{each[word]}" if word == "$anchor" else each[word]
                    self._by_id.setdefault(name, each)

    def referred(self, node: Node) -> Node:
        """What the reference in a node leads to."""
        reference = node["$ref"]
        if reference in self._by_id:
            return self._by_id[reference]
        name, _, pointer = reference.partition("#")
        document: Any = self._document(name, node)
        for part in pointer.strip("/").split("/") if pointer.strip("/") else ():
            part = part.replace("~1", "/").replace("~0", "~")
            try:
                document = document[int(part) if isinstance(document, list) else part]
            except (KeyError, IndexError, ValueError):
                raise DataException(f"The JSON Schema has nothing at {reference}") from None
        return document  # type: ignore[no-any-return]

    def _document(self, name: str, node: Node) -> Any:
        if not name:
            return self._of_document.get(id(node), self.root)
        found = self._documents.get(name) or self._by_id.get(name)
        if found is None:
            raise DataException(
                f"The JSON Schema refers to {name}, which the registry does not have among its references"
            )
        return found


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for each in node.values():
            yield from _parts(each)
    elif isinstance(node, list):
        for each in node:
            yield from _parts(each)


def _decoded(text: str) -> Node:
    try:
        node = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise DataException(f"Expected a JSON Schema: {error}") from None
    if isinstance(node, bool):
        return {}
    if not isinstance(node, dict):
        raise DataException("Expected a JSON Schema: an object")
    return node


def kinds_of(node: Node) -> list[tuple[str, Node]]:
    """The kinds that a schema is made of, each with the schema that it is described by; more than one means all of them."""
    if "$ref" in node:
        return [("$ref", node)]
    kinds: list[tuple[str, Node]] = [(word, node) for word in _COMBINATIONS if word in node]
    kinds += [(word, node) for word in ("enum", "const") if word in node]
    type = node.get("type")
    if isinstance(type, list):
        if len(type) == 1:
            kinds.append((type[0], node))
        else:
            kinds.append(("anyOf", {**node, "anyOf": [{**_without_combinations(node), "type": each} for each in type]}))
    elif isinstance(type, str):
        kinds.append((type, node))
    elif any(word in node for word in _OBJECT_WORDS):
        kinds.append(("object", node))
    elif any(word in node for word in _ARRAY_WORDS):
        kinds.append(("array", node))
    return kinds


def _without_combinations(node: Node) -> dict[str, Any]:
    dropped = (*_COMBINATIONS, "enum", "const", "title", "description", "default")
    return {key: value for key, value in node.items() if key not in dropped}
