"""Puts the units and first files of the service in place, with their paths filled in. Called by `make install`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the units; files of the operator's own that are there already are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("prefix", "sysconfdir", "unitdir", "sysusersdir", "tmpfilesdir"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    to = parser.parse_args(arguments)
    values = {"@PREFIX@": str(to.prefix), "@SYSCONFDIR@": str(to.sysconfdir)}
    values["@COMMON@"] = (HERE / "common.conf").read_text()
    for source, target in (
        ("connectd.service.in", to.unitdir / "connectd.service"),
        ("connectd@.service.in", to.unitdir / "connectd@.service"),
        ("connectd.sysusers", to.sysusersdir / "connectd.conf"),
        ("connectd.tmpfiles.in", to.tmpfilesdir / "connectd.conf"),
    ):
        _write(target, _filled(source, values))
    settings: Path = to.sysconfdir / "connectd"
    (settings / "connectors.d").mkdir(parents=True, exist_ok=True)
    worker = settings / "worker.properties"
    if worker.exists():
        print(f"kept     {worker}")
    else:
        _write(worker, _filled("worker.properties", values))


def _filled(source: str, values: dict[str, str]) -> str:
    text = (HERE / source).read_text()
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    print(f"written  {target}")


if __name__ == "__main__":
    main()
