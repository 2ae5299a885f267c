"""The `ssl.` keys of the worker file: TLS of the REST listeners and, unprefixed, of the worker's admin clients."""

from __future__ import annotations

from connectd.config import ConfigDef, Importance, Type, ValidList

_GROUP = "TLS"
_NO_EFFECT = "Accepted for compatibility; it has no meaning outside Java."


def define_ssl(definition: ConfigDef) -> ConfigDef:
    """Declare Kafka's client TLS keys (`org.apache.kafka.common.config.SslConfigs`)."""
    strings = ValidList.any_non_duplicate_values(is_empty_allowed=True, is_null_allowed=False)
    high, medium, low = Importance.HIGH, Importance.MEDIUM, Importance.LOW
    return (
        definition.define(
            "ssl.protocol",
            Type.STRING,
            "TLSv1.3",
            importance=medium,
            doc="The newest TLS version to offer.",
            group=_GROUP,
        )
        .define("ssl.provider", Type.STRING, None, importance=medium, doc=_NO_EFFECT, group=_GROUP)
        .define(
            "ssl.cipher.suites",
            Type.LIST,
            [],
            strings,
            low,
            "The cipher suites to offer, by OpenSSL's or Java's names. Empty means the library's own choice.",
            group=_GROUP,
        )
        .define(
            "ssl.enabled.protocols",
            Type.LIST,
            "TLSv1.2,TLSv1.3",
            strings,
            medium,
            "The TLS versions that are allowed.",
            group=_GROUP,
        )
        .define(
            "ssl.keystore.type",
            Type.STRING,
            "JKS",
            importance=medium,
            doc="The format of the key store: `JKS`, `PKCS12` or `PEM`.",
            group=_GROUP,
        )
        .define(
            "ssl.keystore.location",
            Type.STRING,
            None,
            importance=high,
            doc="The file with this side's private key and certificate chain.",
            group=_GROUP,
        )
        .define(
            "ssl.keystore.password",
            Type.PASSWORD,
            None,
            importance=high,
            doc="The password of the key store. PEM files have none.",
            group=_GROUP,
        )
        .define(
            "ssl.key.password",
            Type.PASSWORD,
            None,
            importance=high,
            doc="The password of the private key in the key store, or of `ssl.keystore.key`.",
            group=_GROUP,
        )
        .define(
            "ssl.keystore.key",
            Type.PASSWORD,
            None,
            importance=high,
            doc="The private key itself, as PEM (PKCS#8), instead of a key store file.",
            group=_GROUP,
        )
        .define(
            "ssl.keystore.certificate.chain",
            Type.PASSWORD,
            None,
            importance=high,
            doc="The certificate chain itself, as PEM, beside `ssl.keystore.key`.",
            group=_GROUP,
        )
        .define(
            "ssl.truststore.certificates",
            Type.PASSWORD,
            None,
            importance=high,
            doc="The trusted certificates themselves, as PEM, instead of a trust store file.",
            group=_GROUP,
        )
        .define(
            "ssl.truststore.type",
            Type.STRING,
            "JKS",
            importance=medium,
            doc="The format of the trust store: `JKS`, `PKCS12` or `PEM`.",
            group=_GROUP,
        )
        .define(
            "ssl.truststore.location",
            Type.STRING,
            None,
            importance=high,
            doc="The file with the certificates that are trusted.",
            group=_GROUP,
        )
        .define(
            "ssl.truststore.password",
            Type.PASSWORD,
            None,
            importance=high,
            doc="The password of the trust store. Without it a store is read, but its integrity is not checked.",
            group=_GROUP,
        )
        .define("ssl.keymanager.algorithm", Type.STRING, "SunX509", importance=low, doc=_NO_EFFECT, group=_GROUP)
        .define("ssl.trustmanager.algorithm", Type.STRING, "PKIX", importance=low, doc=_NO_EFFECT, group=_GROUP)
        .define(
            "ssl.endpoint.identification.algorithm",
            Type.STRING,
            "https",
            importance=low,
            doc="`https` checks that a server's certificate names its host; empty switches that off.",
            group=_GROUP,
        )
        .define("ssl.secure.random.implementation", Type.STRING, None, importance=low, doc=_NO_EFFECT, group=_GROUP)
        .define("ssl.engine.factory.class", Type.CLASS, None, importance=low, doc=_NO_EFFECT, group=_GROUP)
    )
