"""Java plugins are found in jars, without Java: by manifests, or where there are none by class files."""

from __future__ import annotations

import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from plugins.discovery.kinds import PluginKind
from plugins.java import scanning
from plugins.java.classfiles import ClassHead, read_head
from plugins.java.finding import find_java_plugin, java_plugins

SOURCE = "org.apache.kafka.connect.source.SourceConnector"
CONVERTER = "org.apache.kafka.connect.storage.Converter"
PUBLIC, INTERFACE, ABSTRACT = 0x0001, 0x0200, 0x0400
CONNECTORS = (PluginKind.SOURCE, PluginKind.SINK)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTD_CACHE", str(tmp_path / "cache"))


def class_file(name: str, parent: str, *interfaces: str, flags: int = PUBLIC) -> bytes:
    """The least that is a class: constants, with a number of 64 bits among them, and what it is derived from."""
    names = (name, parent, *interfaces)
    constants = struct.pack(">Bq", 5, 7)  # counts as two
    for number, each in enumerate(names):
        text = each.replace(".", "/").encode()
        constants += struct.pack(">BH", 1, len(text)) + text + struct.pack(">BH", 7, 3 + 2 * number)
    numbers = [4 + 2 * number for number in range(len(names))]
    head = struct.pack(">IHHH", 0xCAFEBABE, 0, 55, 3 + 2 * len(names))
    body = struct.pack(f">{4 + len(interfaces)}H", flags, *numbers[:2], len(interfaces), *numbers[2:])
    return head + constants + body + struct.pack(">HHH", 0, 0, 0)


def jar(path: Path, content: Mapping[str, str | bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, each in content.items():
            file.writestr(name, each)


def classes(*files: bytes) -> dict[str, str | bytes]:
    return {f"{(head := read_head(file)) and head.name.replace('.', '/')}.class": file for file in files}


def test_the_head_of_a_class_file() -> None:
    head = read_head(class_file("a.B$C", "a.D", "a.E", "a.F"))
    assert head == ClassHead("a.B$C", ("a.D", "a.E", "a.F"), True)
    for flags in (0, PUBLIC | ABSTRACT, PUBLIC | INTERFACE):
        assert read_head(class_file("a.B", "a.C", flags=flags)) == ClassHead("a.B", ("a.C",), False)


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4 and more", class_file("a.B", "a.C")[:25], class_file("a.B", "a.C")[:10]]
)
def test_what_is_no_class_file(data: bytes) -> None:
    assert read_head(data) is None


def test_manifests_name_plugins(tmp_path: Path) -> None:
    jar(
        tmp_path / "p" / "orders" / "lib" / "orders-1.2.jar",
        {
            f"META-INF/services/{SOURCE}": "# comment\norg.orders.OrdersSourceConnector # and this\n\n",
            f"META-INF/services/{CONVERTER}": "org.orders.OrdersConverter\n",
            "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\nImplementation-Version: 1.2.3\r\n",
        },
    )
    source, converter = sorted(java_plugins([str(tmp_path / "p")]), key=lambda each: each.kind, reverse=True)
    assert (source.name, source.kind, source.version) == ("org.orders.OrdersSourceConnector", "source", "1.2.3")
    assert (converter.name, converter.kind) == ("org.orders.OrdersConverter", "converter")
    assert source.folder == str(tmp_path / "p" / "orders") and source.declared
    for name in ("org.orders.OrdersSourceConnector", "OrdersSourceConnector", "OrdersSource"):
        assert find_java_plugin(name, [str(tmp_path / "p")], *CONNECTORS) == source
    assert find_java_plugin("OrdersConverter", [str(tmp_path / "p")], *CONNECTORS) is None


def test_class_files_name_plugins_of_folders_without_manifests(tmp_path: Path) -> None:
    folder = tmp_path / "p" / "old"
    jar(folder / "base-1.jar", classes(class_file("base.Relational", SOURCE, flags=PUBLIC | ABSTRACT)))
    jar(
        folder / "old-1.9.7.Final.jar",
        classes(
            class_file("old.MySqlConnector", "base.Relational"),
            class_file("old.Helper", "java.lang.Object", "java.io.Closeable"),
            class_file("old.TextConverter", "java.lang.Object", CONVERTER),
            class_file("old.Hidden", "base.Relational", flags=0),
        ),
    )
    found = {(each.name, each.kind, each.version, each.declared) for each in java_plugins([str(tmp_path / "p")])}
    assert found == {
        ("old.MySqlConnector", PluginKind.SOURCE, "1.9.7.Final", False),
        ("old.TextConverter", PluginKind.CONVERTER, "1.9.7.Final", False),
    }


def test_single_jars_and_newer_versions(tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0", "1.10.0-beta"):
        jar(tmp_path / f"orders-{version}.jar", {f"META-INF/services/{SOURCE}": "org.Orders"})
    found = find_java_plugin("org.Orders", [str(tmp_path)], *CONNECTORS)
    assert found is not None and found.version == "1.10.0" and found.folder == str(tmp_path / "orders-1.10.0.jar")


def test_a_changed_jar_is_read_again_and_a_broken_one_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p"
    jar(path / "a" / "a-1.jar", {f"META-INF/services/{SOURCE}": "org.A"})
    assert [each.name for each in java_plugins([str(path)])] == ["org.A"]
    jar(path / "a" / "a-1.jar", {f"META-INF/services/{SOURCE}": "org.A\norg.B"})
    assert [each.name for each in java_plugins([str(path)])] == ["org.A", "org.B"]
    (path / "a" / "a-1.jar").write_bytes(b"no jar")
    assert java_plugins([str(path)]) == []
    assert "a-1.jar" in caplog.text


def test_folders_of_python_plugins_have_none(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "installed" / "x.dist-info").mkdir(parents=True)
    for place in ("package", "installed/lib", "folder/.venv/lib"):
        jar(tmp_path / place / "some.jar", {f"META-INF/services/{SOURCE}": "org.A"})
    assert java_plugins([str(tmp_path), str(tmp_path / "missing")]) == []


def test_damaged_jars_and_folders_that_may_not_be_read_harm_no_other(caplog: pytest.LogCaptureFixture) -> None:
    with readable_by_all() as path:
        jar(path / "whole" / "whole-1.0.jar", classes(class_file("a.Whole", SOURCE)))
        jar(path / "whole" / "damaged-1.0.jar", classes(class_file("a.Damaged", SOURCE)))
        damaged = path / "whole" / "damaged-1.0.jar"
        # Its checksum does not fit any more.
        damaged.write_bytes(damaged.read_bytes().replace(b"a/Damaged", b"a/damaged"))
        (path / "closed").mkdir(mode=0)
        assert scanning  # imported while it may be
        with as_nobody():
            assert [each.name for each in java_plugins([str(path)])] == ["a.Whole"]
    assert "damaged-1.0.jar', ignoring it: Bad CRC-32" in caplog.text
    assert "closed', ignoring it: Permission denied" in caplog.text


@contextmanager
def readable_by_all() -> Iterator[Path]:
    """A folder: those of pytest are for their own user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """The administrator may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
