"""Java's client settings as librdkafka's, key by key and together."""

from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer

from connectd.errors import ConfigException
from plugins.tls.ciphers import openssl_cipher
from tasks.clients.librdkafka import PROPERTIES
from tasks.clients.translate import errors, translate
from tasks.clients.translated import Client, Given, Translated

PREFIX = {Client.PRODUCER: "producer.", Client.CONSUMER: "consumer.", Client.ADMIN: "admin."}


def translated(client: Client, settings: dict[str, Any]) -> Translated:
    return translate(client, {name: Given(PREFIX[client] + name, value) for name, value in settings.items()})


@pytest.mark.parametrize(
    ("client", "settings", "expected"),
    [
        (Client.PRODUCER, {"bootstrap.servers": "a:1, b:2"}, {"bootstrap.servers": "a:1,b:2"}),
        (Client.PRODUCER, {"buffer.memory": "33554432"}, {"queue.buffering.max.kbytes": 32768}),
        (Client.PRODUCER, {"buffer.memory": "100"}, {"queue.buffering.max.kbytes": 1}),
        (Client.PRODUCER, {"max.request.size": "2000000"}, {"message.max.bytes": 2_000_000}),
        (Client.PRODUCER, {"acks": "all"}, {"acks": "all"}),
        (Client.PRODUCER, {"linger.ms": " 5 "}, {"linger.ms": 5}),
        (Client.PRODUCER, {"batch.size": "16384"}, {"batch.size": 16384}),
        (Client.PRODUCER, {"delivery.timeout.ms": "120000"}, {"delivery.timeout.ms": 120_000}),
        (
            Client.PRODUCER,
            {"request.timeout.ms": "40000"},
            {"request.timeout.ms": 40_000, "socket.timeout.ms": 40_000},
        ),
        (Client.CONSUMER, {"request.timeout.ms": "40000"}, {"socket.timeout.ms": 40_000}),
        (Client.PRODUCER, {"compression.type": "zstd"}, {"compression.type": "zstd"}),
        (
            Client.PRODUCER,
            {"compression.gzip.level": "7", "compression.lz4.level": "3", "compression.type": "gzip"},
            {"compression.type": "gzip", "compression.level": 7},
        ),
        (
            Client.PRODUCER,
            {"partitioner.class": "org.apache.kafka.clients.producer.internals.DefaultPartitioner"},
            {"partitioner": "murmur2_random"},
        ),
        (Client.PRODUCER, {"partitioner.ignore.keys": "true"}, {"partitioner": "random"}),
        (Client.PRODUCER, {"partitioner.ignore.keys": "false"}, {}),
        (Client.ADMIN, {"metadata.max.age.ms": "60000"}, {"topic.metadata.refresh.interval.ms": 60_000}),
        (Client.ADMIN, {"metadata.recovery.strategy": "REBOOTSTRAP"}, {"metadata.recovery.strategy": "rebootstrap"}),
        (Client.ADMIN, {"send.buffer.bytes": "-1"}, {"socket.send.buffer.bytes": 0}),
        (Client.ADMIN, {"connections.max.idle.ms": "-1"}, {"connections.max.idle.ms": 0}),
        (
            Client.ADMIN,
            {"reconnect.backoff.ms": "70"},
            {"reconnect.backoff.ms": 70, "reconnect.backoff.max.ms": 70},
        ),
        (
            Client.ADMIN,
            {"reconnect.backoff.ms": "70", "reconnect.backoff.max.ms": "90"},
            {"reconnect.backoff.ms": 70, "reconnect.backoff.max.ms": 90},
        ),
        (Client.ADMIN, {"client.id": ""}, {}),
        (Client.CONSUMER, {"fetch.max.wait.ms": "100"}, {"fetch.wait.max.ms": 100}),
        (Client.CONSUMER, {"max.partition.fetch.bytes": "1000"}, {"max.partition.fetch.bytes": 1000}),
        (Client.CONSUMER, {"isolation.level": "read_committed"}, {"isolation.level": "read_committed"}),
        (Client.CONSUMER, {"auto.offset.reset": "none"}, {"auto.offset.reset": "error"}),
        (Client.CONSUMER, {"group.protocol": "CONSUMER"}, {"group.protocol": "consumer"}),
        (Client.CONSUMER, {"check.crcs": "TRUE"}, {"check.crcs": "true"}),
        (
            Client.CONSUMER,
            {"partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"},
            {"partition.assignment.strategy": "cooperative-sticky"},
        ),
        (
            Client.CONSUMER,
            {"partition.assignment.strategy": "RangeAssignor,CooperativeStickyAssignor,RoundRobinAssignor"},
            {"partition.assignment.strategy": "range,roundrobin"},
        ),
    ],
)
def test_keys_are_translated(client: Client, settings: dict[str, str], expected: dict[str, Any]) -> None:
    result = translated(client, settings)
    assert (dict(result.conf), result.warnings) == (expected, [])


