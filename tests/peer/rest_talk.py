"""Conversations with REST APIs: their words, and what of two answers must be the same."""

from __future__ import annotations

import difflib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.peer.rest_workers import Worker
from tests.support.processes import wait_until

JSON: Final = {"Content-Type": "application/json"}

# Why an answer differs on purpose: the headings in docs/compatibility.md.
CLIENT_MISTAKE = "Mistakes of clients are 4xx"
STANDALONE_BUG = "Standalone answers as distributed"
MESSAGES = "Messages of errors"
APPLIED = "A connector that does not start is created"
NO_SECRETS = "No configuration in error messages"
STRICTER = "Stricter"
LOGGERS = "Loggers are those of Python"

# Nothing takes so long, but on a machine that has much else to do.
PATIENCE_S: Final = 120.0
# How long a cluster may take until everybody can read what was written.
SETTLE_TIMEOUT_S: Final = 10.0
CLIENT_KEYS = "Client overrides"
NAMES = "Every name has a path"
GONE = "Deleted is gone"


@dataclass(frozen=True)
class Request:
    """One request. `body` is JSON, or bytes as they are. `differs` says why the answers need not be the same."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    differs: str | None = None
    # In a cluster, where that is not the same.
    differs_in_cluster: str | None = ""
    # Why they need not be the same in a cluster, but sometimes are.
    may_differ_in_cluster: str | None = None

    def reason(self, *, cluster: bool) -> str | None:
        """Why the answers differ."""
        return self.differs_in_cluster if cluster and self.differs_in_cluster != "" else self.differs

    def __str__(self) -> str:
        body = "" if self.body is None else f" {self.body!r}"
        headers = f" {dict(self.headers)}" if self.headers else ""
        return f"{self.method} {self.path}{body}{headers}"


@dataclass(frozen=True)
class Until:
    """Wait until a connector and its tasks are in these states."""

    connector: str
    states: Sequence[str]


@dataclass(frozen=True)
class UntilAnswer:
    """Wait until the answer to a GET has `text` in it."""

    path: str
    text: str


@dataclass(frozen=True)
class Anew:
    """Send a request, and wait until a connector and its tasks are in the states that it leads to, which may be those that they
    were in before."""

    request: Request
    until: Until


Step = Request | Until | UntilAnswer | Anew


@dataclass(frozen=True)
class Answer:
    """A response, normalised."""

    status: int
    headers: Mapping[str, Any]
    body: Any

    def __str__(self) -> str:
        body = json.dumps(self.body, indent=1, sort_keys=True, ensure_ascii=False)
        return f"{self.status}\n{dict(self.headers)}\n{body}"


@dataclass(frozen=True)
class Exchange:
    """A request with both answers."""

    conversation: str
    request: Request
    java: Answer
    ours: Answer
    reason: str | None = None
    in_cluster: bool = False

    @property
    def agrees(self) -> bool:
        """Whether the answers are the same."""
        return self.java == self.ours

    @property
    def why(self) -> str | None:
        """The reason if they differ."""
        return self.reason or self.request.may_differ_in_cluster

    @property
    def is_wrong(self) -> bool:
        """Whether the answers differ without a reason, or agree although there is one."""
        if self.in_cluster and self.request.may_differ_in_cluster is not None and not self.agrees:
            return False
        return self.agrees is (self.reason is not None)

    @property
    def complaint(self) -> str:
        """What is wrong, for a person."""
        if self.agrees:
            return f"[{self.conversation}] {self.request} agrees, although it is declared to differ"
        return self.diff()

    def diff(self) -> str:
        """What differs, for a person."""
        lines = difflib.unified_diff(
            str(self.java).splitlines(), str(self.ours).splitlines(), "java", "connectd", lineterm="", n=2
        )
        return "\n".join([f"[{self.conversation}] {self.request}", *(f"    {line}" for line in lines)])


def talk(conversation: str, steps: Sequence[Step], java: Worker, ours: Worker) -> list[Exchange]:
    """Send the same requests to both, one after the other."""
    exchanges = []
    for step in steps:
        match step:
            case Request():
                exchanges.append(_exchange(conversation, step, java, ours))
            case Anew(request, until):
                before = {worker: worker.statuses.end() for worker in (java, ours) if worker.statuses is not None}
                exchanges.append(_exchange(conversation, request, java, ours))
                for worker, ends in before.items():
                    _wait_for_news(worker, until, ends)
                for worker in (java, ours):
                    _wait(worker, until)
            case _:
                for worker in (java, ours):
                    _wait(worker, step)
    return exchanges


def _exchange(conversation: str, request: Request, java: Worker, ours: Worker) -> Exchange:
    """In a cluster what was written is read only after a while: reads are tried again until they agree, or it takes too long."""
    reason = request.reason(cluster=java.is_cluster)
    deadline = time.monotonic() + (SETTLE_TIMEOUT_S if java.is_cluster and request.method == "GET" else 0.0)
    while True:
        exchange = Exchange(conversation, request, _ask(java, request), _ask(ours, request), reason, java.is_cluster)
        if exchange.agrees or reason or request.may_differ_in_cluster or time.monotonic() > deadline:
            return exchange
        time.sleep(0.1)


def _wait_for_news(worker: Worker, until: Until, ends: Mapping[int, int]) -> None:
    """Until the cluster has said of the connector itself that it is in its state since its status topic ended there. One worker
    alone says at once that something restarts."""
    statuses, connector = worker.statuses, worker.private(until.connector)
    assert statuses is not None
    wait_until(
        lambda: statuses.last_state(connector, ends) == until.states[0],
        lambda: f"{connector} is {until.states[0]} again, it is {worker.states(until.connector)}; see {worker.log}",
        PATIENCE_S,
    )


def _wait(worker: Worker, step: Until | UntilAnswer) -> None:
    match step:
        case Until(connector, states):
            wait_until(
                lambda: worker.states(connector) == list(states),
                lambda: f"{connector} of {worker.kind} is {states}, it is {worker.states(connector)}; see {worker.log}",
                PATIENCE_S,
            )
        case UntilAnswer(path, text):
            wait_until(
                lambda: text in json.dumps(worker.get(worker.private(path))),
                lambda: f"{path} of {worker.kind} has {text}: {worker.get(worker.private(path))}; see {worker.log}",
                PATIENCE_S,
            )


def _ask(worker: Worker, request: Request) -> Answer:
    body, headers = request.body, dict(request.headers)
    if body is not None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        body = worker.private(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        headers = {**JSON, **headers}
    headers = {name: value for name, value in headers.items() if value}
    status, found, data = worker.request(request.method, worker.private(request.path), body, headers)
    text = worker.public(data.decode("utf-8", "replace"))
    return Answer(status, _headers(worker, found, text), _body(text))


def _headers(worker: Worker, headers: Mapping[str, str], text: str) -> dict[str, Any]:
    """Those that matter. Java leaves the type out where JAX-RS itself answers with JSON."""
    found: dict[str, Any] = {}
    if "location" in headers:
        found["location"] = worker.public(headers["location"])
    if "allow" in headers and not text.startswith("{"):
        found["allow"] = sorted(part.strip() for part in headers["allow"].split(","))
    if text:
        found["content-type"] = headers.get("content-type", "application/json")
    return found


def _body(text: str) -> Any:
    if not text:
        return None
    try:
        return _normalised(json.loads(text))
    except ValueError:
        return sorted(text.split(", "))  # the methods of OPTIONS; else a page in HTML, which never agrees


# Keys that exist here only, and connectors that exist in Java only.
_OURS: Final = ("task.", "connector.hang.", "plugin.python", "errors.batch.bisect", "plugin.runtime", "java.")
_OUR_GROUPS: Final = ("Restarts", "Limits", "Dead Letters", "Java")
_BOTH: Final = ("org.apache.kafka.", "connectd.peer.")
_CONVERTERS: Final = ("key.converter.", "value.converter.", "header.converter.")
_CONVERTER_GROUPS: Final = ("Schemas", "Serialization")
_JAVAS: Final = "org.apache.kafka.connect.mirror."
_VERSIONS: Final = re.compile(r"\b(4\.3\.0|0\.1\.0)\b")


# What is known of a connector or task that restarts depends on how far the restart before has come.
_OF_THE_LAST_RUN: Final = {"version", "trace"}


def _normalised(value: Any, key: str = "") -> Any:
    match value:
        case {"state": "RESTARTING", **rest} if rest.keys() & _OF_THE_LAST_RUN:
            kept = {name: each for name, each in value.items() if name not in _OF_THE_LAST_RUN}
            return _normalised(kept, key)
        case dict():
            return {name: _normalised(each, name) for name, each in value.items()}
        case list():
            values = [_normalised(each, key) for each in value if _is_compared(each, key)]
            if key == "configs":
                values.sort(key=_place)
            if key == "tasks" and all(isinstance(each, dict) and "state" in each for each in values):
                values.sort(key=lambda task: int(task["id"]))  # Java's order is that of a hash table
            if key == "groups":
                values.sort(key=lambda group: group if group in _CONVERTER_GROUPS else "")
            return sorted(values, key=json.dumps) if key == "offsets" or _are_names(values, key) else values
        case str() if key in ("trace", "documentation", "commit"):
            return bool(value)
        case str() if key == "version":
            return _VERSIONS.sub("VERSION", value.partition("-")[0])
        case str():
            return _VERSIONS.sub("VERSION", value)
        case int() if key == "last_modified":
            return "TIME"
    return value


def _are_names(values: list[Any], key: str) -> bool:
    return not key and all(isinstance(each, str) for each in values)


def _is_compared(entry: Any, key: str) -> bool:
    """Whether both workers may have it: a key, a group, a plugin."""
    if key == "recommended_values":
        return not isinstance(entry, str) or "." not in entry or entry.startswith(_BOTH)
    if not isinstance(entry, dict):
        return entry not in _OUR_GROUPS
    if "class" in entry:
        return entry["class"].startswith(_BOTH) and not entry["class"].startswith(_JAVAS)
    group = (entry.get("definition") or entry).get("group")
    return group not in _OUR_GROUPS and not _key_of(entry).startswith(_OURS)


def _key_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or (entry.get("value") or {}).get("name") or "")


def _place(entry: Mapping[str, Any]) -> str:
    """Java keeps the order of a connector's keys, but not of its converters'."""
    name = _key_of(entry)
    return name if entry["definition"] is None or (name.startswith(_CONVERTERS) and name.count(".") > 1) else ""
