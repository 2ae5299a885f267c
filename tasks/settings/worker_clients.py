"""The settings of the worker's own Kafka clients that Java declares for a distributed worker, without a prefix."""

from __future__ import annotations

from typing import Any, Final

from connectd.config import (
    CaseInsensitiveValidString,
    ConfigDef,
    Importance,
    Range,
    Type,
    Validator,
    ValidList,
    ValidString,
)

_GROUP: Final = "Kafka clients of the worker"
_DOC: Final = (
    "For the worker's own Kafka clients: its membership in the group, the three storage topics, administration. What it "
    "means here, the table of client settings says."
)

_FROM_0: Final = Range.at_least(0)
_BUFFER: Final = Range.at_least(-1)
_HIGH, _MEDIUM, _LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW
_LISTS: Final = ValidList.any_non_duplicate_values(is_empty_allowed=True, is_null_allowed=False)

_Row = tuple[str, Type, Any, Validator | None, Importance]

_CONNECTIONS: Final[tuple[_Row, ...]] = (
    ("client.id", Type.STRING, "", None, _LOW),
    ("metadata.max.age.ms", Type.LONG, 300_000, _FROM_0, _LOW),
    ("send.buffer.bytes", Type.INT, 131_072, _BUFFER, _MEDIUM),
    ("receive.buffer.bytes", Type.INT, 32_768, _BUFFER, _MEDIUM),
    ("reconnect.backoff.ms", Type.LONG, 50, _FROM_0, _LOW),
    ("reconnect.backoff.max.ms", Type.LONG, 1_000, _FROM_0, _LOW),
    ("socket.connection.setup.timeout.ms", Type.LONG, 10_000, _FROM_0, _LOW),
    ("socket.connection.setup.timeout.max.ms", Type.LONG, 30_000, _FROM_0, _LOW),
    ("retry.backoff.ms", Type.LONG, 100, _FROM_0, _LOW),
    ("retry.backoff.max.ms", Type.LONG, 1_000, _FROM_0, _LOW),
    ("request.timeout.ms", Type.INT, 40_000, _FROM_0, _MEDIUM),
    ("connections.max.idle.ms", Type.LONG, 540_000, None, _MEDIUM),
    (
        "metadata.recovery.strategy",
        Type.STRING,
        "rebootstrap",
        CaseInsensitiveValidString.in_("NONE", "REBOOTSTRAP"),
        _LOW,
    ),
    ("metadata.recovery.rebootstrap.trigger.ms", Type.LONG, 300_000, _FROM_0, _LOW),
    (
        "security.protocol",
        Type.STRING,
        "PLAINTEXT",
        ValidString.in_("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        _MEDIUM,
    ),
)

_OAUTH: Final = "org.apache.kafka.common.security.oauthbearer"
_SASL: Final[tuple[_Row, ...]] = (
    ("sasl.mechanism", Type.STRING, "GSSAPI", None, _MEDIUM),
    ("sasl.jaas.config", Type.PASSWORD, None, None, _MEDIUM),
    ("sasl.client.callback.handler.class", Type.CLASS, None, None, _MEDIUM),
    ("sasl.login.callback.handler.class", Type.CLASS, None, None, _MEDIUM),
    ("sasl.login.class", Type.CLASS, None, None, _MEDIUM),
    ("sasl.kerberos.service.name", Type.STRING, None, None, _MEDIUM),
    ("sasl.kerberos.kinit.cmd", Type.STRING, "/usr/bin/kinit", None, _LOW),
    ("sasl.kerberos.ticket.renew.window.factor", Type.DOUBLE, 0.8, None, _LOW),
    ("sasl.kerberos.ticket.renew.jitter", Type.DOUBLE, 0.05, None, _LOW),
    ("sasl.kerberos.min.time.before.relogin", Type.LONG, 60_000, None, _LOW),
    ("sasl.login.refresh.window.factor", Type.DOUBLE, 0.8, Range.between(0.5, 1.0), _LOW),
    ("sasl.login.refresh.window.jitter", Type.DOUBLE, 0.05, Range.between(0.0, 0.25), _LOW),
    ("sasl.login.refresh.min.period.seconds", Type.SHORT, 60, Range.between(0, 900), _LOW),
    ("sasl.login.refresh.buffer.seconds", Type.SHORT, 300, Range.between(0, 3600), _LOW),
    ("sasl.login.connect.timeout.ms", Type.INT, None, None, _LOW),
    ("sasl.login.read.timeout.ms", Type.INT, None, None, _LOW),
    ("sasl.login.retry.backoff.max.ms", Type.LONG, 10_000, None, _LOW),
    ("sasl.login.retry.backoff.ms", Type.LONG, 100, None, _LOW),
    ("sasl.oauthbearer.jwt.retriever.class", Type.CLASS, f"{_OAUTH}.DefaultJwtRetriever", None, _MEDIUM),
    ("sasl.oauthbearer.jwt.validator.class", Type.CLASS, f"{_OAUTH}.DefaultJwtValidator", None, _MEDIUM),
    ("sasl.oauthbearer.scope", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.client.credentials.client.id", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.client.credentials.client.secret", Type.PASSWORD, None, None, _MEDIUM),
    ("sasl.oauthbearer.assertion.algorithm", Type.STRING, "RS256", None, _MEDIUM),
    ("sasl.oauthbearer.assertion.claim.aud", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.assertion.claim.exp.seconds", Type.INT, 300, Range.between(0, 86_400), _LOW),
    ("sasl.oauthbearer.assertion.claim.iss", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.assertion.claim.jti.include", Type.BOOLEAN, False, None, _MEDIUM),
    ("sasl.oauthbearer.assertion.claim.nbf.seconds", Type.INT, 60, Range.between(0, 3600), _LOW),
    ("sasl.oauthbearer.assertion.claim.sub", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.assertion.file", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.assertion.private.key.file", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.assertion.private.key.passphrase", Type.PASSWORD, None, None, _MEDIUM),
    ("sasl.oauthbearer.assertion.template.file", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.scope.claim.name", Type.STRING, "scope", None, _LOW),
    ("sasl.oauthbearer.sub.claim.name", Type.STRING, "sub", None, _LOW),
    ("sasl.oauthbearer.token.endpoint.url", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.jwks.endpoint.url", Type.STRING, None, None, _MEDIUM),
    ("sasl.oauthbearer.jwks.endpoint.refresh.ms", Type.LONG, 3_600_000, None, _LOW),
    ("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", Type.LONG, 10_000, None, _LOW),
    ("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", Type.LONG, 100, None, _LOW),
    ("sasl.oauthbearer.clock.skew.seconds", Type.INT, 30, None, _LOW),
    ("sasl.oauthbearer.expected.audience", Type.LIST, [], _LISTS, _LOW),
    ("sasl.oauthbearer.expected.issuer", Type.STRING, None, None, _LOW),
    ("sasl.oauthbearer.header.urlencode", Type.BOOLEAN, False, None, _LOW),
)


def define_clients(definition: ConfigDef) -> None:
    """Declare them (`CommonClientConfigs`, `SaslConfigs`)."""
    for name, type, default, validator, importance in (*_CONNECTIONS, *_SASL):
        definition.define(name, type, default, validator, importance, _DOC, group=_GROUP)
