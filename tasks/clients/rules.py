"""Settings of a client that have to fit together, as the Java clients check and adjust them after parsing."""

from __future__ import annotations

from collections.abc import Mapping

from connectd.errors import ConfigException
from tasks.clients.setting import clamped
from tasks.clients.translated import Given, Translated

_MAX_IN_FLIGHT_OF_IDEMPOTENCE = 5
_COMPRESSION_LEVELS = {"gzip": (-1, 9), "lz4": (0, 12), "zstd": (-1, 12)}


def apply_rules(translated: Translated, parsed: Mapping[str, Given]) -> None:
    """Adjust the translation to rules over several keys. Raises ConfigException where they contradict each other."""
    _reconnect_backoff(translated)
    _compression_level(translated, parsed)
    _idempotence(translated, parsed)
    _transactions(translated)


def _reconnect_backoff(translated: Translated) -> None:
    """Who sets only the shorter time wants it to be constant."""
    if "reconnect.backoff.ms" in translated.conf and "reconnect.backoff.max.ms" not in translated.conf:
        value, origin = translated.conf["reconnect.backoff.ms"], translated.origins["reconnect.backoff.ms"]
        translated.put("reconnect.backoff.max.ms", value, origin)


def _compression_level(translated: Translated, parsed: Mapping[str, Given]) -> None:
    compression = translated.conf.get("compression.type")
    given = parsed.get(f"compression.{compression}.level")
    if given is not None:
        level = clamped(translated, given.origin, given.value, _COMPRESSION_LEVELS[str(compression)])
        translated.put("compression.level", level, given.origin)


def _idempotence(translated: Translated, parsed: Mapping[str, Given]) -> None:
    """Settings that rule idempotence out switch it off, or are an error if the user asked for it.

    Java takes more than five requests in flight for an error in both cases.
    """
    conf = translated.conf
    asked_for = _by_user(parsed, "enable.idempotence") or "transactional.id" in parsed
    if conf.get("enable.idempotence") == "true":
        for name, expected in _against_idempotence(translated):
            origin, value = translated.origins[name], conf[name]
            if asked_for:
                raise ConfigException(origin, value, f"Expected {expected}, as the producer is to be idempotent")
            translated.warn(origin, f"with the value {value} the producer is not idempotent: retries may duplicate")
            translated.put("enable.idempotence", "false", origin)
    if conf.get("enable.idempotence") == "false" and "max.in.flight.requests.per.connection" not in conf:
        # As in Java's Connect: one request at a time keeps the order where idempotence does not.
        translated.put("max.in.flight.requests.per.connection", 1, translated.origins["enable.idempotence"])


def _against_idempotence(translated: Translated) -> list[tuple[str, str]]:
    """The settings that rule it out, each with what they would have to be."""
    conf = translated.conf
    found = []
    if conf.get("retries") == 0:
        found.append(("retries", "a number above 0"))
    if conf.get("acks") not in (None, "all", "-1"):
        found.append(("acks", "all"))
    if conf.get("max.in.flight.requests.per.connection", 0) > _MAX_IN_FLIGHT_OF_IDEMPOTENCE:
        found.append(("max.in.flight.requests.per.connection", f"at most {_MAX_IN_FLIGHT_OF_IDEMPOTENCE}"))
    return found


def _by_user(parsed: Mapping[str, Given], name: str) -> bool:
    return name in parsed and not parsed[name].by_default


def _transactions(translated: Translated) -> None:
    """librdkafka wants a record's time to end before that of its transaction."""
    conf = translated.conf
    if "transactional.id" not in conf:
        return
    limit = conf.get("transaction.timeout.ms", 60_000)
    if conf.get("delivery.timeout.ms", limit) > limit:
        translated.put("delivery.timeout.ms", limit, translated.origins["delivery.timeout.ms"])
