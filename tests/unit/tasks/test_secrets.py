"""References to config providers: found, resolved, hidden, put back, watched."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.config import ConfigDef, Type
from connectd.connectors import SourceConnector
from connectd.errors import ConfigException, ConnectException, PluginNotFound
from connectd.tasks import SourceTask
from tasks.secrets import masking
from tasks.secrets.configs import ResolvedConfigs, Reverse
from tasks.secrets.digests import digests
from tasks.secrets.inline import hide_by_name, hide_declared
from tasks.secrets.names import is_secret_name
from tasks.secrets.references import Reference, find_references, references_in, replace_references
from tasks.secrets.resolver import Lookup, Resolver
from tasks.secrets.stream import MaskedStream
from tasks.secrets.watch import watch
from tests.support.processes import wait_until
from tests.support.ticking_provider import CLASS, TickingProvider, unavailable

WORKER = {"config.providers": "t", "config.providers.t.class": CLASS}


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    TickingProvider.reset()
    masking.forget_all()
    yield
    masking.forget_all()


def resolved(config: dict[str, str], worker: dict[str, str] = WORKER) -> dict[str, str]:
    found = ResolvedConfigs(worker, config)
    found.raise_errors()
    return found.configs[0]


# What Java's ConfigTransformer.DEFAULT_PATTERN finds in these texts.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a:b:c}", [("a", "b", "c")]),
        ("${a:c}", [("a", "", "c")]),
        ("x${a:b:c}y${d:e}z", [("a", "b", "c"), ("d", "", "e")]),
        ("${a:/p/q.r:c:d:e}", [("a", "/p/q.r", "c:d:e")]),
        ("${a::c}", [("a", "", "c")]),
        ("${:c}", [("", "", "c")]),
        ("${a:}", [("a", "", "")]),
        ("${a:b\nc:d}", [("a", "b\nc", "d")]),
        ("${a:${b:c}}", [("a", "${b", "c")]),
        ("${a}", []),
        ("$a:b:c}", []),
        ("${a:b", []),
        ("${topic}-${a:b", []),
    ],
)
def test_what_is_a_reference(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [each[:3] for each in find_references(text)] == expected


@given(st.text(alphabet="${}:ab\n"))
def test_texts_without_values_stay_as_they_are(text: str) -> None:
    assert replace_references(text, lambda reference: None) == text


def test_values_are_put_in_and_not_looked_into() -> None:
    TickingProvider.values = {"p": {"k": "${t:p:other}", "other": "x"}, "": {"k": ""}}
    config = {"a": "${t:p:k}", "b": "<${t:p:other}${t:p:other}>", "c": "${t:k}", "d": "plain"}
    assert resolved(config) == {"a": "${t:p:other}", "b": "<xx>", "c": "", "d": "plain"}


def test_what_cannot_be_resolved_stays_as_it_is() -> None:
    TickingProvider.values = {"p": {"k": "v"}}
    config = {"a": "${unknown:p:k}${t:p:k}", "b": "${t:p:missing}", "c": "${t:nowhere:k}", "d": "$${x}"}
    assert resolved(config) == {**config, "a": "${unknown:p:k}v"}
    without_class = {"config.providers": "t"}
    assert resolved(config, without_class) == config
    not_listed = {"config.providers": "", "config.providers.t.class": CLASS}
    assert resolved(config, not_listed) == config


def test_each_path_is_looked_up_once_for_all_configurations() -> None:
    TickingProvider.values = {"p": {"k": "v", "l": "w"}}
    worker = {**WORKER, "producer.sasl.jaas.config": "${t:p:k}", "listeners.https.ssl.key.password": "${t:p:z}"}
    found = ResolvedConfigs(worker, {"a": "${t:p:k}"}, {"b": "${t:p:l}"})
    assert TickingProvider.asked == [("p", ["k", "l"])]
    assert found.configs == [{"a": "v"}, {"b": "w"}]
    # The REST API's password is not for tasks.
    assert found.worker_config == {**worker, "producer.sasl.jaas.config": "v"}


def test_without_references_no_provider_is_loaded() -> None:
    worker = {"config.providers": "t", "config.providers.t.class": "no.such.Class"}
    assert resolved({"a": "b"}, worker) == {"a": "b"}
    with pytest.raises(PluginNotFound):
        resolved({"a": "${t:k}"}, worker)


def test_settings_of_a_provider_may_refer_to_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONNECTD_FILE", str(tmp_path / "token"))
    (tmp_path / "token").write_text("token=geheim")
    worker = {
        "config.providers": "t, env,file",
        "config.providers.t.class": CLASS,
        "config.providers.t.param.token": "${file:" + str(tmp_path / "token") + ":token}",
        "config.providers.t.param.plain": "p",
        "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
        "config.providers.env.class": "EnvVarConfigProvider",
    }
    resolved({"a": "${t:k}"}, worker)
    assert TickingProvider.settings == {"token": "geheim", "plain": "p"}
    assert masking.mask("it was geheim") == "it was ${file:" + str(tmp_path / "token") + ":token}"
    worker["config.providers.file.param.allowed.paths"] = "${t:k}"
    with pytest.raises(ConfigException, match="need each other: t -> file -> t"):
        resolved({"a": "${t:k}"}, worker)


def test_errors_of_providers_name_what_they_are_for() -> None:
    TickingProvider.values = {"p": unavailable(), "q": KeyError("oops")}
    with pytest.raises(ConnectException, match="nobody answers") as caught:
        resolved({"a": "${t:p:k}", "b": "x${t:p:k}"})
    assert caught.value.__notes__ == ["${t:p:k} is needed for a, b"]
    with pytest.raises(ConnectException, match="config provider t failed at 'q': KeyError: 'oops'"):
        resolved({"a": "${t:q:k}"})
    with pytest.raises(ConnectException, match="config provider t cannot be configured: RuntimeError: not today"):
        resolved({"a": "${t:q:k}"}, {**WORKER, "config.providers.t.param.fail": "1"})


def test_one_error_does_not_hide_other_values() -> None:
    TickingProvider.values = {"p": unavailable(), "q": {"k": "v"}}
    found = Resolver(WORKER).lookup(references_in({"a": "${t:p:k}", "b": "${t:q:k}", "c": "${t:q:l}"}))
    assert {reference.text: value for reference, value in found.values.items()} == {"${t:q:k}": "v", "${t:q:l}": None}
    assert [reference.text for reference in found.errors] == ["${t:p:k}"]
    assert "'v'" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "failed with hunter/2 é\"'\\",
        f"failed with {'hunter/2 é' + chr(34) + chr(39) + chr(92)!r}",
        'failed with {"a": "hunter/2 \\u00e9\\"\'\\\\"}',
        "failed with http://u:hunter%2F2%20%C3%A9%22%27%5C@host",
        "failed with hunter%2F2+%C3%A9%22%27%5C",
    ],
)
def test_values_are_masked_however_they_are_written(text: str) -> None:
    masking.remember({"hunter/2 é\"'\\": "${t:k}"})
    masked = masking.mask(text)
    assert "hunter" not in masked
    assert "${t:k}" in masked


def test_masking_takes_the_longest_value_and_lines_of_long_ones() -> None:
    masking.remember({"secret": "${a:1}", "secret-two": "${a:2}", "abc": "${a:3}", "line one\n  line two\n": "${a:4}"})
    assert masking.mask("secret-two secret abc line two") == "${a:2} ${a:1} abc ${a:4}"
    assert masking.mask_deep({"secret": ["secret", 1, None, ("x secret",)], "p": Path("/secret/x")}) == {
        "secret": ["${a:1}", 1, None, ["x ${a:1}"]],
        "p": "/${a:1}/x",
    }


def test_references_stay_as_they_are_when_they_hold_a_value() -> None:
    masking.remember({"/etc": "${env:DIR}", "hunter2": "${file:/etc/secrets:k}"}, untouched=["${file:/etc/none:k}"])
    assert masking.mask("/etc ${file:/etc/none:k} hunter2 ${file:/etc/secrets:k}") == (
        "${env:DIR} ${file:/etc/none:k} ${file:/etc/secrets:k} ${file:/etc/secrets:k}"
    )


def test_what_a_connector_has_made_of_values_is_put_back() -> None:
    TickingProvider.values = {"p": {"password": "hunter2", "port": "12", "user": "ann"}}
    config = {"url": "h:${t:p:port}", "password": "${t:p:password}", "user": "${t:p:user}", "table": "ann"}
    found = ResolvedConfigs(WORKER, config)
    made = {
        "url": "h:12",
        "password": "other",
        "user": "ann",
        "table": "ann",
        "db.password": "hunter2",
        "jdbc": "jdbc:ann:hunter2@h:12/hunter2",
        "port": "12",
    }
    reversed_config = Reverse(config, found.lookup).apply(made)
    assert reversed_config == {
        "url": "h:${t:p:port}",
        "password": "other",
        "user": "${t:p:user}",
        "table": "ann",
        "db.password": "${t:p:password}",
        "jdbc": "jdbc:ann:${t:p:password}@h:12/${t:p:password}",
        "port": "12",
    }
    assert found.lookup.apply(reversed_config) == made
    with pytest.raises(ConnectException, match="task configuration odd"):
        Reverse(config, found.lookup).apply({"odd": "${a:hunter2}"})


values = st.dictionaries(st.sampled_from(["k", "l", "m"]), st.text(alphabet="ab$}{:", max_size=8), max_size=3)


@given(values, st.text(alphabet="ab$}{:"))
def test_putting_back_loses_nothing(found: dict[str, str], text: str) -> None:
    lookup = Lookup({Reference("t", "", key, f"${{t:{key}}}"): value for key, value in found.items()})
    try:
        reversed_config = Reverse({key: f"${{t:{key}}}" for key in found}, lookup).apply({"x": text, **found})
    except ConnectException:
        return
    if not any(reference.text in text for reference in lookup.values):
        assert lookup.apply(reversed_config)["x"] == text
    assert all(value not in reversed_config["x"] for value in found.values() if len(value) >= masking.MIN_LENGTH)


def test_digests_tell_changes_and_nothing_else() -> None:
    salt = os.urandom(32)
    references = [Reference("t", "", key, f"${{t:{key}}}") for key in "klm"]
    first = digests(dict(zip(references, ["v", "v", None], strict=True)), salt)
    assert list(first) == ["${t:k}", "${t:l}", "${t:m}"]
    assert first["${t:m}"] is None
    assert len({first["${t:k}"], first["${t:l}"]}) == 2
    assert digests({references[0]: "v"}, salt)["${t:k}"] == first["${t:k}"]
    assert digests({references[0]: "w"}, salt)["${t:k}"] != first["${t:k}"]
    assert digests({references[0]: "v"}, os.urandom(32))["${t:k}"] != first["${t:k}"]
    assert digests({references[0]: "\udcff"}, salt)["${t:k}"] is not None


def test_a_value_whose_time_is_over_is_looked_up_until_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.secrets.watch.MIN_INTERVAL_S", 0.01)
    monkeypatch.setattr("tasks.secrets.watch.RETRY_S", 0.01)
    TickingProvider.values = {"p": {"k": "v", "l": "same"}}
    TickingProvider.ttl_ms = 1
    found = ResolvedConfigs(WORKER, {"a": "${t:p:k}", "b": "${t:p:l}"})
    changed: list[list[str]] = []
    watch(found.resolver, found.lookup, changed.append)
    wait_until(lambda: len(TickingProvider.asked) > 3, "it is looked up again and again")
    TickingProvider.values = {"p": unavailable()}
    asked = len(TickingProvider.asked)
    wait_until(lambda: len(TickingProvider.asked) > asked + 3, "a failure does not end the watch")
    assert not changed
    TickingProvider.values = {"p": {"k": "w", "l": "same"}}
    wait_until(lambda: changed and TickingProvider.closed, "the change is seen")
    assert changed == [["${t:p:k}"]]
    assert masking.mask("-same-") == "-${t:p:l}-"


def test_values_for_ever_are_not_watched() -> None:
    TickingProvider.values = {"p": {"k": "v"}}
    found = ResolvedConfigs(WORKER, {"a": "${t:p:k}"})
    watch(found.resolver, found.lookup, lambda changed: pytest.fail("nothing is watched"))
    assert TickingProvider.closed == 1


def test_what_is_printed_is_masked_line_by_line() -> None:
    masking.remember({"hunter2": "${t:k}"})
    output = io.StringIO()
    stream = MaskedStream(output)
    for part in ("a hun", "ter2\nb ", "hunter2 c"):
        stream.write(part)
    assert output.getvalue() == "a ${t:k}\n"
    stream.flush()
    assert output.getvalue() == "a ${t:k}\nb ${t:k} c"


JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="ann" password="swordfish";'


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("connection.password", True),
        ("producer.override.sasl.jaas.config", True),
        ("aws.secret.access.key", True),
        ("token", True),
        ("ssl.keystore.location", False),
        ("sasl.oauthbearer.token.endpoint.url", False),
        ("config.providers.vault.param.vault.token.renewal.ms", False),
        ("value.converter.basic.auth.credentials.source", False),
        ("topics", False),
    ],
)
def test_names_of_secrets(key: str, secret: bool) -> None:
    assert is_secret_name(key) is secret


def test_inline_secrets_are_hidden_in_texts_and_stay_in_values() -> None:
    hide_by_name(
        {"db.password": "Tr0ub4dor&3", "sasl.jaas.config": JAAS, "token": "true", "topic": "orders", "api.key": None},
        {"other.secret": "${t:p:key}"},
    )
    assert (
        masking.mask("login as ann with Tr0ub4dor&3 to orders is true")
        == "login as ann with [hidden] to orders is true"
    )
    assert masking.mask("?password=Tr0ub4dor%263") == "?password=[hidden]"
    assert masking.mask("swordfish") == "[hidden]"
    assert masking.mask("${t:p:key}") == "${t:p:key}"
    assert masking.mask_deep({"url": ["Tr0ub4dor&3"]}) == {"url": ["[hidden]"]}
    assert masking.mask_value("Tr0ub4dor&3") == "Tr0ub4dor&3"


def test_a_reference_says_more_than_that_something_is_hidden() -> None:
    hide_by_name({"password": "swordfish"})
    masking.remember({"swordfish": "${t:p:key}"})
    assert masking.mask("swordfish") == masking.mask_value("swordfish") == "${t:p:key}"


class WithPassword(SourceConnector):
    def config(self) -> ConfigDef:
        return ConfigDef().define("door", Type.PASSWORD, doc="").define("window", Type.STRING, doc="")

    def task_class(self) -> type[SourceTask]:
        return SourceTask

    def start(self, props: object) -> None:
        pass

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return []


def test_declared_passwords_are_hidden() -> None:
    hide_declared(WithPassword, {"door": "open sesame", "window": "open to all"})
    assert masking.mask("open sesame, open to all") == "[hidden], open to all"


def test_a_connector_that_cannot_say_hides_nothing() -> None:
    def broken() -> SourceConnector:
        raise RuntimeError("no connector today")

    hide_declared(broken, {"door": "open sesame"})
    assert masking.mask("open sesame") == "open sesame"
