"""The archive of loaded classes: without one hosts start slower, and it is tried again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.java.archive import archive_options
from tasks.java.machine import Machine

# Makes what it is asked to make, if there is room for it.
JAVA = """#!/bin/sh
echo started >> {folder}/starts
test -e {folder}/full && {{ echo "[aot] a warning"; echo "[error][aot] No space left on device"; exit 1; }}
for each; do case $each in -XX:*Output=*|-XX:ArchiveClassesAtExit=*) touch "${{each#*=}}";; esac; done
"""


@pytest.mark.parametrize(
    ("version", "option"), [(17, "-XX:SharedArchiveFile="), (21, "-XX:SharedArchiveFile="), (25, "-XX:AOTCache=")]
)
def test_a_full_disk_is_tried_again_after_a_time(
    tmp_path: Path, version: int, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(JAVA.format(folder=tmp_path))
    java.chmod(0o755)
    (tmp_path / "release").touch()
    cache = tmp_path / "cache"
    cache.mkdir()
    full = tmp_path / "full"
    full.touch()

    def options() -> list[str]:
        return archive_options(Machine(java, version), [tmp_path / "release"], cache, "Main")

    def starts() -> int:
        return (tmp_path / "starts").read_text().count("started")

    assert options() == [] and starts() == 1
    told = capsys.readouterr().out
    assert "No space left on device" in told and "a warning" not in told
    full.unlink()
    assert options() == [] and starts() == 1
    (failed,) = cache.glob("*.failed")
    os.utime(failed, (0, 0))
    (archive,) = [each for each in options() if each.startswith(option)]
    assert Path(archive.removeprefix(option)).exists() and starts() == 2
    assert options() and starts() == 2
