"""The settings of converters with a Schema Registry (Confluent's `AbstractKafkaSchemaSerDeConfig`, `AbstractDataConfig`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from connectd.config import NO_DEFAULT, ConfigDef, Importance, Range, Type, Validator, ValidList, ValidString
from plugins.converters.base import new_config_def
from plugins.converters.registry.subjects import STRATEGIES, TOPIC_NAME_STRATEGY
from plugins.tls.settings import define_ssl

URL: Final = "schema.registry.url"
AUTO_REGISTER: Final = "auto.register.schemas"
NORMALIZE: Final = "normalize.schemas"
USE_SCHEMA_ID: Final = "use.schema.id"
ID_STRICT: Final = "id.compatibility.strict"
USE_LATEST: Final = "use.latest.version"
USE_LATEST_WITH_METADATA: Final = "use.latest.with.metadata"
LATEST_STRICT: Final = "latest.compatibility.strict"
LATEST_TTL: Final = "latest.cache.ttl.sec"
BASIC_SOURCE: Final = "basic.auth.credentials.source"
USER_INFO: Final = "basic.auth.user.info"
OLD_USER_INFO: Final = "schema.registry.basic.auth.user.info"
BEARER_SOURCE: Final = "bearer.auth.credentials.source"
BEARER_TOKEN: Final = "bearer.auth.token"  # noqa: S105 (the name of a setting)
SSL_PREFIX: Final = "schema.registry."
HEADER_PREFIX: Final = "request.header."
GENERALIZED_SUM_TYPES: Final = "generalized.sum.type.support"
IGNORE_DEFAULT: Final = "ignore.default.for.nullables"
CACHE_SIZE: Final = "schemas.cache.config"
SCRUB_NAMES: Final = "scrub.invalid.names"

HIGH, MEDIUM, LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW
_ID_SERIALIZER: Final = "io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer"
_ID_DESERIALIZERS: Final = (
    "io.confluent.kafka.serializers.schema.id.PrefixSchemaIdDeserializer",
    "io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer",
)
_AT_LEAST_0, _AT_LEAST_1 = Range.at_least(0), Range.at_least(1)


class Key(NamedTuple):
    """One setting."""

    name: str
    type: Type
    default: Any
    importance: Importance
    doc: str
    validator: Validator | None = None


def define_all(definition: ConfigDef, group: str, keys: Iterable[Key]) -> ConfigDef:
    """Declare settings in one group."""
    for key in keys:
        definition.define(key.name, key.type, key.default, key.validator, key.importance, key.doc, group=group)
    return definition


def registry_config_def() -> ConfigDef:
    """What all converters with a registry have in common, to add a format's own settings to."""
    definition = define_all(new_config_def(), "Schema Registry", _ACCESS)
    define_all(definition, "Authentication", _AUTHENTICATION)
    definition.embed(SSL_PREFIX, "Schema Registry", 0, define_ssl(ConfigDef()))
    define_all(definition, "Schemas", _SCHEMAS)
    define_all(definition, "Schemas", (key for part in ("key", "value") for key in _keys_of(part)))
    return define_all(definition, "Data", _DATA)


_ACCESS: Final = (
    Key(
        URL,
        Type.LIST,
        NO_DEFAULT,
        HIGH,
        "Where the Schema Registry is, `http://` or `https://`. With several addresses, separated by commas, the next one"
        " is asked when one does not answer.",
        ValidList.any_non_duplicate_values(is_empty_allowed=False, is_null_allowed=False),
    ),
    Key("max.schemas.per.subject", Type.INT, 1000, LOW, "How many schemas the registry's client keeps.", _AT_LEAST_1),
    Key(
        "http.connect.timeout.ms",
        Type.INT,
        60000,
        LOW,
        "The longest wait for a connection to the registry; the longer one of this and `http.read.timeout.ms` counts for both.",
        _AT_LEAST_1,
    ),
    Key("http.read.timeout.ms", Type.INT, 60000, LOW, "The longest wait for the registry's answer.", _AT_LEAST_1),
    Key("max.retries", Type.INT, 3, LOW, "How often a request that may succeed later is tried again.", _AT_LEAST_0),
    Key("retries.wait.ms", Type.INT, 1000, LOW, "The longest wait before the first new attempt.", _AT_LEAST_0),
    Key("retries.max.wait.ms", Type.INT, 20000, LOW, "The longest wait before any new attempt.", _AT_LEAST_0),
    Key("proxy.host", Type.STRING, "", LOW, "The host of an HTTP proxy to the registry."),
    Key("proxy.port", Type.INT, -1, LOW, "The port of the HTTP proxy."),
)

