"""Interpreters of plugins' own: whether connectd can run under one, and how it gets there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

import connectd
from connectd.errors import ConfigException
from plugins.discovery.folders import RESERVED_MODULES
from plugins.python_setting import EXPECTED, PLUGIN_PYTHON

OLDEST: Final = (3, 11)
ANSWER_TIMEOUT_S: Final = 30.0

_OWN_ROOT: Final = Path(connectd.__file__).parent.parent
# What `tasks.entry` imports of others.
_REQUIRED: Final = ("confluent_kafka", "msgspec", "orjson", "setproctitle", "structlog")

# Runs on whatever Python it may be, and so is written for all of them.
_PROBE: Final = """
import json, sys
answer = {"version": list(sys.version_info[:3])}
if sys.version_info >= tuple(json.loads(sys.argv[1])):
    from importlib.util import find_spec
    answer["abi"] = sys.implementation.cache_tag + sys.abiflags
    answer["homes"] = {}
    for name in json.loads(sys.argv[2]):
        spec = find_spec(name)
        if spec is not None:
            answer["homes"][name] = spec.origin or "a folder"
    if "connectd" in answer["homes"]:
        try:
            import connectd
            answer["connectd"] = connectd.__version__
        except Exception as error:
            answer["error"] = "{}: {}".format(type(error).__name__, error)
print(json.dumps(answer))
"""


class _Answer(msgspec.Struct):
    """Of an interpreter. `homes` are the files of the packages that it has of those that it was asked for."""

    version: tuple[int, int, int]
    abi: str = ""
    homes: dict[str, str] = {}
    connectd: str | None = None
    error: str | None = None


def own_path() -> list[str]:
    """Where this process has connectd and what that needs from."""
    return list(dict.fromkeys([str(_OWN_ROOT), *(path for path in sys.path if path.endswith("-packages"))]))


def path_behind(python: str) -> list[str]:
    """What has to be put behind the interpreter's own `sys.path`: nothing if connectd is installed there.

    If it is not, and the interpreter is the same version of Python as this one, connectd is used from here, with all that it
    needs. Raises ConfigException for `plugin.python` if the interpreter cannot be used.
    """
    if not Path(python).exists():
        raise _unusable(python, f"{EXPECTED}; there is no such program")
    answer = _ask(python)
    version = ".".join(map(str, answer.version))
    if answer.version < OLDEST:
        raise _unusable(python, f"Expected Python {OLDEST[0]}.{OLDEST[1]} or newer; this is Python {version}")
    same = answer.abi == sys.implementation.cache_tag + sys.abiflags
    if "connectd" in answer.homes and not (same and _root(answer, "connectd") == _OWN_ROOT):
        _check_installed(python, answer)
        return []
    how = f"Expected one that connectd {connectd.__version__} is installed for"
    if taken := sorted(
        name for name in RESERVED_MODULES.intersection(answer.homes) if _root(answer, name) != _OWN_ROOT
    ):
        raise _unusable(
            python,
            f"{how}; this one has no connectd, but another module called '{taken[0]}', which is a name of connectd's",
        )
    if not same:
        raise _unusable(
            python,
            f"{how}; this is Python {version}, so that it cannot have it from Python {_own_version()}, which runs connectd",
        )
    return own_path()


def command(python: str, path: Sequence[str], module: str, *arguments: str) -> list[str]:
    """The command that calls `main` of a module under an interpreter, with `path` behind what it imports from."""
    # -P: neither a folder `plugins` in the working directory nor one beside the program is ours.
    program = f"import sys; sys.path += {list(path)!r}; from {module} import main; main(*sys.argv[1:])"
    return [python, "-P", "-c", program, *arguments]


def _check_installed(python: str, answer: _Answer) -> None:
    expected = f"Expected connectd {connectd.__version__}, as here, to be installed there"
    if answer.error is not None:
        raise _unusable(python, f"{expected}; it cannot be imported: {answer.error}")
    if answer.connectd != connectd.__version__:
        raise _unusable(python, f"{expected}; connectd {answer.connectd} is")
    if missing := [name for name in _REQUIRED if name not in answer.homes]:
        raise _unusable(python, f"{expected} with what it needs; {', '.join(missing)} cannot be found")
    for name in ("plugins", "tasks"):
        if _root(answer, name) != _root(answer, "connectd"):
            raise _unusable(python, f"{expected}; another module called '{name}' hides that of connectd")


def _root(answer: _Answer, name: str) -> Path:
    return Path(answer.homes.get(name, "")).parent.parent


def _ask(python: str) -> _Answer:
    names = msgspec.json.encode(sorted({*RESERVED_MODULES, *_REQUIRED})).decode()
    oldest = msgspec.json.encode(OLDEST).decode()
    try:
        done = subprocess.run(
            [python, "-c", _PROBE, oldest, names],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_TIMEOUT_S,
            check=True,
            # As -P, which an old Python does not know.
            env={**os.environ, "PYTHONSAFEPATH": "1"},
        )
        return msgspec.json.decode(done.stdout, type=_Answer)
    except subprocess.TimeoutExpired:
        problem = f"it did not answer within {ANSWER_TIMEOUT_S:g} s"
    except OSError as error:
        problem = f"it cannot be executed: {error.strerror}"
    except subprocess.CalledProcessError as error:
        problem = f"it ended with {_end_of(error)}"
    except msgspec.MsgspecError:
        problem = "it does not answer as Python does"
    raise _unusable(python, f"{EXPECTED}; {problem}")


def _end_of(error: subprocess.CalledProcessError) -> str:
    last_line = error.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"exit code {error.returncode}" + (f", {last_line}" if last_line else "")


def _unusable(python: str, expected: str) -> ConfigException:
    return ConfigException(PLUGIN_PYTHON, python, expected)


def _own_version() -> str:
    return ".".join(map(str, sys.version_info[:3]))
