"""The worker file's keys for the REST API (`org.apache.kafka.connect.runtime.rest.RestServerConfig`)."""

from __future__ import annotations

import csv
from typing import Any, Final

from connectd.config import (
    CompositeValidator,
    ConfigDef,
    Importance,
    LambdaValidator,
    Range,
    Type,
    ValidList,
    ValidString,
)
from connectd.errors import ConfigException

LISTENERS: Final = "listeners"
ADMIN_LISTENERS: Final = "admin.listeners"
METRICS_LISTENERS: Final = "metrics.listeners"
ADVERTISED_HOST_NAME: Final = "rest.advertised.host.name"
ADVERTISED_PORT: Final = "rest.advertised.port"
ADVERTISED_LISTENER: Final = "rest.advertised.listener"
ALLOW_ORIGIN: Final = "access.control.allow.origin"
ALLOW_METHODS: Final = "access.control.allow.methods"
RESPONSE_HEADERS: Final = "response.http.headers.config"
EXTENSION_CLASSES: Final = "rest.extension.classes"
MAX_REQUEST_BYTES: Final = "rest.request.max.bytes"
BASIC_AUTH_FILE: Final = "rest.basic.auth.file"
UI_ENABLED: Final = "ui.enabled"
ROLE_PREFIX: Final = "rest.roles."
ROLES: Final = ("read", "operate", "admin")
BASIC_AUTH: Final = "BasicAuthSecurityRestExtension"

GROUP: Final = "REST API"
_ACTIONS: Final = ("set", "add", "setDate", "addDate")


