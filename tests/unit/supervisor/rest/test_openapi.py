"""The OpenAPI document says what Kafka's own says (tests/peer/rest_operations.json), and more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from supervisor.rest.openapi import openapi_document
from supervisor.rest.routes import ROUTES
from supervisor.rest.routing import Scope

DOCUMENT = openapi_document(ROUTES)
SCHEMAS = DOCUMENT["components"]["schemas"]
JAVA = json.loads((Path(__file__).parents[3] / "peer" / "rest_operations.json").read_text())
OPERATIONS = {
    operation["operationId"]: {**operation, "method": method.upper(), "path": path}
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
# Java's name for what is ours, where one entity of Java's is two here, or has another name.
NAMES = {"AlterOffsetsRequest": "ConnectorOffsets", "RequestedOffset": "ConnectorOffset"}
OURS_ONLY = {"openapi"}
# Java reads the one without declaring it, the other is ours.
UNDECLARED = {"expand", "connector"}


def simple(schema: Any) -> str:
    """A schema in the words of rest_operations.json."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return "string" if "enum" in SCHEMAS[name] else NAMES.get(name, name)
    if "anyOf" in schema:
        (found,) = {simple(each) for each in schema["anyOf"] if each.get("type") != "null"}
        return found
    match schema.get("type"):
        case "object":
            return f"{{{simple(schema.get('additionalProperties') or {})}}}"
        case "array":
            return f"[{simple(schema['items'])}]"
        case None:
            return "any"
    return str(schema["type"])


def schema_in(part: dict[str, Any]) -> Any:
    return part["content"]["application/json"]["schema"]


def test_operations_are_those_of_java() -> None:
    assert OPERATIONS.keys() == JAVA["operations"].keys() | OURS_ONLY


@pytest.mark.parametrize("name", JAVA["operations"])
def test_an_operation_is_as_in_java(name: str) -> None:
    ours, java = OPERATIONS[name], JAVA["operations"][name]
    assert (ours["method"], ours["path"]) == (java["method"], java["path"])
    parameters = [each for each in ours["parameters"] if each["in"] == "path" or each["name"] not in UNDECLARED]
    in_path = {each["name"]: simple(each["schema"]) for each in parameters if each["in"] == "path"}
    query = {
        each["name"]: [simple(each["schema"]), str(each["schema"]["default"]).lower()]
        for each in parameters
        if each["in"] == "query"
    }
    assert in_path == java["pathParameters"]
    assert query == java["query"]
    assert ("requestBody" in ours) == ("request" in java)
    if "request" in java:
        assert simple(schema_in(ours["requestBody"])) == java["request"]
    if java["response"] is not None:
        assert simple(schema_in(ours["responses"]["200"])) == java["response"]


@pytest.mark.parametrize("name", JAVA["entities"])
def test_an_entity_is_as_in_java(name: str) -> None:
    properties = {key: simple(schema) for key, schema in SCHEMAS[name]["properties"].items()}
    expected = dict(JAVA["entities"][name])
    if name == "LoggerLevel":
        expected["last_modified"] = "integer"  # which Java leaves to its serializer
    assert properties == expected


def test_what_is_changed_needs_a_role() -> None:
    needed = {name: operation["x-role"] for name, operation in OPERATIONS.items() if operation["method"] != "GET"}
    assert set(needed.values()) == {"operate", "admin"}
    assert needed["restartConnector"] == "operate"
    assert needed["createConnector"] == "admin"


def test_operations_among_workers_are_not_shown() -> None:
    internal = {route.operation_id for route in ROUTES if route.scope is Scope.INTERNAL}
    assert internal == {"putTaskConfigs", "fenceZombies"}
    assert not internal & OPERATIONS.keys()


def test_every_reference_is_there() -> None:
    text = json.dumps(DOCUMENT)
    references = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert references
    assert references <= SCHEMAS.keys()
