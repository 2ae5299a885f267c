"""The table: every client key of Kafka 4.3's Java clients, and what it is for librdkafka.

Sources: `ProducerConfig`, `ConsumerConfig`, `AdminClientConfig`, and librdkafka's CONFIGURATION.md. The reference page of
the documentation is made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectd.config import CaseInsensitiveValidString, NonEmptyString, Range, Type, ValidString
from tasks.clients.conversions import (
    at_least_zero,
    auto_offset_reset,
    exclude_internal_topics,
    flag,
    joined,
    kibibytes,
    lower,
    partition_assignment_strategy,
    partitioner_class,
    partitioner_ignore_keys,
    produce_timeout,
    request_timeout,
)
from tasks.clients.setting import Setting, no_effect, renamed, same, special, together
from tasks.clients.translated import Client

P, C, A = Client.PRODUCER, Client.CONSUMER, Client.ADMIN
ALL = P | C | A
BOOLEAN, STRING, INT, SHORT, LONG = Type.BOOLEAN, Type.STRING, Type.INT, Type.SHORT, Type.LONG
DOUBLE, LIST, CLASS, PASSWORD = Type.DOUBLE, Type.LIST, Type.CLASS, Type.PASSWORD

_INT_MAX: Final = 2**31 - 1
_FROM_0: Final = Range.at_least(0)
_JAVA: Final = "it has a meaning in Java only"
_BYTES: Final = "Connect's clients always read and write plain bytes"
_METRICS: Final = "metrics are served at /metrics"
_TOKEN: Final = "tokens are fetched and renewed by librdkafka"  # noqa: S105 (a sentence)
_TICKET: Final = "tickets are renewed by librdkafka"

_CONNECTIONS: Final = (
    same("bootstrap.servers", LIST, ALL, change=joined),
    no_effect("bootstrap.controllers", LIST, A, "the client speaks to brokers"),
    same("client.id", STRING, ALL),
    same("client.rack", STRING, C),
    same(
        "client.dns.lookup", STRING, ALL, ValidString.in_("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only")
    ),
    renamed("metadata.max.age.ms", "topic.metadata.refresh.interval.ms", LONG, ALL, _FROM_0, limits=(10, 3_600_000)),
    no_effect("metadata.max.idle.ms", LONG, P, "topics stay known for as long as the client lives"),
    same(
        "metadata.recovery.strategy", STRING, ALL, CaseInsensitiveValidString.in_("REBOOTSTRAP", "NONE"), change=lower
    ),
    same("metadata.recovery.rebootstrap.trigger.ms", LONG, ALL, _FROM_0, limits=(0, _INT_MAX)),
    renamed("send.buffer.bytes", "socket.send.buffer.bytes", INT, ALL, limits=(0, 100_000_000), change=at_least_zero),
    renamed(
        "receive.buffer.bytes", "socket.receive.buffer.bytes", INT, ALL, limits=(0, 100_000_000), change=at_least_zero
    ),
    same("connections.max.idle.ms", LONG, ALL, limits=(0, _INT_MAX), change=at_least_zero),
    same("socket.connection.setup.timeout.ms", LONG, ALL, limits=(1000, _INT_MAX)),
    no_effect("socket.connection.setup.timeout.max.ms", LONG, ALL, "the time for a connection does not grow"),
    same("reconnect.backoff.ms", LONG, ALL, _FROM_0, limits=(0, 3_600_000)),
    same("reconnect.backoff.max.ms", LONG, ALL, _FROM_0, limits=(0, 3_600_000)),
    same("retry.backoff.ms", LONG, ALL, _FROM_0, limits=(1, 300_000)),
    same("retry.backoff.max.ms", LONG, ALL, _FROM_0, limits=(1, 300_000)),
    special("request.timeout.ms", INT, P, "`request.timeout.ms` and `socket.timeout.ms`", produce_timeout, _FROM_0),
    special("request.timeout.ms", INT, C | A, "`socket.timeout.ms`", request_timeout, _FROM_0),
    no_effect("default.api.timeout.ms", INT, C | A, "each call of the worker brings its own time limit"),
    same("enable.metrics.push", BOOLEAN, ALL, change=flag),
    no_effect("metric.reporters", LIST, ALL, _METRICS),
    no_effect("metrics.num.samples", INT, ALL, _METRICS),
    no_effect("metrics.recording.level", STRING, ALL, _METRICS),
    no_effect("metrics.sample.window.ms", LONG, ALL, _METRICS),
    no_effect("interceptor.classes", LIST, P | C, _JAVA),
    no_effect("config.providers", LIST, ALL, "config providers are those of the worker"),
)

_PRODUCER: Final = (
    same("acks", STRING, P, ValidString.in_("all", "-1", "0", "1")),
    same("enable.idempotence", BOOLEAN, P, change=flag),
    same("max.in.flight.requests.per.connection", INT, P, Range.at_least(1), limits=(1, 1_000_000)),
    same("retries", INT, P, _FROM_0),
    no_effect("retries", INT, A, "an admin request is tried again until its time is up"),
    same("delivery.timeout.ms", INT, P, _FROM_0, limits=(1, _INT_MAX)),
    same("linger.ms", LONG, P, _FROM_0, limits=(0, 900_000)),
    same("batch.size", INT, P, _FROM_0, limits=(1, _INT_MAX)),
    renamed("buffer.memory", "queue.buffering.max.kbytes", LONG, P, _FROM_0, limits=(1, _INT_MAX), change=kibibytes),
    renamed("max.request.size", "message.max.bytes", INT, P, _FROM_0, limits=(1000, 1_000_000_000)),
    no_effect("max.block.ms", LONG, P, "a task waits for as long as the buffer is full"),
    same("compression.type", STRING, P, ValidString.in_("none", "gzip", "snappy", "lz4", "zstd")),
    together("compression.gzip.level", INT, P, "`compression.level` if `compression.type` is `gzip`"),
    together(
        "compression.lz4.level", INT, P, "`compression.level` if `compression.type` is `lz4`", Range.between(1, 17)
    ),
    together("compression.zstd.level", INT, P, "`compression.level` if `compression.type` is `zstd`"),
    special("partitioner.class", CLASS, P, "`partitioner`, for the partitioners that Kafka brings", partitioner_class),
    special("partitioner.ignore.keys", BOOLEAN, P, "`partitioner`=`random` if true", partitioner_ignore_keys),
    no_effect("partitioner.adaptive.partitioning.enable", BOOLEAN, P, _JAVA),
    no_effect("partitioner.availability.timeout.ms", LONG, P, _JAVA),
    same("transactional.id", STRING, P, NonEmptyString()),
    same("transaction.timeout.ms", INT, P, limits=(1000, _INT_MAX)),
    no_effect("transaction.two.phase.commit.enable", BOOLEAN, P, _JAVA),
    no_effect("key.serializer", CLASS, P, _BYTES),
    no_effect("value.serializer", CLASS, P, _BYTES),
)

_CONSUMER: Final = (
    same("group.id", STRING, C),
    same("group.instance.id", STRING, C, NonEmptyString()),
    same("group.protocol", STRING, C, CaseInsensitiveValidString.in_("CONSUMER", "CLASSIC"), change=lower),
    same("group.remote.assignor", STRING, C),
    special(
        "partition.assignment.strategy",
        LIST,
        C,
        "names instead of classes; either eager or cooperative ones",
        partition_assignment_strategy,
    ),
    same("session.timeout.ms", INT, C, limits=(1, 3_600_000)),
    same("heartbeat.interval.ms", INT, C, limits=(1, 3_600_000)),
    same("max.poll.interval.ms", INT, C, Range.at_least(1), limits=(1, 86_400_000)),
    together("max.poll.records", INT, C, "the largest number of records in one `put`", Range.at_least(1)),
    special("auto.offset.reset", STRING, C, "same name; `none` is `error`", auto_offset_reset),
    same("enable.auto.commit", BOOLEAN, C, change=flag),
    same("auto.commit.interval.ms", INT, C, _FROM_0, limits=(0, 86_400_000)),
    same("isolation.level", STRING, C, ValidString.in_("read_committed", "read_uncommitted")),
    same("check.crcs", BOOLEAN, C, change=flag),
    same("allow.auto.create.topics", BOOLEAN, C, change=flag),
    same("fetch.min.bytes", INT, C, _FROM_0, limits=(0, _INT_MAX)),
    same("fetch.max.bytes", INT, C, _FROM_0, limits=(0, 2_147_483_135)),
    renamed("fetch.max.wait.ms", "fetch.wait.max.ms", INT, C, _FROM_0, limits=(0, 300_000)),
    same("max.partition.fetch.bytes", INT, C, _FROM_0, limits=(1, 1_000_000_000)),
    special("exclude.internal.topics", BOOLEAN, C, "`topic.blacklist` if true", exclude_internal_topics),
    no_effect("internal.throw.on.fetch.stable.offset.unsupported", BOOLEAN, C, _JAVA),
    no_effect("share.acknowledgement.mode", STRING, C, "sinks are no share consumers"),
    no_effect("share.acquire.mode", STRING, C, "sinks are no share consumers"),
    no_effect("key.deserializer", CLASS, C, _BYTES),
    no_effect("value.deserializer", CLASS, C, _BYTES),
)

_OIDC: Final = "same name, when tokens come from an endpoint"
_KEY_STORE: Final = "`ssl.key.pem` and `ssl.certificate.pem`, from a JKS, PKCS12 or PEM file"
_TRUST_STORE: Final = "`ssl.ca.pem`, from a JKS, PKCS12 or PEM file"

_SECURITY: Final = (
    same(
        "security.protocol",
        STRING,
        ALL,
        CaseInsensitiveValidString.in_("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        change=lower,
    ),
    no_effect("security.providers", STRING, ALL, _JAVA),
    together("ssl.keystore.type", STRING, ALL, _KEY_STORE),
    together("ssl.keystore.location", STRING, ALL, _KEY_STORE),
    together("ssl.keystore.password", PASSWORD, ALL, _KEY_STORE),
    together("ssl.key.password", PASSWORD, ALL, _KEY_STORE),
    together("ssl.keystore.key", PASSWORD, ALL, "`ssl.key.pem`"),
    together("ssl.keystore.certificate.chain", PASSWORD, ALL, "`ssl.certificate.pem`"),
    together("ssl.truststore.type", STRING, ALL, _TRUST_STORE),
    together("ssl.truststore.location", STRING, ALL, _TRUST_STORE),
    together("ssl.truststore.password", PASSWORD, ALL, _TRUST_STORE),
    together("ssl.truststore.certificates", PASSWORD, ALL, "`ssl.ca.pem`"),
    together("ssl.endpoint.identification.algorithm", STRING, ALL, "same name; empty is `none`"),
    together("ssl.cipher.suites", LIST, ALL, "same name, with OpenSSL's names of the suites up to TLS 1.2"),
    no_effect("ssl.protocol", STRING, ALL, "TLS 1.2 and 1.3 are offered"),
    no_effect("ssl.enabled.protocols", LIST, ALL, "TLS 1.2 and 1.3 are offered"),
    no_effect("ssl.provider", STRING, ALL, _JAVA),
    no_effect("ssl.keymanager.algorithm", STRING, ALL, _JAVA),
    no_effect("ssl.trustmanager.algorithm", STRING, ALL, _JAVA),
    no_effect("ssl.secure.random.implementation", STRING, ALL, _JAVA),
    no_effect("ssl.engine.factory.class", CLASS, ALL, _JAVA),
    together("sasl.mechanism", STRING, ALL, "same name"),
    together(
        "sasl.jaas.config", PASSWORD, ALL, "user and password, Kerberos or OAuth settings, as the mechanism needs"
    ),
    together("sasl.kerberos.service.name", STRING, ALL, "same name, also out of `sasl.jaas.config`"),
    together("sasl.kerberos.min.time.before.relogin", LONG, ALL, "same name"),
    no_effect("sasl.kerberos.kinit.cmd", STRING, ALL, _TICKET),
    no_effect("sasl.kerberos.ticket.renew.jitter", DOUBLE, ALL, _TICKET),
    no_effect("sasl.kerberos.ticket.renew.window.factor", DOUBLE, ALL, _TICKET),
    no_effect("sasl.client.callback.handler.class", CLASS, ALL, _JAVA),
    no_effect("sasl.login.class", CLASS, ALL, _JAVA),
    together("sasl.login.callback.handler.class", CLASS, ALL, "for OAUTHBEARER: that tokens come from an endpoint"),
    no_effect("sasl.login.connect.timeout.ms", INT, ALL, _TOKEN),
    no_effect("sasl.login.read.timeout.ms", INT, ALL, _TOKEN),
    no_effect("sasl.login.refresh.buffer.seconds", SHORT, ALL, _TOKEN),
    no_effect("sasl.login.refresh.min.period.seconds", SHORT, ALL, _TOKEN),
    no_effect("sasl.login.refresh.window.factor", DOUBLE, ALL, _TOKEN),
    no_effect("sasl.login.refresh.window.jitter", DOUBLE, ALL, _TOKEN),
    no_effect("sasl.login.retry.backoff.max.ms", LONG, ALL, _TOKEN),
    no_effect("sasl.login.retry.backoff.ms", LONG, ALL, _TOKEN),
    together("sasl.oauthbearer.token.endpoint.url", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.client.credentials.client.id", STRING, ALL, "`sasl.oauthbearer.client.id`"),
    together("sasl.oauthbearer.client.credentials.client.secret", PASSWORD, ALL, "`sasl.oauthbearer.client.secret`"),
    together("sasl.oauthbearer.scope", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.sub.claim.name", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.jwt.retriever.class", CLASS, ALL, "`sasl.oauthbearer.grant.type`"),
    together("sasl.oauthbearer.assertion.algorithm", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.private.key.file", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.private.key.passphrase", PASSWORD, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.file", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.claim.aud", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.claim.exp.seconds", INT, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.claim.iss", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.claim.jti.include", BOOLEAN, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.claim.nbf.seconds", INT, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.claim.sub", STRING, ALL, _OIDC),
    together("sasl.oauthbearer.assertion.template.file", STRING, ALL, "`sasl.oauthbearer.assertion.jwt.template.file`"),
    no_effect("sasl.oauthbearer.header.urlencode", BOOLEAN, ALL, _TOKEN),
    no_effect("sasl.oauthbearer.jwt.validator.class", CLASS, ALL, _JAVA),
    no_effect("sasl.oauthbearer.scope.claim.name", STRING, ALL, _TOKEN),
    no_effect("sasl.oauthbearer.clock.skew.seconds", INT, ALL, "brokers check tokens"),
    no_effect("sasl.oauthbearer.expected.audience", LIST, ALL, "brokers check tokens"),
    no_effect("sasl.oauthbearer.expected.issuer", STRING, ALL, "brokers check tokens"),
    no_effect("sasl.oauthbearer.jwks.endpoint.url", STRING, ALL, "brokers check tokens"),
    no_effect("sasl.oauthbearer.jwks.endpoint.refresh.ms", LONG, ALL, "brokers check tokens"),
    no_effect("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", LONG, ALL, "brokers check tokens"),
    no_effect("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", LONG, ALL, "brokers check tokens"),
)

TABLE: Final = (*_CONNECTIONS, *_PRODUCER, *_CONSUMER, *_SECURITY)

_BY_CLIENT: Final[Mapping[Client, Mapping[str, Setting]]] = {
    client: {row.name: row for row in TABLE if client in row.clients} for client in Client
}


def settings_of(client: Client) -> Mapping[str, Setting]:
    """The rows of one kind of client, by name."""
    return _BY_CLIENT[client]