def define_rest(definition: ConfigDef) -> ConfigDef:
    """Declare the keys of the public REST API."""
    uris = ValidList.any_non_duplicate_values
    low = Importance.LOW
    return (
        definition.define(
            LISTENERS,
            Type.LIST,
            # Java listens on every interface; here one has to ask for that.
            "http://localhost:8083",
            LambdaValidator.with_(_check_listeners, lambda: "URLs such as http://localhost:8083,https://0.0.0.0:8443"),
            low,
            "Where the REST API listens: URLs with http or https, host and port. The host 0.0.0.0 means every "
            "interface, and so does an empty one, as in `http://:8083`; port 0 takes a free one. An empty value switches "
            "the REST API off.",
            group=GROUP,
        )
        .define(
            ADVERTISED_HOST_NAME,
            Type.STRING,
            None,
            importance=low,
            doc="The host name under which other workers reach this one.",
            group=GROUP,
        )
        .define(
            ADVERTISED_PORT,
            Type.INT,
            None,
            importance=low,
            doc="The port under which other workers reach this one.",
            group=GROUP,
        )
        .define(
            ADVERTISED_LISTENER,
            Type.STRING,
            None,
            importance=low,
            doc="Whether other workers use the `http` or the `https` listener.",
            group=GROUP,
        )
        .define(
            ALLOW_ORIGIN,
            Type.STRING,
            "",
            importance=low,
            doc="The Access-Control-Allow-Origin header: a domain whose pages may call the API, or `*` for all. "
            "Empty allows only the API's own.",
            group=GROUP,
        )
        .define(
            ALLOW_METHODS,
            Type.STRING,
            "",
            importance=low,
            doc="The Access-Control-Allow-Methods header. Empty allows GET, POST and HEAD.",
            group=GROUP,
        )
        .define(
            RESPONSE_HEADERS,
            Type.STRING,
            "",
            LambdaValidator.with_(
                _check_response_headers,
                lambda: "rules `action name:value` separated by commas, in double quotes if they hold a comma",
            ),
            low,
            "Headers to put on every response, for example `set X-Frame-Options: DENY`.",
            group=GROUP,
        )
        .define(
            "ssl.client.auth",
            Type.STRING,
            "none",
            ValidString.in_("required", "requested", "none"),
            low,
            "Whether an https listener asks its clients for a certificate.",
            group=GROUP,
        )
        .define(
            EXTENSION_CLASSES,
            Type.LIST,
            [],
            CompositeValidator.of(
                uris(is_empty_allowed=True, is_null_allowed=False),
                LambdaValidator.with_(_check_extensions, lambda: f"empty, or {BASIC_AUTH}"),
            ),
            low,
            "`org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension` lets only those in who "
            "log in. Others are Java code that cannot run here; they are refused, for most of them keep somebody out.",
            group=GROUP,
        )
        .define(
            ADMIN_LISTENERS,
            Type.LIST,
            None,
            uris(is_empty_allowed=True, is_null_allowed=True),
            low,
            "Where the administrative part of the REST API listens, such as log levels: URLs as in `listeners`. "
            "Left out, it shares the `listeners`; empty, it is switched off.",
            group=GROUP,
        )
        .define(
            METRICS_LISTENERS,
            Type.LIST,
            [],
            uris(is_empty_allowed=True, is_null_allowed=False),
            low,
            "Where `/metrics` and the health endpoints are served beside the REST API, for everybody who can connect: URLs as "
            "in `listeners`. They are on the `listeners` in any case. (connectd only)",
            group=GROUP,
        )
        .define(
            MAX_REQUEST_BYTES,
            Type.INT,
            1_048_576,
            Range.at_least(1),
            low,
            "The largest body of a request to the REST API. (connectd only)",
            group=GROUP,
        )
        .define(
            BASIC_AUTH_FILE,
            Type.STRING,
            None,
            importance=low,
            doc="The users of the REST API with `BasicAuthSecurityRestExtension`: a properties file, `user=password`. Left "
            "out, it is found as Java finds it: the environment has "
            "`KAFKA_OPTS=-Djava.security.auth.login.config=FILE`, and the section `KafkaConnect` of that JAAS file names "
            "it. It is read again when it has changed. (connectd only)",
            group=GROUP,
        )
        .define(
            UI_ENABLED,
            Type.BOOLEAN,
            True,
            importance=low,
            doc="Whether the `listeners` serve the web page at `/ui`. (connectd only)",
            group=GROUP,
        )
        .define(f"{ROLE_PREFIX}read", *_role("read: look at everything, passwords hidden"), group=GROUP)
        .define(f"{ROLE_PREFIX}operate", *_role("also pause, resume, stop and restart"), group=GROUP)
        .define(
            f"{ROLE_PREFIX}admin",
            *_role("also create, change, validate and delete connectors, change offsets and log levels, see passwords"),
            group=GROUP,
        )
    )


def _role(may: str) -> tuple[Any, ...]:
    users = ValidList.any_non_duplicate_values(is_empty_allowed=True, is_null_allowed=False)
    doc = (
        f"Who may {may}: users, common names in the certificates of clients, or `*` for everybody. If none of the roles is "
        "given to anybody, everybody who gets in may do everything. (connectd only)"
    )
    return Type.LIST, [], users, Importance.LOW, doc


def _check_extensions(name: str, classes: Any) -> None:
    for each in classes:
        if each.rpartition(".")[2] != BASIC_AUTH:
            raise ConfigException(name, each, f"Expected {BASIC_AUTH}, the only one that there is")


def _check_listeners(name: str, urls: Any) -> None:
    for url in urls:
        if not url.lower().startswith(("http://", "https://")):
            raise ConfigException(name, url, "Expected a URL that begins with http:// or https://")


def _check_response_headers(name: str, rules: str) -> None:
    for rule in next(csv.reader([rules], skipinitialspace=True), []) if rules.strip() else []:
        action, _, header = rule.strip().partition(" ")
        if action.lower() not in (allowed.lower() for allowed in _ACTIONS):
            raise ConfigException(name, rule, f"Expected a rule that begins with one of {', '.join(_ACTIONS)}")
        header_name, colon, _ = header.strip().partition(":")
        if not colon or not header_name.strip() or len(header_name.split()) != 1:
            raise ConfigException(name, rule, "Expected a rule of the form 'action name:value'")