_AUTHENTICATION: Final = (
    Key(
        BASIC_SOURCE,
        Type.STRING,
        "URL",
        MEDIUM,
        "Where user and password for the registry are: in its `URL`, or in `basic.auth.user.info` (`USER_INFO`).",
        ValidString.in_("URL", "USER_INFO"),
    ),
    Key(USER_INFO, Type.PASSWORD, "", MEDIUM, "`user:password`, where `basic.auth.credentials.source` is `USER_INFO`."),
    Key(OLD_USER_INFO, Type.PASSWORD, "", MEDIUM, "The old name of `basic.auth.user.info`; what is given here counts."),
    Key(
        BEARER_SOURCE,
        Type.STRING,
        "STATIC_TOKEN",
        MEDIUM,
        "Where a bearer token comes from: `bearer.auth.token` (`STATIC_TOKEN`), or its issuer, asked as OAuth's client"
        " credentials grant says (`OAUTHBEARER`).",
        ValidString.in_("STATIC_TOKEN", "OAUTHBEARER"),
    ),
    Key(BEARER_TOKEN, Type.PASSWORD, "", MEDIUM, "The token, for the source `STATIC_TOKEN`."),
    Key("bearer.auth.issuer.endpoint.url", Type.STRING, None, MEDIUM, "Where tokens are issued, for `OAUTHBEARER`."),
    Key("bearer.auth.client.id", Type.STRING, None, MEDIUM, "The client to the issuer of tokens."),
    Key("bearer.auth.client.secret", Type.PASSWORD, None, MEDIUM, "The secret of that client."),
    Key("bearer.auth.scope", Type.STRING, None, MEDIUM, "The scope of the tokens."),
    Key("bearer.auth.logical.cluster", Type.STRING, None, MEDIUM, "The registry's cluster, sent with each token."),
    Key("bearer.auth.identity.pool.id", Type.STRING, None, MEDIUM, "The identity pool, sent with each token."),
)

_SCHEMAS: Final = (
    Key(AUTO_REGISTER, Type.BOOLEAN, True, MEDIUM, "Whether schemas that the registry does not know are registered."),
    Key(
        NORMALIZE,
        Type.BOOLEAN,
        False,
        MEDIUM,
        "Whether the registry normalizes schemas first, so that an order that means nothing makes no new version.",
    ),
    Key(
        USE_SCHEMA_ID,
        Type.INT,
        -1,
        LOW,
        "The id of the schema to write with, if `auto.register.schemas` is false; -1 for none.",
    ),
    Key(
        ID_STRICT,
        Type.BOOLEAN,
        True,
        LOW,
        "Whether the schema with the id `use.schema.id` must be able to read what the record's own schema writes.",
    ),
    Key(
        USE_LATEST,
        Type.BOOLEAN,
        False,
        LOW,
        "Whether the subject's latest schema is used: to write, if `auto.register.schemas` is false, and to read.",
    ),
    Key(
        LATEST_STRICT,
        Type.BOOLEAN,
        True,
        LOW,
        "Whether the latest schema must be able to read what the record's own schema writes.",
    ),
    Key(LATEST_TTL, Type.INT, -1, LOW, "For how many seconds the latest schema stays the latest; -1 for ever."),
    Key(
        USE_LATEST_WITH_METADATA,
        Type.STRING,
        None,
        LOW,
        "As `use.latest.version`, for the latest schema with this property: `application.version=v1`.",
    ),
)

_DATA: Final = (
    Key(
        GENERALIZED_SUM_TYPES,
        Type.BOOLEAN,
        False,
        MEDIUM,
        "Whether enums and unions are marked alike for all formats, so that they survive a change of format.",
    ),
    Key(
        IGNORE_DEFAULT,
        Type.BOOLEAN,
        False,
        MEDIUM,
        "Whether a field that is null is written as null even if its schema has a default value.",
    ),
    Key(CACHE_SIZE, Type.INT, 1000, LOW, "How many translated schemas are kept.", _AT_LEAST_1),
)

SCRUB_NAMES_KEY: Final = Key(
    SCRUB_NAMES,
    Type.BOOLEAN,
    False,
    MEDIUM,
    "Whether characters that a name must not have in this format are replaced.",
)


def _keys_of(part: str) -> tuple[Key, ...]:
    return (
        Key(
            f"{part}.subject.name.strategy",
            Type.STRING,
            TOPIC_NAME_STRATEGY,
            MEDIUM,
            f"The subject of the {part}s' schemas: named after the topic, the record, or both.",
            ValidString.in_(*STRATEGIES),
        ),
        Key(
            f"{part}.schema.id.serializer",
            Type.STRING,
            _ID_SERIALIZER,
            MEDIUM,
            f"How a {part} tells its schema: the id stands before the data.",
            ValidString.in_(_ID_SERIALIZER),
        ),
        Key(
            f"{part}.schema.id.deserializer",
            Type.STRING,
            _ID_DESERIALIZERS[0],
            MEDIUM,
            f"Where the schema of a {part} is looked for: in the bytes before the data. Ids in headers are not read.",
            ValidString.in_(*_ID_DESERIALIZERS),
        ),
    )
