"""Worker and connector files: Java properties, or JSON as in the REST API. All that is wrong in all files is found at once.

Files of connectors are told apart as `ConnectStandalone` does: a JSON object of texts, a JSON object with `name` and `config`
(and `initial_state`, KIP-980), else properties.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from connectd.errors import ConnectException
from tasks.states import TargetState

log = structlog.get_logger(__name__)

_INITIAL_STATES: Final = {
    "RUNNING": TargetState.STARTED,
    "PAUSED": TargetState.PAUSED,
    "STOPPED": TargetState.STOPPED,
}


class Problem(msgspec.Struct, frozen=True):
    """Something wrong in a file: one line for an operator. `key` is None where it concerns no single one."""

    file: str
    key: str | None
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


class FileProblems(ConnectException):
    """What is wrong in files, all of it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class ConnectorFile(msgspec.Struct, frozen=True, kw_only=True):
    """A connector as its file declares it; `config` holds `name` too."""

    path: str
    name: str
    config: dict[str, str]
    target_state: TargetState = TargetState.STARTED


def read_worker_file(path: str) -> dict[str, str]:
    """The properties of a worker file. Raises FileProblems."""
    content = _parse(path)
    if isinstance(content, dict):
        return _texts(path, content)
    return _properties(path, content)


def read_connector_files(paths: Iterable[str]) -> list[ConnectorFile]:
    """All files, in the order given. Raises FileProblems for everything that is wrong in any of them."""
    files: list[ConnectorFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            file = read_connector_file(path)
        except FileProblems as error:
            problems += error.problems
            continue
        same = next((other for other in files if other.name == file.name), None)
        if same is not None:
            problems.append(Problem(path, "name", f"a connector called {file.name} is in {same.path} already"))
        files.append(file)
    if problems:
        raise FileProblems(problems)
    return files


def read_connector_file(path: str) -> ConnectorFile:
    """One connector file. Raises FileProblems."""
    content = _parse(path)
    if isinstance(content, str):
        return _connector(path, _properties(path, content))
    if not isinstance(content.get("config"), dict):
        return _connector(path, _texts(path, content))
    return _request(path, content)


def _request(path: str, content: dict[str, Any]) -> ConnectorFile:
    """`{"name", "config", "initial_state"}`, as in `POST /connectors`; anything beside is ignored, as Java does."""
    name, state = content.get("name"), content.get("initial_state")
    if not isinstance(name, str):
        raise _problem(path, "name", f"name is {_shown(name)}: expected the name of the connector beside its config")
    if state is not None and state not in _INITIAL_STATES:
        raise _problem(
            path, "initial_state", f"initial_state is {_shown(state)}: expected one of {', '.join(_INITIAL_STATES)}"
        )
    config = _texts(path, content["config"])
    if config.setdefault("name", name) != name:
        raise _problem(path, "name", f"name is {_shown(name)}, but in config it is {_shown(config['name'])}")
    return _connector(path, config, _INITIAL_STATES[state or "RUNNING"])


def _connector(path: str, config: dict[str, str], target_state: TargetState = TargetState.STARTED) -> ConnectorFile:
    if not config:
        raise _problem(path, None, "the file is empty: expected at least name and connector.class")
    if not config.get("name", "").strip():
        raise _problem(path, "name", "name is missing: expected a name for the connector, one that no other one has")
    return ConnectorFile(path=path, name=config["name"], config=config, target_state=target_state)


def _parse(path: str) -> dict[str, Any] | str:
    """The object in a JSON file, the text of any other."""
    text = _text(path)
    if not text.lstrip().startswith("{") and not path.endswith(".json"):
        return text
    try:
        # Numbers stay the texts that they are in the file.
        content = json.loads(text, parse_int=str, parse_float=str, object_pairs_hook=_last_wins(path))
    except ValueError as error:
        raise _problem(path, None, f"this is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise _problem(path, None, "expected a JSON object")
    return content


def _text(path: str) -> str:
    """Java reads properties as ISO 8859-1 and JSON as UTF-8. Here UTF-8 is understood in both, and ISO 8859-1 otherwise."""
    if Path(path).is_dir():
        raise _problem(path, None, f"this is a folder: give its files, for example {path.rstrip('/')}/*.properties")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise _problem(path, None, f"cannot be read: {error.strerror}") from error
    if b"\0" in data:
        raise _problem(path, None, "this is not a text in UTF-8 or ISO 8859-1")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("iso-8859-1")


def _properties(path: str, text: str) -> dict[str, str]:
    from javaproperties.reading import InvalidUEscapeError, KeyValue, parse

    found: dict[str, str] = {}
    line = 1
    try:
        for element in parse(text):
            if isinstance(element, KeyValue):
                if element.key in found:
                    log.warning("key is given twice, the last one counts", file=path, line=line, key=element.key)
                found[element.key] = element.value
            line += len(element.source.splitlines())
    except InvalidUEscapeError as error:
        raise _problem(
            path, None, f"line {line}: {error.escape} is no character: expected \\u and four digits"
        ) from None
    return _encodable(path, found)


def _texts(path: str, content: dict[str, Any]) -> dict[str, str]:
    """The values as texts, as Jackson reads a map of strings; a null is a key that was not given."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for key, value in content.items():
        if isinstance(value, bool):
            texts[key] = str(value).lower()
        elif isinstance(value, str):
            texts[key] = value
        elif value is not None:
            problems.append(Problem(path, key, f"{key} is {_kind(value)}: expected a text, a number, true or false"))
    if problems:
        raise FileProblems(problems)
    return _encodable(path, texts)


def _encodable(path: str, texts: dict[str, str]) -> dict[str, str]:
    for key, value in texts.items():
        try:
            (key + value).encode()
        except UnicodeEncodeError:
            raise _problem(path, key, f"the value of {key} holds half of a character (a lone surrogate)") from None
    return texts


def _last_wins(path: str) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def combine(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        for key in _repeated(key for key, _ in pairs):
            log.warning("key is given twice, the last one counts", file=path, key=key)
        return content

    return combine


def _repeated(keys: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            yield key
        seen.add(key)


def _kind(value: Any) -> str:
    # Not the value: it may be a secret.
    return "a list" if isinstance(value, list) else "an object"


def _shown(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _problem(path: str, key: str | None, message: str) -> FileProblems:
    return FileProblems([Problem(path, key, message)])