@pytest.mark.parametrize(
    ("client", "name", "value"),
    [
        (Client.PRODUCER, "acks", "2"),
        (Client.PRODUCER, "linger.ms", "-1"),
        (Client.PRODUCER, "batch.size", "big"),
        (Client.PRODUCER, "compression.type", "brotli"),
        (Client.PRODUCER, "partitioner.class", "com.example.MyPartitioner"),
        (Client.PRODUCER, "enable.idempotence", "yes"),
        (Client.CONSUMER, "auto.offset.reset", "by_duration:PT1H"),
        (Client.CONSUMER, "isolation.level", "serializable"),
        (Client.CONSUMER, "partition.assignment.strategy", "com.example.MyAssignor"),
        (Client.CONSUMER, "group.instance.id", ""),
        (Client.CONSUMER, "max.poll.records", "0"),
        (Client.ADMIN, "security.protocol", "TLS"),
    ],
)
def test_wrong_values_name_the_key_as_it_was_written(client: Client, name: str, value: str) -> None:
    with pytest.raises(ConfigException, match=rf"configuration {PREFIX[client]}{name}: "):
        translated(client, {name: value})


def test_values_beyond_the_clients_limits_are_brought_within_them_with_a_warning() -> None:
    result = translated(Client.PRODUCER, {"linger.ms": "1000000", "retry.backoff.ms": "0"})
    assert result.conf == {"linger.ms": 900_000, "retry.backoff.ms": 1}
    assert [warning.split(":")[0] for warning in result.warnings] == ["producer.linger.ms", "producer.retry.backoff.ms"]


def test_keys_without_a_meaning_are_named_in_a_warning() -> None:
    result = translated(Client.CONSUMER, {"metric.reporters": "a.B", "key.deserializer": "c.D", "ssl.protocol": "TLS"})
    assert result.conf == {}
    assert [warning.split(":")[0] for warning in result.warnings] == [
        "consumer.metric.reporters",
        "consumer.key.deserializer",
        "consumer.ssl.protocol",
    ]


def test_librdkafkas_own_keys_pass_and_unknown_ones_are_left_out_with_a_warning() -> None:
    result = translated(Client.PRODUCER, {"statistics.interval.ms": "5", "lingr.ms": "5", "my.own": "x"})
    assert result.conf == {"statistics.interval.ms": "5"}
    assert result.warnings == [
        "producer.lingr.ms: unknown client setting, did you mean linger.ms?",
        "producer.my.own: unknown client setting",
    ]


def refusal(name: str) -> str:
    """What librdkafka says to an empty value, or to the setting after it if it accepts that."""
    with pytest.raises(KafkaException) as refused:
        Producer({name: "", "batch.num.messages": "nothing like a number"})
    return str(refused.value)


