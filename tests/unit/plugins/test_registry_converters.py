"""How converters talk to a registry: logins, TLS, addresses that fail, errors, and which schema they take."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectd.config import Password
from connectd.errors import ConfigException, ConnectException, DataException, RetriableException
from connectd.schema import Schema, SchemaAndValue, SchemaBuilder
from connectd.struct import Struct
from plugins.converters.avro import AvroConverter
from plugins.converters.json_schema import JsonSchemaConverter
from plugins.converters.protobuf import ProtobufConverter
from plugins.converters.registry.converter import RegistryConverter
from tests.support.certificates import Certificates
from tests.support.registry import Registry, running_registry

FORMATS = [AvroConverter, JsonSchemaConverter, ProtobufConverter]
# Quick: tests wait for no registry.
ONCE = {"max.retries": "0", "retries.wait.ms": "1"}


def user_schema(*more: tuple[str, Schema]) -> Schema:
    builder = SchemaBuilder.struct().name("ns.User").field("id", Schema.INT64_SCHEMA)
    for name, schema in more:
        builder.field(name, schema)
    return builder.build()


USER = user_schema()
ALICE = Struct(USER, id=7)
EMAIL = SchemaBuilder.string().optional().build()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry() as registry:
        yield registry


def converter_of(
    registry: Registry, kind: type[RegistryConverter] = AvroConverter, /, **config: str
) -> RegistryConverter:
    converter = kind()
    converter.configure(
        {"schema.registry.url": registry.url, **ONCE, **{k.replace("_", "."): v for k, v in config.items()}}
    )
    return converter


@pytest.mark.parametrize("kind", FORMATS)
def test_a_tombstone_stays_one_and_asks_nobody(registry: Registry, kind: type[RegistryConverter]) -> None:
    converter = converter_of(registry, kind)
    assert converter.from_connect_data("topic", None, None) is None
    assert converter.to_connect_data("topic", None) is SchemaAndValue.NULL
    assert registry.requests == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_batch_may_hold_tombstones_and_names_what_does_not_fit(
    registry: Registry, kind: type[RegistryConverter]
) -> None:
    converter = converter_of(registry, kind)
    optional = SchemaBuilder.struct().name("ns.User").field("id", Schema.INT64_SCHEMA).optional().build()
    values = [Struct(optional, id=1), None, Struct(optional, id=2)]
    expected = [converter.from_connect_data("topic", optional, value) for value in values]
    assert converter.from_connect_batch("topic", optional, values) == expected
    with pytest.raises(DataException):
        converter.from_connect_batch("topic", optional, [values[0], "no struct"])


@pytest.mark.parametrize("kind", FORMATS)
def test_the_registry_is_asked_once_a_schema(registry: Registry, kind: type[RegistryConverter]) -> None:
    writer, reader = converter_of(registry, kind), converter_of(registry, kind)
    messages = [writer.from_connect_data("topic", USER, Struct(USER, id=number)) for number in range(5)]
    asked = len(registry.requests)
    assert asked == 1
    assert [reader.to_connect_data("topic", message).value["id"] for message in messages] == [0, 1, 2, 3, 4]
    assert len(registry.requests) == asked + 2  # the schema, and which version of the subject it is


@pytest.mark.parametrize("kind", FORMATS)
def test_the_schema_that_is_read_has_the_version_of_its_subject(
    registry: Registry, kind: type[RegistryConverter]
) -> None:
    converter = converter_of(registry, kind)
    converter.from_connect_data("topic", USER, ALICE)
    newer = user_schema(("email", EMAIL))
    data = converter.from_connect_data("topic", newer, Struct(newer, id=1))
    schema = converter.to_connect_data("topic", data).schema
    assert schema is not None and schema.version == 2
    elsewhere = converter.to_connect_data("a-topic-that-it-was-copied-to", data).schema
    assert elsewhere is not None and elsewhere.version is None


@pytest.mark.parametrize(
    ("is_key", "strategy", "subject"),
    [
        (False, "TopicNameStrategy", "topic-value"),
        (True, "TopicNameStrategy", "topic-key"),
        (False, "RecordNameStrategy", "ns.User"),
        (True, "TopicRecordNameStrategy", "topic-ns.User"),
    ],
)
@pytest.mark.parametrize("kind", FORMATS)
def test_subjects(registry: Registry, kind: type[RegistryConverter], is_key: bool, strategy: str, subject: str) -> None:
    converter = kind()
    part = "key" if is_key else "value"
    name = f"io.confluent.kafka.serializers.subject.{strategy}"
    converter.configure({"schema.registry.url": registry.url, f"{part}.subject.name.strategy": name}, is_key)
    data = converter.from_connect_data("topic", USER, ALICE)
    assert list(registry.store.subjects) == [subject]
    schema = converter.to_connect_data("topic", data).schema
    assert schema is not None and schema.version == 1


def test_a_name_strategy_wants_a_record(registry: Registry) -> None:
    name = "io.confluent.kafka.serializers.subject.RecordNameStrategy"
    converter = converter_of(registry, value_subject_name_strategy=name)
    with pytest.raises(DataException, match=r"value\.subject\.name\.strategy"):
        converter.from_connect_data("topic", Schema.STRING_SCHEMA, "x")


def test_what_is_not_compatible_is_refused_with_the_registrys_words(registry: Registry) -> None:
    converter = converter_of(registry)
    converter.from_connect_data("topic", USER, ALICE)
    changed = SchemaBuilder.struct().name("ns.User").field("id", Schema.STRING_SCHEMA).build()
    with pytest.raises(DataException, match="field id: string does not read long") as caught:
        converter.from_connect_data("topic", changed, Struct(changed, id="x"))
    assert not isinstance(caught.value, RetriableException)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(registry: Registry, status: int) -> None:
    registry.faults = [status]
    with pytest.raises(RetriableException, match=f"HTTP status code {status}"):
        converter_of(registry).from_connect_data("topic", USER, ALICE)
    registry.faults = [status, status]
    assert converter_of(registry, max_retries="2").from_connect_data("topic", USER, ALICE) is not None


def test_a_registry_that_is_away_is_tried_again(registry: Registry) -> None:
    converter = converter_of(registry)
    registry.close()
    with pytest.raises(RetriableException, match="does not answer"):
        converter.from_connect_data("topic", USER, ALICE)
    with pytest.raises(RetriableException, match="does not answer"):
        converter.to_connect_data("topic", b"\0\0\0\0\1\0")


def test_another_address_is_asked_when_one_does_not_answer(registry: Registry) -> None:
    with running_registry() as gone:
        urls = f"{gone.url},{registry.url}"
    converter = AvroConverter()
    converter.configure({"schema.registry.url": urls, **ONCE})
    assert converter.from_connect_data("topic", USER, ALICE) is not None


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"{}       ", b"\2\0\0\0\1x"])
def test_bytes_of_another_converter_are_refused(registry: Registry, data: bytes) -> None:
    with pytest.raises(DataException, match="does not begin with the id of a schema"):
        converter_of(registry).to_connect_data("topic", data)


@pytest.mark.parametrize("kind", FORMATS)
def test_ids_and_data_that_make_no_sense(registry: Registry, kind: type[RegistryConverter]) -> None:
    converter = converter_of(registry, kind)
    with pytest.raises(DataException, match="404"):
        converter.to_connect_data("topic", b"\0\0\0\0\x63\0")
    data = converter.from_connect_data("topic", USER, ALICE)
    assert data is not None
    with pytest.raises(DataException):
        converter.to_connect_data("topic", data[:-1] + b"\xff")


def test_data_of_another_format_is_refused(registry: Registry) -> None:
    data = converter_of(registry, JsonSchemaConverter).from_connect_data("topic", USER, ALICE)
    with pytest.raises(DataException, match="Expected a schema of type AVRO, found one of type JSON"):
        converter_of(registry).to_connect_data("topic", data)


def test_globally_unique_ids_are_read(registry: Registry) -> None:
    converter = converter_of(registry)
    data = converter.from_connect_data("topic", USER, ALICE)
    assert data is not None
    guid = registry.store.by_id(1).guid.replace("-", "")
    assert converter.to_connect_data("topic", b"\1" + bytes.fromhex(guid) + data[5:]).value["id"] == 7


def test_basic_login(registry: Registry) -> None:
    registry.require_basic("user", "s3cret:1")
    with pytest.raises(ConnectException, match="401") as caught:
        converter_of(registry).from_connect_data("topic", USER, ALICE)
    assert not isinstance(caught.value, (RetriableException, DataException))
    given = {"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "user:s3cret:1"}
    for config in (
        given,
        {**given, "basic.auth.user.info": "", "schema.registry.basic.auth.user.info": "user:s3cret:1"},
    ):
        converter = AvroConverter()
        converter.configure({"schema.registry.url": registry.url, **config})
        assert converter.from_connect_data("topic", USER, ALICE) is not None
    in_url = AvroConverter()
    in_url.configure({"schema.registry.url": registry.url.replace("://", "://user:s3cret%3A1@")})
    assert in_url.from_connect_data("topic", USER, ALICE) is not None


def test_bearer_login_and_headers(registry: Registry) -> None:
    registry.require_bearer("t0ken")
    config = {"bearer.auth.token": "t0ken", "bearer.auth.logical.cluster": "lsrc-1", "request.header.X-Team": "blue"}
    converter = AvroConverter()
    converter.configure({"schema.registry.url": registry.url, **config})
    assert converter.from_connect_data("topic", USER, ALICE) is not None
    assert registry.headers[-1]["X-Team"] == "blue"
    assert registry.headers[-1]["target-sr-cluster"] == "lsrc-1"


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"schema.registry.url": ""}, "schema.registry.url"),
        ({"schema.registry.url": "localhost:8081"}, "schema.registry.url"),
        ({"basic.auth.credentials.source": "USER_INFO"}, "basic.auth.user.info"),
        ({"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "n0colon"}, "basic.auth.user.info"),
        (
            {"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "a:b", "bearer.auth.token": "t0ken"},
            "bearer.auth.token",
        ),
        ({"bearer.auth.credentials.source": "OAUTHBEARER"}, "bearer.auth.issuer.endpoint.url"),
        ({"value.subject.name.strategy": "Mine"}, "value.subject.name.strategy"),
        (
            {"value.schema.id.serializer": "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer"},
            "value.schema.id.serializer",
        ),
    ],
)
def test_wrong_settings_are_named_without_secrets(config: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigException) as caught:
        AvroConverter().configure({"schema.registry.url": "http://localhost:1", **config})
    assert key in str(caught.value)
    assert "n0colon" not in str(caught.value) and "t0ken" not in str(caught.value)


def test_secrets_are_passwords() -> None:
    keys = AvroConverter.CONFIG.config_keys
    secrets = ["basic.auth.user.info", "schema.registry.basic.auth.user.info", "bearer.auth.token"]
    secrets += [
        "bearer.auth.client.secret",
        "schema.registry.ssl.keystore.password",
        "schema.registry.ssl.key.password",
    ]
    values = AvroConverter.CONFIG.parse(
        {"schema.registry.url": "http://x", "converter.type": "value", **dict.fromkeys(secrets, "s3cret")}
    )
    assert all(isinstance(values[key], Password) for key in secrets)
    assert "s3cret" not in repr({key: values[key] for key in keys})


def test_tls_with_the_stores_of_java(tmp_path: Path) -> None:
    certificates = Certificates()
    chain, root = tmp_path / "server.pem", tmp_path / "root.pem"
    chain.write_text(certificates.server.key_pem() + certificates.server.pem)
    root.write_text(certificates.root.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(root))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(chain)
    store = certificates.key_store(tmp_path / "client.p12", "s3cret")
    with running_registry(context) as registry:
        config = {
            "schema.registry.url": registry.url,
            "schema.registry.ssl.truststore.location": str(root),
            "schema.registry.ssl.truststore.type": "PEM",
            "schema.registry.ssl.keystore.location": str(store),
            "schema.registry.ssl.keystore.password": "s3cret",
            **ONCE,
        }
        converter = AvroConverter()
        converter.configure(config)
        assert converter.from_connect_data("topic", USER, ALICE) is not None
        for missing in ("truststore", "keystore"):
            untrusting = AvroConverter()
            untrusting.configure({key: value for key, value in config.items() if missing not in key})
            with pytest.raises(RetriableException, match="does not answer"):
                untrusting.from_connect_data("topic", USER, ALICE)
        with pytest.raises(ConfigException, match="keystore") as caught:
            AvroConverter().configure({**config, "schema.registry.ssl.keystore.password": "wr0ng"})
        assert "wr0ng" not in str(caught.value)


def test_only_known_schemas_without_auto_register(registry: Registry) -> None:
    converter = converter_of(registry, auto_register_schemas="false")
    with pytest.raises(DataException, match="40401"):
        converter.from_connect_data("topic", USER, ALICE)
    converter_of(registry).from_connect_data("topic", USER, ALICE)
    assert converter.from_connect_data("topic", USER, ALICE) is not None
    newer = user_schema(("email", EMAIL))
    with pytest.raises(DataException, match="40403"):
        converter.from_connect_data("topic", newer, Struct(newer, id=1))


LATEST = {"auto_register_schemas": "false", "use_latest_version": "true"}


def read(converter: RegistryConverter, data: bytes | None) -> dict[str, Any]:
    value = converter.to_connect_data("topic", data).value
    return dict(zip([field.name for field in value.schema.fields], value.field_values, strict=True))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_latest_version_writes_what_older_records_have(registry: Registry, kind: type[RegistryConverter]) -> None:
    newer = user_schema(("email", EMAIL))
    converter_of(registry, kind).from_connect_data("topic", newer, Struct(newer, id=1))
    data = converter_of(registry, kind, **LATEST).from_connect_data("topic", USER, ALICE)
    assert data is not None and data[:5] == b"\0\0\0\0\1"
    assert read(converter_of(registry, kind), data)["id"] == 7


def test_backward_and_forward_evolution_of_avro(registry: Registry) -> None:
    newer = user_schema(("email", EMAIL))
    writer = converter_of(registry)
    old = writer.from_connect_data("topic", USER, ALICE)
    new = writer.from_connect_data("topic", newer, Struct(newer, id=8, email="a@b"))
    plain = converter_of(registry)
    assert read(plain, old) == {"id": 7}
    assert read(plain, new) == {"id": 8, "email": "a@b"}
    latest = converter_of(registry, **LATEST)
    assert read(latest, old) == {"id": 7, "email": None}
    registry.store.levels[""] = "FORWARD"
    writer.from_connect_data("other", newer, Struct(newer, id=8, email="a@b"))
    writer.from_connect_data("other", USER, ALICE)


def test_the_latest_version_must_be_able_to_read_it(registry: Registry) -> None:
    other = (
        SchemaBuilder.struct()
        .name("ns.User")
        .field("id", Schema.INT64_SCHEMA)
        .field("age", Schema.INT32_SCHEMA)
        .build()
    )
    converter_of(registry).from_connect_data("topic", other, Struct(other, id=1, age=2))
    with pytest.raises(DataException, match=r"field age.*latest\.compatibility\.strict"):
        converter_of(registry, **LATEST).from_connect_data("topic", USER, ALICE)
    wider = user_schema(("age", Schema.INT32_SCHEMA), ("email", EMAIL))
    lenient = converter_of(registry, **LATEST, latest_compatibility_strict="false")
    data = lenient.from_connect_data("topic", wider, Struct(wider, id=1, age=3, email="not there"))
    assert read(converter_of(registry), data) == {"id": 1, "age": 3}


def test_the_latest_version_is_looked_for_again(registry: Registry) -> None:
    writer = converter_of(registry)
    writer.from_connect_data("topic", USER, ALICE)
    converter = converter_of(registry, **LATEST, latest_cache_ttl_sec="0")
    assert (converter.from_connect_data("topic", USER, ALICE) or b"")[:5] == b"\0\0\0\0\1"
    newer = user_schema(("email", EMAIL))
    writer.from_connect_data("topic", newer, Struct(newer, id=1))
    assert (converter.from_connect_data("topic", USER, ALICE) or b"")[:5] == b"\0\0\0\0\2"


def test_a_schema_by_id_and_by_metadata(registry: Registry) -> None:
    newer = user_schema(("email", EMAIL))
    converter_of(registry).from_connect_data("topic", USER, ALICE)
    text = registry.store.by_id(1).text
    converter_of(registry).from_connect_data("topic", newer, Struct(newer, id=1))
    by_id = converter_of(registry, auto_register_schemas="false", use_schema_id="2")
    assert (by_id.from_connect_data("topic", USER, ALICE) or b"")[:5] == b"\0\0\0\0\2"
    for version in ("1", "2"):
        body = {"schema": text, "metadata": {"properties": {"v": version}}}
        assert registry.store.register("tagged-value", body).schema.id == 2 + int(version)
    tagged = converter_of(registry, auto_register_schemas="false", use_latest_with_metadata="v=1")
    assert (tagged.from_connect_data("tagged", USER, ALICE) or b"")[:5] == b"\0\0\0\0\3"


def test_references_between_schemas(registry: Registry) -> None:
    address = '{"type":"record","name":"Address","namespace":"ns","fields":[{"name":"city","type":"string"}]}'
    registry.store.register("address", {"schema": address})
    person = '{"type":"record","name":"Person","namespace":"ns","fields":[{"name":"home","type":"ns.Address"}]}'
    references = [{"name": "ns.Address", "subject": "address", "version": 1}]
    registry.store.register("topic-value", {"schema": person, "references": references})
    read_value = converter_of(registry).to_connect_data("topic", b"\0\0\0\0\2" + b"\x0aBerne").value
    assert read_value["home"]["city"] == "Berne"


def test_json_schema_references_and_validation(registry: Registry) -> None:
    registry.store.register("city", {"schemaType": "JSON", "schema": '{"type":"string","maxLength":5}'})
    schema = '{"type":"object","properties":{"city":{"$ref":"city.json"}}}'
    references = [{"name": "city.json", "subject": "city", "version": 1}]
    registry.store.register("topic-value", {"schemaType": "JSON", "schema": schema, "references": references})
    head = b"\0\0\0\0\2"
    assert read(converter_of(registry, JsonSchemaConverter), head + b'{"city":"Berne, CH"}') == {"city": "Berne, CH"}
    strict = converter_of(registry, JsonSchemaConverter, json_fail_invalid_schema="true")
    assert read(strict, head + b'{"city":"Berne"}') == {"city": "Berne"}
    with pytest.raises(DataException, match=r"\$\.city: maxLength") as caught:
        strict.to_connect_data("topic", head + b'{"city":"Geneva"}')
    assert "Geneva" not in str(caught.value)


def test_protobuf_imports(registry: Registry) -> None:
    registry.store.register(
        "city", {"schemaType": "PROTOBUF", "schema": 'syntax = "proto3"; message City { string name = 1; }'}
    )
    text = 'syntax = "proto3"; import "city.proto"; message Home { City city = 1; }'
    references = [{"name": "city.proto", "subject": "city", "version": 1}]
    registry.store.register("topic-value", {"schemaType": "PROTOBUF", "schema": text, "references": references})
    data = b"\0\0\0\0\2\0" + b"\x0a\x07\x0a\x05Berne"
    assert converter_of(registry, ProtobufConverter).to_connect_data("topic", data).value["city"]["name"] == "Berne"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(ConfigException, match=r"AvroConverter needs connectd\[registry\]"):
        AvroConverter().configure({"schema.registry.url": "http://localhost:1"})


def test_headers_are_converted_like_values(registry: Registry) -> None:
    converter = AvroConverter()
    converter.configure({"schema.registry.url": registry.url, "converter.type": "header"})
    data = converter.from_connect_header("topic", "trace", Schema.STRING_SCHEMA, "abc")
    assert converter.to_connect_header("topic", "trace", data).value == "abc"


def test_schemas_with_rules_are_refused(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule may say that a field is to be encrypted."""
    data = converter_of(registry).from_connect_data("topic", USER, ALICE)
    rule = {"name": "pii", "kind": "TRANSFORM", "mode": "WRITEREAD", "type": "ENCRYPT", "tags": ["PII"]}
    answer = registry.answer

    def with_rules(method: str, target: str, body: Any, headers: dict[str, str]) -> Any:
        answered = answer(method, target, body, headers)
        return {**answered, "ruleSet": {"domainRules": [rule]}} if isinstance(answered, dict) else answered

    monkeypatch.setattr(registry, "answer", with_rules)
    with pytest.raises(DataException, match="has rules"):
        converter_of(registry).from_connect_data("topic", USER, ALICE)
    with pytest.raises(DataException, match="has rules"):
        converter_of(registry).to_connect_data("topic", data)
