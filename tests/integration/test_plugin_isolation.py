"""Plugin folders side by side in one worker, each with the versions of libraries that it has brought."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import orjson

from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.witness import install, install_lib, witnessed, write_connector, write_witness, write_worker
from tests.support.worker_process import CONNECTD, worker_process


def test_two_folders_have_two_versions_of_a_library(kafka: TestKafka, topic: str, tmp_path: Path) -> None:
    versions = {"one": "1.0", "two": "2.0"}
    for name, version in versions.items():
        install_lib(tmp_path / "plugins" / name, version)
        write_witness(tmp_path / "plugins" / name, f"witness_{name}", name.capitalize())
    write_worker(tmp_path, kafka.bootstrap_servers)
    files = [
        write_connector(tmp_path, name, f"{name.capitalize()}Witness", topic=f"{topic}-{name}") for name in versions
    ]
    for name in versions:
        kafka.create_topic(f"{topic}-{name}")
    with worker_process(tmp_path, "worker.properties", *files) as worker:
        for name, version in versions.items():
            assert [each.value() for each in kafka.consume(f"{topic}-{name}", 1)] == [version.encode()]
        assert worker.stop() == 0
    for name, version in versions.items():
        for what in ("validate", "connector", "task"):
            found = witnessed(tmp_path, name, what)
            assert {(each["lib"], each["installed"]) for each in found} == {(version, version)}, what


def test_listing_and_checking_see_the_versions_of_the_folders(tmp_path: Path) -> None:
    for name, version in (("one", "1.0"), ("two", "2.0")):
        install_lib(tmp_path / "plugins" / name, version)
        write_witness(tmp_path / "plugins" / name, f"witness_{name}", name.capitalize())
    write_worker(tmp_path)
    listing = subprocess.run(
        [*CONNECTD, "plugins", "worker.properties", "--output", "json"], cwd=tmp_path, capture_output=True, check=True
    )
    found = {each["name"]: each for each in json.loads(listing.stdout) if "witness" in each["name"]}
    assert {name: (each["version"], each["error"]) for name, each in found.items()} == {
        "witness_one.OneWitnessConnector": ("1.0", None),
        "witness_two.TwoWitnessConnector": ("2.0", None),
    }


def test_what_connectd_has_loaded_comes_before_what_a_folder_brings(tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "one"
    install_lib(folder, "1.0")
    write_witness(folder)
    install(folder, "orjson", "0.0.1", "raise RuntimeError('this one is never imported')\n")
    write_worker(tmp_path)
    file = write_connector(tmp_path, "c", "Witness")
    with worker_process(tmp_path, "worker.properties", file) as worker:
        wait_until(lambda: witnessed(tmp_path, "c", "task"), "the task runs")
        assert worker.stop() == 0
    assert witnessed(tmp_path, "c", "task")[0]["shared"] == orjson.__version__
    expected = (
        f"Plugin folder '{folder}' has orjson 0.0.1, but its plugins get orjson {orjson.__version__}, "
        "which connectd has loaded already."
    )
    said = [event for event in worker.events if str(event["message"]).startswith(expected)]
    assert {event.get("task") for event in said} >= {0}
    assert {event["level"] for event in said} == {"warning"}