def test_librdkafka_knows_all_names_that_are_said_to_be_its_own() -> None:
    assert "No such configuration property" in refusal("no.such.property")
    for name in PROPERTIES:
        assert "No such configuration property" not in refusal(name), name


class TestIdempotence:
    @pytest.mark.parametrize(
        ("name", "value"), [("acks", "1"), ("retries", "0"), ("max.in.flight.requests.per.connection", "6")]
    )
    def test_is_an_error_with_settings_that_rule_it_out(self, name: str, value: str) -> None:
        with pytest.raises(ConfigException, match=rf"producer\.{name}.*idempotent"):
            translated(Client.PRODUCER, {"enable.idempotence": "true", name: value})

    def test_by_default_gives_way_to_them(self) -> None:
        given = {
            "enable.idempotence": Given("enable.idempotence", "true", by_default=True),
            "acks": Given("producer.acks", "1"),
        }
        result = translate(Client.PRODUCER, given)
        assert result.conf == {
            "enable.idempotence": "false",
            "acks": "1",
            "max.in.flight.requests.per.connection": 1,
        }
        assert "producer.acks" in result.warnings[0]

    def test_switched_off_keeps_the_order_by_one_request_at_a_time(self) -> None:
        conf = translated(Client.PRODUCER, {"enable.idempotence": "false"}).conf
        assert conf["max.in.flight.requests.per.connection"] == 1
        more = {"enable.idempotence": "false", "max.in.flight.requests.per.connection": "7"}
        assert translated(Client.PRODUCER, more).conf["max.in.flight.requests.per.connection"] == 7


def test_records_of_a_transaction_expire_before_it() -> None:
    settings = {"transactional.id": "t", "delivery.timeout.ms": "2147483647", "transaction.timeout.ms": "9000"}
    result = translated(Client.PRODUCER, settings)
    assert result.conf["delivery.timeout.ms"] == 9000
    Producer({**result.conf, "bootstrap.servers": "localhost:1"})  # librdkafka refuses more


def test_errors_are_found_all_at_once() -> None:
    given = {"acks": Given("producer.acks", "x"), "linger.ms": Given("producer.override.linger.ms", "y")}
    assert [error.key for error in errors(Client.PRODUCER, given)] == ["producer.acks", "producer.override.linger.ms"]
    assert errors(Client.PRODUCER, {"acks": Given("producer.acks", "1")}) == []


@pytest.mark.parametrize(
    ("java", "openssl"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384"),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"),
        ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384"),
        ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
    ],
)
def test_cipher_suites_have_openssls_names(java: str, openssl: str) -> None:
    assert openssl_cipher(java) == openssl


