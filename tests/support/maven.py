"""A Maven repository on this machine, and jars to put into it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import unquote

import pytest

_POM = """<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId><artifactId>{name}</artifactId>
<version>{version}</version>{more}<dependencies>{dependencies}</dependencies></project>"""


class Repository:
    """What is in it, what it is asked for, and how it misbehaves: `cut` are names of files of which half is sent,
    `held` of those that come when `release` is set.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.requests: list[str] = []
        self.cut: set[str] = set()
        self.held: set[str] = set()
        self.release = Event()

    def put(
        self,
        name: str,
        jar: bytes,
        dependencies: str = "",
        *,
        version: str = "1.0",
        more: str = "",
        ending: str = ".jar",
    ) -> None:
        """An artifact of org.example with its checksum; `dependencies` and `more` are XML for its POM."""
        place = self.folder / "org/example" / name / version
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"{name}-{version}{ending}"
        file.write_bytes(jar)
        file.with_name(f"{file.name}.sha1").write_text(hashlib.sha1(jar).hexdigest())
        pom = _POM.format(group="org.example", name=name, version=version, dependencies=dependencies, more=more)
        (place / f"{name}-{version}.pom").write_text(pom)

    def jars_asked_for(self) -> list[str]:
        return [path.rpartition("/")[2] for path in self.requests if path.endswith(".jar")]


def dependency(name: str, version: str = "1.0", more: str = "", group: str = "org.example") -> str:
    """XML for a POM; `more` are further elements."""
    return (
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>"
        f"<version>{version}</version>{more}</dependency>"
    )


def jar_of(*plugins: str, kind: str = "org.apache.kafka.connect.sink.SinkConnector") -> bytes:
    """A jar that declares plugins of this kind, and has no class files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        if plugins:
            file.writestr(f"META-INF/services/{kind}", "\n".join(plugins))
    return content.getvalue()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, repository: Repository, **more: object) -> None:
        self._repository = repository
        super().__init__(*args, directory=str(repository.folder), **more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._repository.requests.append(self.path)
        name = self.path.rpartition("/")[2]
        if name in self._repository.held:
            self._repository.release.wait(60)
        if name in self._repository.cut:
            content = (self._repository.folder / unquote(self.path[1:])).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
        else:
            super().do_GET()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def only_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The only repository of this user, named as a mirror in jgo's settings; the cache and ~/.m2 are empty."""
    repository = Repository(tmp_path / "repository")
    repository.folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, repository=repository))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    repository.url = f"http://127.0.0.1:{server.server_port}"
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\ncentral = {repository.url}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("CONNECTD_CACHE", str(tmp_path / "cache"))
    for variable in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    yield repository
    repository.release.set()
    server.shutdown()
    server.server_close()
