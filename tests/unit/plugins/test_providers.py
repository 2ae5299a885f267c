"""The config providers of Kafka: files, folders, the environment."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectd.errors import ConfigException
from connectd.providers import ConfigProvider
from plugins.discovery import find_class


def provider(name: str, **configs: str) -> ConfigProvider:
    """By its short name, configured; underscores for points in the keys."""
    found: ConfigProvider = find_class(name, ConfigProvider)()
    found.configure({key.replace("_", "."): value for key, value in configs.items()})
    return found


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A properties file and, beside it, a folder of files."""
    file = tmp_path / "secrets.properties"
    file.write_bytes('user = ann\npassword=caf\\u00e9 "1"\numlaut=ä\nuser=bob\nempty=\n'.encode())
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "folder" / "token").write_text("abc\n")
    (tmp_path / "folder" / ".hidden").write_text("h")
    return tmp_path


@pytest.mark.parametrize(
    ("short", "java"),
    [
        ("File", "org.apache.kafka.common.config.provider.FileConfigProvider"),
        ("Directory", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"),
        ("EnvVar", "org.apache.kafka.common.config.provider.EnvVarConfigProvider"),
        ("VaultSecretProvider", "io.lenses.connect.secrets.providers.VaultSecretProvider"),
        ("AWSSecretProvider", "io.lenses.connect.secrets.providers.AWSSecretProvider"),
    ],
)
def test_javas_names_stand_for_them(short: str, java: str) -> None:
    assert find_class(short) is find_class(java)


def test_a_file_gives_the_wanted_keys_that_it_has(secrets: Path) -> None:
    file = provider("FileConfigProvider")
    found = file.get(str(secrets / "secrets.properties"), ["user", "password", "missing"])
    assert found.data == {"user": "bob", "password": 'café "1"'}
    assert found.ttl_ms is None
    assert file.get(str(secrets / "secrets.properties")).data == {
        "user": "bob",
        "password": 'café "1"',
        "umlaut": "ä",
        "empty": "",
    }
    assert file.get("", ["user"]).data == {}


def test_a_file_that_cannot_be_read_is_named_but_not_shown(secrets: Path) -> None:
    file = provider("FileConfigProvider")
    with pytest.raises(ConfigException, match=f"{secrets}/none: No such file"):
        file.get(str(secrets / "none"), ["user"])
    for content in (b"password=geheim\xff", b"password=geheim\\u12"):
        (secrets / "wrong").write_bytes(content)
        with pytest.raises(ConfigException, match=f"{secrets}/wrong") as caught:
            file.get(str(secrets / "wrong"), ["password"])
        assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_a_folder_gives_its_files_as_they_are(secrets: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = provider("DirectoryConfigProvider")
    path = str(secrets / "folder")
    assert folder.get(path, ["token", "below", "missing"]).data == {"token": "abc\n"}
    assert folder.get(path).data == {"token": "abc\n", ".hidden": "h"}
    assert folder.get("").data == {}
    assert not caplog.records
    assert folder.get(f"{path}/token").data == {}
    assert "is not a folder" in caplog.text
    (secrets / "folder" / "wrong").write_bytes(b"\xff")
    with pytest.raises(ConfigException, match="for property wrong: it is not UTF-8"):
        folder.get(path, ["wrong"])


@pytest.mark.parametrize("name", ["FileConfigProvider", "DirectoryConfigProvider"])
def test_allowed_paths(name: str, secrets: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    allowed = secrets / "allowed"
    (allowed / "folder").mkdir(parents=True)
    (allowed / "file").write_text("token=inside")
    (allowed / "folder" / "token").write_text("inside")
    (secrets / "allowed-too").write_text("token=outside")
    found = provider(name, allowed_paths=f"{allowed},{secrets}/secrets.properties")
    inside = allowed / ("file" if name.startswith("File") else "folder")
    assert found.get(str(inside), ["token"]).data == {"token": "inside"}
    assert found.get(f"{allowed}/../allowed/{inside.name}", ["token"]).data == {"token": "inside"}
    for outside in (secrets / "folder", secrets / "allowed-too", f"{allowed}/../folder", "relative"):
        caplog.clear()
        assert found.get(str(outside), ["token"]).data == {}
        assert "is not below allowed.paths" in caplog.text


@pytest.mark.parametrize(("path", "reason"), [("a/b", "is not absolute"), ("/no/such/place", "does not exist")])
def test_wrong_allowed_paths_are_refused(path: str, reason: str) -> None:
    with pytest.raises(ConfigException, match=f"Path {path} {reason}"):
        provider("FileConfigProvider", allowed_paths=path)


@pytest.mark.parametrize(
    ("configs", "expected"),
    [
        ({}, {"CONNECTD_A": "1", "CONNECTD_B": "2"}),
        ({"allowlist_pattern": "CONNECTD_[A]"}, {"CONNECTD_A": "1"}),
        ({"allowlist_pattern": "CONNECTD"}, {}),
    ],
)
def test_the_environment(
    configs: Mapping[str, str], expected: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTD_A", "1")
    monkeypatch.setenv("CONNECTD_B", "2")
    found = provider("EnvVarConfigProvider", **configs)
    assert found.get("", ["CONNECTD_A", "CONNECTD_B", "CONNECTD_C"]).data == expected
    everything = found.get("").data
    assert everything.items() >= expected.items()
    assert ("PATH" in everything) is (not configs)


def test_the_environment_knows_no_path_and_no_wrong_pattern() -> None:
    with pytest.raises(ConfigException, match="Path is not supported"):
        provider("EnvVarConfigProvider").get("path", ["A"])
    with pytest.raises(ConfigException, match=r"allowlist\.pattern"):
        provider("EnvVarConfigProvider", allowlist_pattern="(")


def test_values_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTD_A", "geheim")
    assert "geheim" not in repr(provider("EnvVarConfigProvider").get("", ["CONNECTD_A"]))
