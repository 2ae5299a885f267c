"""The units of the service: `make install` writes them, and systemd itself finds nothing wrong with them."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The files as `make install` writes them, with a program where the units expect it."""
    install(tmp_path)
    program = tmp_path / "opt" / "bin" / "connectd"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return tmp_path


def install(folder: Path) -> None:
    etc = folder / "etc"
    main = runpy.run_path(str(ROOT / "systemd" / "install.py"))["main"]
    places = {
        "prefix": folder / "opt",
        "sysconfdir": etc,
        "unitdir": etc / "systemd" / "system",
        "sysusersdir": etc / "sysusers.d",
        "tmpfilesdir": etc / "tmpfiles.d",
    }
    main([argument for name, path in places.items() for argument in (f"--{name}", str(path))])


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "notice", "LC_ALL": "C"}
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("unit", ["connectd.service", "connectd@orders.service"])
def test_systemd_accepts_the_unit_without_a_word(installed: Path, unit: str) -> None:
    units = installed / "etc" / "systemd" / "system"
    path = units / unit
    if "@" in unit:
        shutil.copy(units / "connectd@.service", path)
    result = analyze("verify", "--man=no", str(path))
    # An unknown key is a warning on stderr with exit code 0. What it says of other units of the machine is not ours.
    ours = [line for line in result.stderr.splitlines() if "connectd" in line]
    assert (result.returncode, ours) == (0, [])


def test_an_unknown_key_would_be_noticed(installed: Path) -> None:
    path = installed / "etc" / "systemd" / "system" / "connectd.service"
    path.write_text(path.read_text().replace("WatchdogSec=", "WatchDogSeconds="))
    assert "WatchDogSeconds" in analyze("verify", "--man=no", str(path)).stderr


def test_the_unit_is_hardened(installed: Path) -> None:
    path = installed / "etc" / "systemd" / "system" / "connectd.service"
    result = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(path))
    assert result.returncode == 0, result.stdout[-3000:]
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", result.stdout)
    assert exposure is not None and float(exposure[1]) <= 2.0


def test_paths_are_filled_in_everywhere_and_the_operators_file_is_kept(installed: Path) -> None:
    etc = installed / "etc"
    written = [path for path in etc.rglob("*") if path.is_file()]
    assert len(written) == 5
    assert not [path for path in written if re.search(r"@[A-Z]+@", path.read_text())]
    assert (
        f"{installed}/opt/bin/connectd standalone {etc}/connectd/%i/worker.properties"
        in (etc / "systemd" / "system" / "connectd@.service").read_text()
    )
    worker = etc / "connectd" / "worker.properties"
    worker.write_text("mine\n")
    install(installed)
    assert worker.read_text() == "mine\n"


def test_the_worker_file_of_the_service_is_valid(installed: Path) -> None:
    from tasks.settings import StandaloneConfig

    lines = (installed / "etc" / "connectd" / "worker.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert StandaloneConfig.errors(properties) == []
    assert properties["connectors.directory"] == str(installed / "etc" / "connectd" / "connectors.d")
