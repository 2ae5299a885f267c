"""Packages that are imported without what their `__init__` imports, and are whole for whoever needs that."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(program: str) -> list[str]:
    """What a new process prints that imports packages bare."""
    head = "import sys\nfrom supervisor.bare_packages import import_bare\nimport_bare()\n"
    ran = subprocess.run([sys.executable, "-c", head + program], capture_output=True, text=True, check=True)
    return ran.stdout.split()


def test_a_worker_does_without_clients() -> None:
    program = """
import supervisor.commands.distributed, supervisor.commands.standalone, supervisor.rest.server, supervisor.group.membership
print(*(each for each in (
    "aiohttp.client", "kafka.admin", "kafka.consumer", "kafka.producer", "kafka.protocol.admin.topics",
    "kafka.protocol.consumer.fetch", "dill",
    "javaproperties.xmlprops", "prometheus_client.exposition", "aiohttp.web", "argparse",
    "aiohttp.web_server", "kafka.coordinator.base",
) if each in sys.modules))
"""
    assert run(program) == ["aiohttp.web_server", "kafka.coordinator.base"]


@pytest.mark.parametrize(
    "program",
    [
        "import aiohttp; print(aiohttp.ClientSession.__name__)",
        "from aiohttp import ClientSession, web; print(ClientSession.__name__)",
        "import aiohttp.web, aiohttp; aiohttp.ClientTimeout; print(aiohttp.ClientSession.__name__)",
    ],
)
def test_whoever_needs_the_whole_package_gets_it(program: str) -> None:
    assert run(program) == ["ClientSession"]


def test_threads_that_need_the_whole_package_at_the_same_time_get_it() -> None:
    program = """
import aiohttp
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    print(*{each.__name__ for each in pool.map(lambda _: aiohttp.ClientSession, range(8))})
"""
    assert run(program) == ["ClientSession"]


def test_a_package_has_the_names_of_the_modules_that_it_keeps() -> None:
    program = "from kafka.protocol.admin import DescribeGroupsRequest; print('kafka.protocol.admin.acl' in sys.modules)"
    assert run(program) == ["False"]
    assert run("from kafka.protocol.admin import CreateTopicsRequest as it; print(it.__name__)") == [
        "CreateTopicsRequest"
    ]


def test_what_is_nowhere_is_an_error_as_ever() -> None:
    program = """
import kafka, aiohttp
for package in (kafka, aiohttp):
    for name in ("no_such_thing", "__no_such_thing__"):
        print(hasattr(package, name))
try:
    from kafka import no_such_thing
except ImportError as error:
    print(type(error).__name__)
print(aiohttp.__version__ == __import__("importlib.metadata", fromlist=["version"]).version("aiohttp"))
"""
    assert run(program) == ["False"] * 4 + ["ImportError", "True"]