class TestSasl:
    def conf(self, mechanism: str, jaas: str, **more: str) -> dict[str, Any]:
        settings = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism, "sasl.jaas.config": jaas}
        settings |= {name.replace("_", "."): value for name, value in more.items()}
        conf = translated(Client.CONSUMER, settings).conf
        assert conf.pop("security.protocol") == "sasl_plaintext"
        assert conf.pop("sasl.mechanism") == mechanism
        return dict(conf)

    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    def test_user_and_password(self, mechanism: str) -> None:
        jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p;=\\"q";'
        assert self.conf(mechanism, jaas) == {"sasl.username": "u", "sasl.password": 'p;="q'}

    def test_kerberos(self) -> None:
        jaas = (
            "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true "
            'keyTab="/etc/kafka.keytab" principal="connect@EXAMPLE.COM";'
        )
        assert self.conf("GSSAPI", jaas, sasl_kerberos_service_name="kafka") == {
            "sasl.kerberos.keytab": "/etc/kafka.keytab",
            "sasl.kerberos.principal": "connect@EXAMPLE.COM",
            "sasl.kerberos.service.name": "kafka",
        }

    def test_kerberos_with_the_tickets_of_somebody_else(self) -> None:
        conf = self.conf("GSSAPI", 'Krb5LoginModule required useTicketCache=true serviceName="kafka";')
        assert conf == {"sasl.kerberos.service.name": "kafka", "sasl.kerberos.min.time.before.relogin": 0}

    def test_oauth_from_an_endpoint(self) -> None:
        jaas = (
            'OAuthBearerLoginModule required clientId="id" clientSecret="s" scope="kafka" '
            'extension_logicalCluster="lkc-1" extension_pool="p";'
        )
        conf = self.conf("OAUTHBEARER", jaas, sasl_oauthbearer_token_endpoint_url="https://issuer/token")
        assert conf == {
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": "id",
            "sasl.oauthbearer.client.secret": "s",
            "sasl.oauthbearer.scope": "kafka",
            "sasl.oauthbearer.extensions": "logicalCluster=lkc-1,pool=p",
            "sasl.oauthbearer.token.endpoint.url": "https://issuer/token",
        }

    def test_oauth_with_a_signed_assertion(self) -> None:
        conf = self.conf(
            "OAUTHBEARER",
            "OAuthBearerLoginModule required;",
            sasl_oauthbearer_jwt_retriever_class="org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever",
            sasl_oauthbearer_assertion_private_key_file="/etc/key.pem",
            sasl_oauthbearer_assertion_private_key_passphrase="open",
            sasl_oauthbearer_assertion_claim_jti_include="true",
        )
        assert conf == {
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.grant.type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "sasl.oauthbearer.assertion.private.key.file": "/etc/key.pem",
            "sasl.oauthbearer.assertion.private.key.passphrase": "open",
            "sasl.oauthbearer.assertion.claim.jti.include": "true",
        }

    def test_oauth_without_security_for_tests(self) -> None:
        conf = self.conf("OAUTHBEARER", 'OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";')
        assert conf == {
            "enable.sasl.oauthbearer.unsecure.jwt": "true",
            "sasl.oauthbearer.config": "principal=alice",
        }

    @pytest.mark.parametrize(
        "jaas", ["PlainLoginModule required username=u password=s3cret", 'PlainLoginModule required password="s3cret";']
    )
    def test_errors_show_no_password(self, jaas: str) -> None:
        with pytest.raises(ConfigException, match=r"consumer\.sasl\.jaas\.config") as refused:
            self.conf("PLAIN", jaas)
        assert "s3cret" not in str(refused.value)
        assert refused.value.__cause__ is None

    def test_is_not_read_when_the_protocol_does_not_call_for_it(self) -> None:
        settings = {"security.protocol": "SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": "nonsense"}
        assert translated(Client.ADMIN, settings).conf == {"security.protocol": "ssl"}


def test_secrets_are_hidden_when_a_translation_is_printed() -> None:
    result = translated(
        Client.ADMIN,
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": 'PlainLoginModule required username="u" password="s3cret";',
        },
    )
    assert result.conf["sasl.password"] == "s3cret"
    assert "s3cret" not in repr(result)


def test_every_translated_setting_is_accepted_by_librdkafka() -> None:
    settings = {
        "group.id": "g",
        "group.instance.id": "i",
        "partition.assignment.strategy": "StickyAssignor",
        "auto.offset.reset": "none",
        "metadata.recovery.strategy": "NONE",
        "metadata.max.age.ms": "0",
        "receive.buffer.bytes": "-1",
        "session.timeout.ms": "6000",
        "security.protocol": "SASL_SSL",
        "ssl.endpoint.identification.algorithm": "",
        "ssl.cipher.suites": "TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": "ScramLoginModule required username=u password=p;",
        "bootstrap.servers": "localhost:1",
    }
    result = translated(Client.CONSUMER, settings)
    assert result.conf["ssl.endpoint.identification.algorithm"] == "none"
    assert result.conf["ssl.cipher.suites"] == "ECDHE-RSA-AES128-GCM-SHA256"
    Consumer(dict(result.conf)).close()
