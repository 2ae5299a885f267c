"""Plugins are installed with all that they need, whole or not at all, and only what was installed is removed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.installing.errors import PluginRefused, PluginUnavailable
from plugins.installing.installation import Installed, Progress, Request, install
from plugins.installing.manifest import NAME
from plugins.installing.maven import Coordinate
from plugins.installing.places import opened
from plugins.java.folders import java_folders
from tests.support.maven import Repository, dependency, jar_of, only_repository
from tests.support.processes import wait_until
from tests.support.worker_process import CONNECTD

pytest.importorskip("jgo")

SINK = jar_of("org.example.Sink")
LIBRARY = jar_of()
PLUGIN = Coordinate("org.example", "sink", "1.0")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    with only_repository(tmp_path, monkeypatch) as repository:
        repository.put("sink", SINK, dependency("library"))
        repository.put("library", LIBRARY)
        yield repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of plugin folders."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


def put(folder: Path, source: Coordinate | str, **more: object) -> Installed:
    with opened(folder) as place:
        request = Request(source, **more)  # type: ignore[arg-type]
        return install(request, place, Progress(lambda line: None, lambda count, total: None))


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def zipped(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


def tarred(path: Path, entries: dict[str, bytes], *special: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        for each in special:
            file.addfile(each)
    return path


def test_a_plugin_comes_with_what_it_needs_at_run_time_and_kafka_has_not(repository: Repository, folder: Path) -> None:
    managed = f"<dependencyManagement><dependencies>{dependency('deep', '2.0')}</dependencies></dependencyManagement>"
    wanted = (
        dependency("library", "${library.version}"),
        dependency("kafka-clients", group="org.apache.kafka"),
        dependency("slf4j-api", group="org.slf4j"),
        dependency("not-in-the-repository", more="<scope>test</scope>"),
        dependency("not-in-the-repository-either", more="<scope>provided</scope>"),
        dependency("nor-this", more="<optional>true</optional>"),
        dependency("ranged", "[1.0,2.0)"),
    )
    more = f"<properties><library.version>1.5</library.version></properties>{managed}"
    repository.put("parent", b"", more=more, ending=".none")
    parent = "<parent><groupId>org.example</groupId><artifactId>parent</artifactId><version>1.0</version></parent>"
    repository.put("sink", SINK, "".join(wanted), more=parent)
    unwanted = "<exclusions><exclusion><groupId>*</groupId><artifactId>unwanted</artifactId></exclusion></exclusions>"
    repository.put("library", LIBRARY, dependency("deep") + dependency("other", more=unwanted), version="1.5")
    repository.put("other", LIBRARY, dependency("unwanted"))
    repository.put("deep", LIBRARY, version="2.0")
    for version in ("1.0", "1.10", "1.9", "2.0"):
        repository.put("ranged", LIBRARY, version=version)
    (repository.folder / "org/example/ranged/maven-metadata.xml").write_text(
        "<metadata><groupId>org.example</groupId><artifactId>ranged</artifactId><versioning><versions>"
        "<version>1.0</version><version>1.9</version><version>1.10</version><version>2.0</version>"
        "</versions></versioning></metadata>"
    )
    done = put(folder, PLUGIN)
    assert done.folder == folder / "sink"
    assert [(each.name, each.version) for each in done.plugins] == [("org.example.Sink", "1.0")]
    jars = ["deep-2.0.jar", "library-1.5.jar", "other-1.0.jar", "ranged-1.10.jar", "sink-1.0.jar"]
    assert names(folder / "sink") == [NAME, *jars]
    manifest = json.loads((folder / "sink" / NAME).read_text())
    assert manifest["source"] == "org.example:sink:1.0" and sorted(manifest["files"]) == jars
    assert manifest["files"]["sink-1.0.jar"] == hashlib.sha256(SINK).hexdigest()


@pytest.mark.parametrize("file", ["library-1.0.jar", "library-1.0.pom"])
def test_nothing_is_there_when_a_download_breaks_off(repository: Repository, folder: Path, file: str) -> None:
    repository.cut.add(file)
    with pytest.raises(PluginUnavailable, match="library"):
        put(folder, PLUGIN)
    assert not list(folder.iterdir())
    repository.cut.clear()
    put(folder, PLUGIN)
    assert names(folder) == [f"sink/{NAME}", "sink/library-1.0.jar", "sink/sink-1.0.jar"]


def test_a_jar_without_its_checksum_is_refused(repository: Repository, folder: Path) -> None:
    checksum = repository.folder / "org/example/library/1.0/library-1.0.jar.sha1"
    checksum.write_text(hashlib.sha1(b"another").hexdigest())
    with pytest.raises(PluginUnavailable, match=r"org.example:library:1.0: it came damaged, by its sha1"):
        put(folder, PLUGIN)
    checksum.unlink()
    with pytest.raises(PluginUnavailable, match=r"org.example:library:1.0: its repository has no checksum"):
        put(folder, PLUGIN)
    assert not list(folder.iterdir())


def test_a_damaged_file_in_the_users_local_repository_is_fetched_anew(
    repository: Repository, folder: Path, tmp_path: Path
) -> None:
    for name, content in (("sink", SINK), ("library", b"half a jar")):
        local = tmp_path / "m2/org/example" / name / "1.0" / f"{name}-1.0.jar"
        local.parent.mkdir(parents=True)
        local.write_bytes(content)
        original = SINK if name == "sink" else LIBRARY
        local.with_name(f"{local.name}.sha1").write_text(hashlib.sha1(original).hexdigest())
    put(folder, PLUGIN)
    assert (folder / "sink/library-1.0.jar").read_bytes() == LIBRARY
    assert repository.jars_asked_for() == ["library-1.0.jar"]


def test_what_is_not_there_and_who_cannot_be_asked(
    repository: Repository, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PluginUnavailable, match=r"sink:pom:9\.9 not found"):
        put(folder, Coordinate("org.example", "sink", "9.9"))
    (tmp_path / "jgo.conf").write_text("[repositories]\ncentral = http://127.0.0.1:1\n")
    with pytest.raises(PluginUnavailable, match=r"127.0.0.1:1.* cannot be had. A mirror can be named"):
        put(folder, PLUGIN)
    monkeypatch.setitem(sys.modules, "jgo.config", None)
    with pytest.raises(PluginUnavailable, match=r"pip install 'connectd\[java\]'"):
        put(folder, PLUGIN)


def test_a_library_is_no_plugin(repository: Repository, folder: Path) -> None:
    with pytest.raises(
        PluginRefused, match=r"org.example:library:1.0 has no plugin .*--classifier plugin --type tar.gz"
    ):
        put(folder, Coordinate("org.example", "library", "1.0"))
    assert not list(folder.iterdir())


def test_archives_as_debezium_and_confluent_publish_them(repository: Repository, folder: Path, tmp_path: Path) -> None:
    entries = {
        "debezium-sink/sink-1.0.jar": SINK,
        "debezium-sink/README.md": b"",
        "debezium-sink/slf4j-api-2.0.jar": b"",
    }
    content = tarred(tmp_path / "archive", entries).read_bytes()
    repository.put("sink", content, ending="-plugin.tar.gz")
    put(folder, Coordinate("org.example", "sink", "1.0", "plugin", "tar.gz"))
    assert names(folder / "sink") == ["README.md", NAME, "sink-1.0.jar"]

    hub = zipped(tmp_path / "example-sink-2.1.0.zip", **{"example-sink-2.1.0/lib/sink.jar": SINK})
    with pytest.raises(PluginRefused, match="expected sha256 00, it is"):
        put(folder, str(hub), sha256="00")
    put(folder, str(hub), sha256=hashlib.sha256(hub.read_bytes()).hexdigest())
    assert names(folder / "example-sink") == [NAME, "lib/sink.jar"]

    flat = zipped(tmp_path / "flat-1.0.zip", **{"sink.jar": SINK, "doc/x": b""})
    assert names(put(folder, str(flat), name="chosen").folder) == [NAME, "doc/x", "sink.jar"]


def test_archives_and_jars_by_url(repository: Repository, folder: Path) -> None:
    (repository.folder / "my sink-1.0.jar").write_bytes(SINK)
    url = f"{repository.url}/my%20sink-1.0.jar?token=secret"
    with pytest.raises(PluginRefused, match="'my sink' is no name"):
        put(folder, url)
    put(folder, url, name="mine")
    assert "secret" not in (folder / "mine" / NAME).read_text()
    with pytest.raises(PluginRefused, match=r"/none.zip: 404"):
        put(folder, f"{repository.url}/none.zip?token=secret")
    repository.cut.add("my%20sink-1.0.jar")
    with pytest.raises(PluginUnavailable, match=r"the connection ended|IncompleteRead") as failed:
        put(folder, url.partition("?")[0], name="cut")
    assert "secret" not in str(failed.value)
    with pytest.raises(PluginRefused, match="name and password") as refused:
        put(folder, "http://user:secret@127.0.0.1:1/a.zip")
    assert "secret" not in str(refused.value)
    assert names(folder) == [f"mine/{NAME}", "mine/my sink-1.0.jar"]


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def test_dangerous_and_damaged_archives_are_refused(folder: Path, tmp_path: Path) -> None:
    outside = [
        zipped(tmp_path / "up.zip", **{"a/sink.jar": SINK, "../up.jar": SINK}),
        zipped(tmp_path / "back.zip", **{"a\\..\\..\\up.jar": SINK}),
        tarred(tmp_path / "absolute.tar.gz", {f"{tmp_path}/up.jar": SINK}),
    ]
    for each in outside:
        with pytest.raises(PluginRefused, match="outside of its folder"):
            put(folder, str(each))
    linked = tarred(tmp_path / "link.tar.gz", {"sink.jar": SINK}, link("up", str(tmp_path)))
    with pytest.raises(PluginRefused, match="neither a file nor a folder: up"):
        put(folder, str(linked))
    half = tmp_path / "half.tar.gz"
    half.write_bytes(linked.read_bytes()[:60])
    text = tmp_path / "text.zip"
    text.write_text("no archive")
    for each in (half, text):
        with pytest.raises(PluginRefused, match=each.name):
            put(folder, str(each))
    with pytest.raises(PluginRefused, match="expected a file, the URL of one, or a Maven coordinate"):
        put(folder, "nowhere.zip")
    assert not list(folder.iterdir()) and not (tmp_path / "up.jar").exists()


def test_upgrade_replaces_only_what_was_installed(repository: Repository, folder: Path) -> None:
    put(folder, PLUGIN)
    repository.put("sink", SINK, version="2.0")
    newer = Coordinate("org.example", "sink", "2.0")
    with pytest.raises(PluginRefused, match=r"sink is installed already, from org.example:sink:1.0: --upgrade"):
        put(folder, newer)
    put(folder, newer, replace=True)
    assert names(folder) == [f"sink/{NAME}", "sink/sink-2.0.jar"]
    (folder / "sink" / NAME).unlink()
    with pytest.raises(PluginRefused, match="was not made by"):
        put(folder, newer, replace=True)


def test_an_upgrade_that_was_killed_between_its_steps_is_undone(repository: Repository, folder: Path) -> None:
    put(folder, PLUGIN)
    (folder / "sink").rename(folder / ".connectd-replaced-sink")
    with opened(folder):
        assert names(folder) == [f"sink/{NAME}", "sink/library-1.0.jar", "sink/sink-1.0.jar"]


def test_remove_takes_only_what_install_made(repository: Repository, folder: Path) -> None:
    put(folder, PLUGIN)
    (folder / "mine").mkdir()
    with opened(folder) as place:
        for name, why in (
            ("mine", "was not made by"),
            ("none", "has no plugin folder"),
            ("../plugins", "has no plugin"),
        ):
            with pytest.raises(PluginRefused, match=why):
                place.remove(name, force=True)
        (folder / "sink/own.properties").write_text("")
        with pytest.raises(PluginRefused, match=r"changed since it was installed: own.properties\. --force"):
            place.remove("sink", force=False)
        place.remove("sink", force=True)
    assert [each.name for each in folder.iterdir()] == ["mine"]


def test_one_at_a_time(folder: Path) -> None:
    with opened(folder), pytest.raises(PluginUnavailable, match="another process"), opened(folder):
        pass


def test_killed_in_the_middle_it_leaves_nothing_that_counts(repository: Repository, folder: Path) -> None:
    repository.held.add("library-1.0.jar")
    command = [*CONNECTD, "plugins", "install", str(PLUGIN), "--into", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: "library-1.0.jar" in repository.jars_asked_for(), "it is asked for the jar")
        wait_until(lambda: any(each.endswith("sink-1.0.jar") for each in names(folder)), "the other one has come")
        process.send_signal(signal.SIGKILL)
    assert java_folders([str(folder)]) == []
    repository.release.set()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"Installed in {folder}/sink:", "  sink org.example.Sink 1.0"]
    assert os.listdir(folder) == ["sink"]  # noqa: PTH208 (with hidden ones)


def test_a_full_disk_is_told_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "large.zip", **{"sink.jar": SINK, "large": b"\0" * 100_000})
    done = subprocess.run(
        [*CONNECTD, "plugins", "install", str(archive), "--into", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert done.returncode == 69
    assert "cannot be written to: File too large" in done.stderr
    assert not list(folder.iterdir())


def test_the_commands_find_the_folder_of_a_worker(repository: Repository, folder: Path, tmp_path: Path) -> None:
    missing, worker = tmp_path / "missing", tmp_path / "worker.properties"
    worker.write_text(
        "bootstrap.servers=localhost:9092\nkey.converter=StringConverter\nvalue.converter=StringConverter\n"
        f"offset.storage.file.filename={tmp_path}/offsets\nplugin.path={folder},{missing}\n"
    )

    def connectd(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*CONNECTD, "plugins", *arguments], capture_output=True, text=True, timeout=60)

    assert connectd("install", str(PLUGIN), "--worker", str(worker)).returncode == 0
    listed = json.loads(connectd(str(worker), "--output", "json").stdout)
    java = [each for each in listed if each["runtime"] == "java"]
    assert [(each["name"], each["kind"], each["version"], each["location"]) for each in java] == [
        ("org.example.Sink", "sink", "1.0", f"{folder}/sink")
    ]
    again = connectd("install", str(PLUGIN), "--into", str(folder))
    assert again.returncode == 65 and "--upgrade" in again.stderr
    assert connectd("remove", "sink", "--from", str(folder)).stdout == f"Removed {folder}/sink\n"
    assert not list(folder.iterdir())
