"""What is asked of both workers, written from Kafka's REST resources. `@` stands before names of the worker's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tests.peer.rest_talk import (
    APPLIED,
    CLIENT_KEYS,
    CLIENT_MISTAKE,
    GONE,
    LOGGERS,
    MESSAGES,
    NAMES,
    NO_SECRETS,
    STANDALONE_BUG,
    STRICTER,
    Anew,
    Request,
    Step,
    Until,
    UntilAnswer,
)

SOURCE_CLASS = "connectd.peer.RestPlugins$TroubleSourceConnector"
SINK_CLASS = "connectd.peer.RestPlugins$TroubleSinkConnector"
FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
FILE_SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"


def get(path: str, **more: Any) -> Request:
    return Request("GET", path, **more)


def post(path: str, body: Any = None, **more: Any) -> Request:
    return Request("POST", path, body, **more)


def put(path: str, body: Any = None, **more: Any) -> Request:
    return Request("PUT", path, body, **more)


def patch(path: str, body: Any = None, **more: Any) -> Request:
    return Request("PATCH", path, body, **more)


def delete(path: str, **more: Any) -> Request:
    return Request("DELETE", path, **more)


def source(**config: Any) -> dict[str, Any]:
    """The configuration of a TroubleSource."""
    return {"connector.class": SOURCE_CLASS, "needed": "x", **_dotted(config)}


def sink(**config: Any) -> dict[str, Any]:
    """The configuration of a TroubleSink."""
    return {"connector.class": SINK_CLASS, "needed": "x", **_dotted(config)}


def create(name: str, config: dict[str, Any], **more: Any) -> Request:
    return post("/connectors", {"name": name, "config": config}, **more)


def _dotted(config: dict[str, Any]) -> dict[str, Any]:
    return {key.replace("_", "."): value for key, value in config.items()}


def look(name: str) -> list[Request]:
    """Everything that can be read about a connector."""
    path = f"/connectors/{name}"
    parts = ("", "/config", "/status", "/tasks", "/tasks/0/status", "/tasks/1/status", "/topics")
    return [get(f"{path}{part}") for part in parts]


def worker() -> list[Step]:
    return [
        get("/"),
        get("/health"),
        Request("HEAD", "/"),
        Request("HEAD", "/health"),
        Request("HEAD", "/connectors"),
        get("/connectors"),
        get("/connectors/"),
        get("/connectors?expand=status"),
        get("/connectors?expand=info&expand=status"),
        get("/connectors?expand"),
        get("/", headers={"Accept": "text/html"}),
        get("/health", headers={"Accept": "text/html"}),
        get("/", headers={"Content-Type": "text/plain"}),
    ]


def paths() -> list[Step]:
    unknown = [
        "/nothing",
        "/connectors/@x/nothing",
        "/admin",
        "/connector-plugins/x",
        "/CONNECTORS",
        "/connectors/@x/tasks/0",
    ]
    options = [
        "/",
        "/health",
        "/connectors",
        "/connectors/@x",
        "/connectors/@x/config",
        "/connectors/@x/status",
        "/connectors/@x/restart",
        "/connectors/@x/pause",
        "/connectors/@x/offsets",
        "/connectors/@x/tasks",
        "/connectors/@x/tasks/0/status",
        "/connectors/@x/topics/reset",
        "/connector-plugins",
        "/connector-plugins/x/config",
        "/connector-plugins/x/config/validate",
        "/admin/loggers",
        "/admin/loggers/x",
    ]
    wrong_methods = [
        post("/"),
        delete("/connectors"),
        put("/connectors"),
        patch("/connectors"),
        post("/connectors/@x"),
        post("/connectors/@x/config"),
        delete("/connectors/@x/config"),
        get("/connectors/@x/pause"),
        get("/connectors/@x/restart"),
        post("/connectors/@x/pause"),
        put("/connectors/@x/status"),
        post("/health"),
        post("/connector-plugins"),
        put("/connector-plugins/x/config"),
        delete("/admin/loggers/x"),
        put("/admin/loggers"),
        Request("TRACE", "/connectors"),
        Request("FOO", "/connectors", differs=STRICTER),
    ]
    odd = [
        get("/connectors/@x/"),
        get("/connectors/@x/status/"),
        get("/connectors/@x;a=b"),
        get("/connectors/@x;a=b/status"),
        get("/connectors/@x%20y"),
        get("/connectors/%C3%A4@x"),
        get("/connectors/@x+y"),
        get("/connectors/@x?unknown=1"),
        get("/connectors/@x/tasks/abc/status"),
        get("/connectors/@x/tasks/-1/status"),
        get("/connectors/@x/tasks/+1/status"),
        get("/connectors/@x/tasks/99999999999/status"),
        get("/connectors/@x/tasks/1.0/status"),
        get("/connectors/@x/tasks/%201/status"),
        post("/connectors/@x/tasks/abc/restart"),
    ]
    return [
        *(get(path) for path in unknown),
        *(Request("OPTIONS", path) for path in options),
        *wrong_methods,
        *odd,
        get("/connectors", headers={"Accept": "text/html"}),
        get("/connectors", headers={"Accept": "application/json"}),
        get("/connectors", headers={"Accept": "application/*"}),
        get("/connectors", headers={"Accept": "text/html, */*;q=0.1"}),
        get("/connectors", headers={"Content-Type": "text/plain"}),
        put("/connectors/@x/pause", headers={"Accept": "text/plain"}),
    ]


def nothing_there() -> list[Step]:
    """Requests about a connector that does not exist."""
    bug = STANDALONE_BUG
    return [
        *look("@no"),
        get("/connectors/@no/offsets"),
        put("/connectors/@no/pause"),
        put("/connectors/@no/resume"),
        put("/connectors/@no/stop", differs=bug, differs_in_cluster=None),
        post("/connectors/@no/restart", differs=bug, differs_in_cluster=None),
        post("/connectors/@no/restart?includeTasks=true", differs=bug, differs_in_cluster=None),
        post("/connectors/@no/restart?onlyFailed=true", differs=bug, differs_in_cluster=None),
        post("/connectors/@no/tasks/0/restart", differs=bug, differs_in_cluster=None),
        put("/connectors/@no/topics/reset"),
        delete("/connectors/@no"),
        delete("/connectors/@no/offsets"),
        patch("/connectors/@no/offsets", {"offsets": [{"partition": {"a": 1}, "offset": {"b": 1}}]}),
        patch("/connectors/@no/offsets", {"offsets": []}),
        patch("/connectors/@no/config", {}),
        patch("/connectors/@no/config", {"a": "b"}),
        put("/connectors/@no/fence", differs=CLIENT_MISTAKE, differs_in_cluster=None),
        post("/connectors/@no/tasks", [], differs=CLIENT_MISTAKE, differs_in_cluster=None),
        get("/connectors"),
    ]


def bodies() -> list[Step]:
    """Bodies that are not what they should be, for each operation that takes one."""
    wrong = CLIENT_MISTAKE
    valid = source()
    broken: list[bytes] = [b"", b"nonsense", b"{", b"null", b"[]", b"1", b'"text"', b'{"a": NaN}', b"\xff\xfe\xfd"]
    steps: list[Step] = []
    for method, path in (
        ("POST", "/connectors"),
        ("PUT", "/connectors/@b/config"),
        ("PATCH", "/connectors/@b/config"),
        ("PATCH", "/connectors/@b/offsets"),
        ("PUT", "/connector-plugins/FileStreamSource/config/validate"),
        ("PUT", "/admin/loggers/a.b"),
    ):
        steps += [Request(method, path, body, differs=wrong) for body in broken]
        steps += [
            Request(method, path, valid, {"Content-Type": kind}) for kind in ("text/plain", "", "application/xml")
        ]
    return [
        create("@b", valid),
        *steps,
        create("@b2", {}, differs=NO_SECRETS),
        post("/connectors", {}, differs=wrong),
        post("/connectors", {"name": "@b2"}, differs=wrong),
        post("/connectors", {"config": valid}),
        post("/connectors", {"name": "", "config": valid}),
        post("/connectors", {"name": "  ", "config": valid}),
        post("/connectors", {"name": None, "config": valid}),
        post("/connectors", {"name": {}, "config": valid}, differs=wrong),
        post("/connectors", {"name": "@b2", "config": []}, differs=wrong),
        post("/connectors", {"name": "@b2", "config": "x"}, differs=wrong),
        post("/connectors", {"name": "@b2", "config": valid, "unknown": 1}, differs=wrong),
        post("/connectors", {"name": "@b2", "config": valid, "initial_state": "bogus"}, differs=wrong),
        post("/connectors", {"name": "@b2", "config": valid, "initial_state": ["RUNNING"]}, differs=wrong),
        create("@b2", {**valid, "name": "@other"}),
        create("@b2", {**valid, "topic": {"a": 1}}, differs=wrong),
        create("@b2", {**valid, "topic": ["a"]}, differs=wrong),
        create("@b2", {**valid, "tasks.max": "many", "mode": "round", "needed": None}, differs=STRICTER),
        create("@b2", {**valid, "tasks.max": "many", "mode": "round", "depth": "x", "names": ""}),
        create("@b2", {**valid, "host": "nowhere"}),
        create("@b2", {"connector.class": "NoSuchConnector"}, differs=MESSAGES),
        create("@b2", {"connector.class": ""}, differs=MESSAGES),
        create("@b2", {"connector.class": "StringConverter"}, differs=MESSAGES),
        create("@b", valid),
        put("/connectors/@b/config", {**valid, "name": "@other"}),
        put("/connectors/@b/config", {**valid, "needed": {}}, differs=wrong),
        put("/connectors/@b/config", {}, differs=NO_SECRETS),
        put("/connectors/@b/config", {**valid, "name": "@b", "size": 12345, "ratio": 1.50, "on": True, "names": "a,b"}),
        put(
            "/connectors/@b/config",
            b'{"connector.class": "%s", "needed": 1e3, "x": 12345678901234567890123, "y": 1.10}'
            % SOURCE_CLASS.encode(),
        ),
        put("/connectors/@b/config", {**valid, "needed": "  padded  ", "ä": "ü", "": "empty key"}),
        put(
            "/connectors/@b/config", b'{"connector.class": "%s", "needed": "a", "needed": "b"}' % SOURCE_CLASS.encode()
        ),
        get("/connectors/@b"),
        patch("/connectors/@b/config", {"needed": None}),
        patch("/connectors/@b/config", {"needed": "c", "x": None, "y": "z"}),
        patch("/connectors/@b/config", {"tasks.max": 0}),
        patch("/connectors/@b/config", {}),
        get("/connectors/@b/config"),
        patch("/connectors/@b/offsets", {}),
        patch("/connectors/@b/offsets", {"offsets": None}),
        patch("/connectors/@b/offsets", {"offsets": []}),
        patch("/connectors/@b/offsets", {"offsets": {}}, differs=wrong),
        patch("/connectors/@b/offsets", {"offsets": [1]}, differs=wrong),
        patch("/connectors/@b/offsets", {"offsets": [{"partition": [], "offset": {}}]}, differs=wrong),
        patch("/connectors/@b/offsets", {"offsets": [{"partition": {}, "offset": {}, "more": 1}]}, differs=wrong),
        patch("/connectors/@b/offsets", {"offsets": [{"partition": {}, "offset": {}}], "more": 1}, differs=wrong),
        put("/connectors/@b/pause", b"not json"),
        put("/connectors/@b/resume", b"text", headers={"Content-Type": "text/plain"}),
        post("/connectors/@b/restart", {"some": "body"}),
        put("/connectors/@b/resume"),
        get("/connectors"),
        patch("/connectors/@b/config", {"name": "@other"}, differs=STRICTER),
        delete("/connectors/@b"),
        get("/connectors"),
    ]


def life(name: str, config: dict[str, Any]) -> list[Step]:
    """A connector from its creation to its end, with everything asked in each of its states."""
    path = f"/connectors/{name}"

    def ask() -> Iterator[Step]:
        yield from look(name)
        yield get("/connectors?expand=status&expand=info")
        yield patch(f"{path}/offsets", {"offsets": [{"partition": {"number": "0"}, "offset": {"count": 5}}]})

    def stopped() -> list[Step]:
        return [put(f"{path}/stop"), Until(name, ["STOPPED"])]

    return [
        create(name, config),
        Until(name, ["RUNNING", "RUNNING"]),
        UntilAnswer(f"{path}/topics", "-topic"),
        *ask(),
        delete(f"{path}/offsets"),
        create(name, config),
        put(f"{path}/resume"),
        post(f"{path}/restart"),
        Until(name, ["RUNNING", "RUNNING"]),
        post(f"{path}/restart?includeTasks=true"),
        Until(name, ["RUNNING", "RUNNING"]),
        post(f"{path}/restart?includeTasks=true&onlyFailed=true"),
        post(f"{path}/restart?onlyFailed=true"),
        post(f"{path}/restart?includeTasks=TRUE&onlyFailed=bogus"),
        Until(name, ["RUNNING", "RUNNING"]),
        post(f"{path}/restart?includeTasks=bogus"),
        Until(name, ["RUNNING", "RUNNING"]),
        post(f"{path}/tasks/0/restart"),
        Until(name, ["RUNNING", "RUNNING"]),
        put(f"{path}/pause"),
        Until(name, ["PAUSED", "PAUSED"]),
        *ask(),
        delete(f"{path}/offsets"),
        put(f"{path}/pause"),
        post(f"{path}/restart"),
        Until(name, ["PAUSED", "PAUSED"]),
        post(f"{path}/restart?includeTasks=true"),
        Until(name, ["PAUSED", "PAUSED"]),
        post(f"{path}/tasks/0/restart"),
        Until(name, ["PAUSED", "PAUSED"]),
        put(f"{path}/config", {**config, "tasks.max": "3", "tasks": "2"}),
        get(path),
        put(f"{path}/resume"),
        Until(name, ["RUNNING", "RUNNING", "RUNNING"]),
        *look(name),
        *stopped(),
        *look(name),
        get("/connectors?expand=status&expand=info"),
        put(f"{path}/stop"),
        post(f"{path}/restart"),
        Until(name, ["STOPPED"]),
        post(f"{path}/restart?includeTasks=true"),
        Until(name, ["STOPPED"]),
        post(f"{path}/restart?includeTasks=true&onlyFailed=true"),
        put(f"{path}/config", config),
        get(path),
        put(f"{path}/pause"),
        Until(name, ["PAUSED"]),
        *look(name),
        put(f"{path}/resume"),
        Until(name, ["RUNNING", "RUNNING"]),
        put(f"{path}/topics/reset"),
        *stopped(),
        put(f"{path}/resume"),
        Until(name, ["RUNNING", "RUNNING"]),
        delete(path),
        *(replace(request, may_differ_in_cluster=GONE) for request in look(name)[:6]),
        delete(path),
        create(name, config),
        Until(name, ["RUNNING", "RUNNING"]),
        delete(path),
        get("/connectors"),
    ]


def initial_states() -> list[Step]:
    steps: list[Step] = []
    for state, states in (
        ("RUNNING", ["RUNNING", "RUNNING"]),
        ("PAUSED", ["PAUSED"]),
        ("STOPPED", ["STOPPED"]),
        ("paused", ["PAUSED"]),
    ):
        name = f"@i-{state}"
        steps += [
            post("/connectors", {"name": name, "config": source(), "initial_state": state}),
            Until(name, states),
            *look(name)[:4],
            put(f"/connectors/{name}/config", source(tasks_max="2", tasks="2")),
            get(f"/connectors/{name}"),
            put(f"/connectors/{name}/resume"),
            Until(name, ["RUNNING", "RUNNING", "RUNNING"]),
            delete(f"/connectors/{name}"),
        ]
    return [
        *steps,
        post("/connectors", {"name": "@i-null", "config": source(), "initial_state": None}),
        Until("@i-null", ["RUNNING", "RUNNING"]),
        put("/connectors/@i-new/config", source()),
        Until("@i-new", ["RUNNING", "RUNNING"]),
        put("/connectors/@i-new/config", source()),
        put("/connectors/@i-null/stop"),
        Until("@i-null", ["STOPPED"]),
        post("/connectors/@i-null/tasks/0/restart", differs_in_cluster=MESSAGES),
        delete("/connectors/@i-null"),
        delete("/connectors/@i-new"),
    ]


def failures() -> list[Step]:
    """Connectors and tasks that fail."""
    one, two, three = "/connectors/@f1", "/connectors/@f2", "/connectors/@f3"
    return [
        create("@f1", source(fail="start"), differs=APPLIED, differs_in_cluster=None),
        Until("@f1", ["FAILED"]),
        *look("@f1"),
        get("/connectors?expand=status"),
        Anew(post(f"{one}/restart", differs=APPLIED), Until("@f1", ["FAILED"])),
        Anew(post(f"{one}/restart?onlyFailed=true"), Until("@f1", ["FAILED"])),
        Anew(post(f"{one}/restart?includeTasks=true"), Until("@f1", ["FAILED"])),
        put(f"{one}/pause"),
        Until("@f1", ["FAILED"]),
        put(f"{one}/resume"),
        Until("@f1", ["FAILED"]),
        put(f"{one}/config", source()),
        Until("@f1", ["RUNNING", "RUNNING"]),
        *look("@f1"),
        put(f"{one}/config", source(fail="start"), differs=APPLIED, differs_in_cluster=None),
        Until("@f1", ["FAILED", "RUNNING"]),
        *look("@f1"),
        put(f"{one}/stop"),
        Until("@f1", ["STOPPED"]),
        get(f"{one}/status"),
        put(f"{one}/resume"),
        Until("@f1", ["FAILED"]),
        delete(one),
        create("@f2", source(fail="task")),
        Until("@f2", ["RUNNING", "FAILED"]),
        *look("@f2"),
        post(f"{two}/restart?onlyFailed=true"),
        post(f"{two}/restart?includeTasks=true&onlyFailed=true"),
        Until("@f2", ["RUNNING", "FAILED"]),
        post(f"{two}/tasks/0/restart"),
        delete(two),
        # Another one, for nobody sees when a restart that fails again is over.
        create("@f7", source(fail="task")),
        Until("@f7", ["RUNNING", "FAILED"]),
        put("/connectors/@f7/pause"),
        Until("@f7", ["PAUSED", "FAILED"]),
        get("/connectors/@f7/status"),
        put("/connectors/@f7/resume"),
        Until("@f7", ["RUNNING", "FAILED"]),
        put("/connectors/@f7/stop"),
        Until("@f7", ["STOPPED"]),
        get("/connectors/@f7/status"),
        delete("/connectors/@f7"),
        create("@f3", source(fail="one task", tasks="2", tasks_max="2")),
        Until("@f3", ["RUNNING", "RUNNING", "FAILED"]),
        *look("@f3"),
        post(f"{three}/restart?includeTasks=true&onlyFailed=true", differs=None),
        Until("@f3", ["RUNNING", "RUNNING", "FAILED"]),
        post(f"{three}/tasks/1/restart"),
        Until("@f3", ["RUNNING", "RUNNING", "FAILED"]),
        post(f"{three}/tasks/7/restart"),
        delete(three),
        create("@f4", source(fail="validate"), differs=CLIENT_MISTAKE),
        create("@f5", source(tasks="0")),
        Until("@f5", ["RUNNING"]),
        *look("@f5")[:4],
        delete("/connectors/@f5"),
        create("@f6", source(fail="poll")),
        Until("@f6", ["RUNNING", "FAILED"]),
        get("/connectors/@f6/status"),
        delete("/connectors/@f6"),
        get("/connectors"),
    ]


def offset(partition: Any, offset: Any) -> dict[str, Any]:
    return {"offsets": [{"partition": partition, "offset": offset}]}


def source_offsets() -> list[Step]:
    path = "/connectors/@so"
    config = source(topic="@so-topic")
    wrong = CLIENT_MISTAKE
    return [
        create("@so", config),
        Until("@so", ["RUNNING", "RUNNING"]),
        UntilAnswer(f"{path}/offsets", "count"),
        get(f"{path}/offsets"),
        get(f"{path}/topics"),
        put(f"{path}/stop"),
        Until("@so", ["STOPPED"]),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset({"number": "0"}, {"count": 7})),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset({"number": "1"}, {"count": 1.5, "text": "x", "flag": True, "none": None})),
        get(f"{path}/offsets"),
        patch(
            f"{path}/offsets",
            {
                "offsets": [
                    {"partition": {"b": 1, "a": 2}, "offset": {"n": 1}},
                    {"partition": {"a": 2, "b": 1}, "offset": {"n": 2}},
                ]
            },
        ),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset({"a": 2, "b": 1}, None)),
        patch(f"{path}/offsets", offset({"never": "there"}, None)),
        patch(f"{path}/offsets", offset({}, {"n": 1})),
        patch(f"{path}/offsets", offset({"number": "1"}, {})),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset({"number": {"a": 1}}, {"n": 1}), differs=wrong),
        patch(f"{path}/offsets", offset({"number": "1"}, {"n": [1]}), differs=wrong),
        delete(f"{path}/offsets"),
        get(f"{path}/offsets"),
        delete(f"{path}/offsets"),
        put(f"{path}/config", {**config, "alter": "ignore"}),
        patch(f"{path}/offsets", offset({"number": "0"}, {"count": 7})),
        delete(f"{path}/offsets"),
        put(f"{path}/config", {**config, "alter": "refuse"}),
        patch(f"{path}/offsets", offset({"number": "0"}, {"count": 7}), differs=wrong),
        delete(f"{path}/offsets", differs=wrong),
        put(f"{path}/config", {**config, "alter": "unsupported"}),
        patch(f"{path}/offsets", offset({"number": "0"}, {"count": 7}), differs=wrong),
        get(f"{path}/offsets"),
        delete(path),
        *file_offsets(),
    ]


def file_offsets() -> list[Step]:
    path = "/connectors/@fo"
    config = {"connector.class": "FileStreamSource", "topic": "@fo-topic", "file": "/etc/hostname"}
    wrong = CLIENT_MISTAKE
    refused: Sequence[tuple[Any, Any]] = (
        ({"filename": "x"}, {"position": "1"}),
        ({"filename": "x"}, {"position": -1}),
        ({"filename": "x"}, {"position": 1.5}),
        ({"filename": "x"}, {"pos": 1}),
        ({"file": "x"}, {"position": 1}),
        (None, {"position": 1}),
    )
    return [
        create("@fo", config),
        Until("@fo", ["RUNNING", "RUNNING"]),
        UntilAnswer(f"{path}/offsets", "position"),
        *look("@fo"),
        get(f"{path}/offsets"),
        put(f"{path}/stop"),
        Until("@fo", ["STOPPED"]),
        patch(f"{path}/offsets", offset({"filename": "x"}, {"position": 1})),
        patch(f"{path}/offsets", offset({"filename": "x", "more": "y"}, {"position": 3, "also": True})),
        get(f"{path}/offsets"),
        *(patch(f"{path}/offsets", offset(partition, value), differs=wrong) for partition, value in refused),
        patch(f"{path}/offsets", {"offsets": [{}]}),
        patch(f"{path}/offsets", offset(None, None)),
        get(f"{path}/offsets"),
        delete(f"{path}/offsets"),
        get(f"{path}/offsets"),
        delete(path),
    ]


def sink_offsets() -> list[Step]:
    path = "/connectors/@si"
    config = sink(topics="@so-topic", tasks_max="1")
    partition = {"kafka_topic": "@so-topic", "kafka_partition": 0}
    wrong = CLIENT_MISTAKE
    return [
        create("@si", config),
        Until("@si", ["RUNNING", "RUNNING"]),
        UntilAnswer(f"{path}/offsets", "kafka_offset"),
        get(f"{path}/offsets"),
        UntilAnswer(f"{path}/topics", "so-topic"),
        *look("@si"),
        patch(f"{path}/offsets", offset(partition, {"kafka_offset": 0})),
        put(f"{path}/stop"),
        Until("@si", ["STOPPED"]),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset(partition, {"kafka_offset": 0})),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset({"kafka_topic": "@so-topic", "kafka_partition": "0"}, {"kafka_offset": "1"})),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset(partition, {"kafka_offset": 100000})),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset(None, {"kafka_offset": 0})),
        patch(f"{path}/offsets", offset({}, {"kafka_offset": 0})),
        patch(f"{path}/offsets", offset({"kafka_topic": "@so-topic"}, {"kafka_offset": 0})),
        patch(f"{path}/offsets", offset({"kafka_topic": None, "kafka_partition": 0}, {"kafka_offset": 0})),
        patch(f"{path}/offsets", offset({"kafka_topic": "x", "kafka_partition": None}, {"kafka_offset": 0})),
        patch(f"{path}/offsets", offset({"kafka_topic": "x", "kafka_partition": "many"}, {"kafka_offset": 0})),
        patch(f"{path}/offsets", offset({"kafka_topic": "x", "kafka_partition": 1.5}, {"kafka_offset": 0})),
        patch(f"{path}/offsets", offset(partition, {})),
        patch(f"{path}/offsets", offset(partition, {"kafka_offset": "many"})),
        patch(f"{path}/offsets", offset(partition, {"kafka_offset": None})),
        patch(
            f"{path}/offsets",
            offset({"kafka_topic": "@no-topic", "kafka_partition": 9}, {"kafka_offset": 0}),
            differs=wrong,
        ),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset(partition, None)),
        get(f"{path}/offsets"),
        patch(f"{path}/offsets", offset(partition, {"kafka_offset": 1})),
        delete(f"{path}/offsets"),
        get(f"{path}/offsets"),
        delete(f"{path}/offsets"),
        put(f"{path}/config", {**config, "alter": "ignore"}),
        patch(f"{path}/offsets", offset(partition, {"kafka_offset": 0})),
        delete(f"{path}/offsets"),
        put(f"{path}/config", {**config, "alter": "refuse"}),
        patch(f"{path}/offsets", offset(partition, {"kafka_offset": 0}), differs=wrong),
        delete(f"{path}/offsets", differs=wrong),
        put(f"{path}/resume"),
        Until("@si", ["RUNNING", "RUNNING"]),
        delete(path),
        get(f"{path}/offsets"),
    ]


def plugins() -> list[Step]:
    return [
        get("/connector-plugins"),
        get("/connector-plugins?connectorsOnly=true"),
        get("/connector-plugins?connectorsOnly=false"),
        get("/connector-plugins?connectorsOnly=bogus"),
        get(f"/connector-plugins/{SOURCE_CLASS}/config"),
        get(f"/connector-plugins/{SINK_CLASS}/config"),
        get("/connector-plugins/FileStreamSource/config"),
        get(f"/connector-plugins/{FILE_SINK}/config"),
        get("/connector-plugins/StringConverter/config"),
        get("/connector-plugins/org.apache.kafka.connect.json.JsonConverter/config"),
        get("/connector-plugins/SimpleHeaderConverter/config"),
        get("/connector-plugins/LongConverter/config"),
        get("/connector-plugins/NoSuchPlugin/config"),
        get("/connector-plugins/java.lang.String/config", differs=STRICTER),
        get(f"/connector-plugins/{SOURCE_CLASS}/config?version=1.2.3"),
        get(f"/connector-plugins/{SOURCE_CLASS}/config?version=latest"),
        get(f"/connector-plugins/{SOURCE_CLASS}/config?version=9.9", differs=MESSAGES),
    ]


def loggers() -> list[Step]:
    path = "/admin/loggers/peer.a"
    return [
        get("/admin/loggers", differs=LOGGERS),
        get("/admin/loggers/root", differs=LOGGERS),
        get("/admin/loggers/no.such.logger"),
        put(path, {"level": "DEBUG"}),
        get(path),
        put(path, {"level": "DEBUG"}),
        put(path, {"level": "warn"}),
        get(path),
        put("/admin/loggers/peer.a.b", {"level": "ERROR"}),
        put(path, {"level": "TRACE"}),
        get("/admin/loggers/peer.a.b"),
        put(path, {"level": "FATAL"}),
        put(path, {"level": "OFF"}),
        get(path),
        put(path, {"level": "ALL"}),
        get(path),
        put(path, {"level": "bogus"}),
        put(path, {"level": 5}),
        put(path, {"level": None}),
        put(path, {"level": ""}, differs=CLIENT_MISTAKE),
        put(path, {"level": {}}, differs=CLIENT_MISTAKE),
        put(path, {}),
        put(path, {"lvl": "INFO"}),
        put(path, {"level": "INFO", "more": "x"}),
        put(f"{path}?scope=worker", {"level": "DEBUG"}),
        put(f"{path}?scope=cluster", {"level": "INFO"}),
        get(path),
        put(f"{path}?scope=CLUSTER", {"level": "DEBUG"}),
        put(f"{path}?scope=bogus", {"level": "ERROR"}),
        put(f"{path}?scope=", {"level": "INFO"}),
        put(f"{path}?scope=cluster", {"level": "bogus"}),
    ]


def validations() -> list[Step]:
    def validate(plugin: str, config: dict[str, Any], **more: Any) -> Request:
        return put(f"/connector-plugins/{plugin}/config/validate", config, **more)

    valid = {"name": "@v", **source()}
    valid_sink = {"name": "@v", **sink(topics="a,b")}
    file_source = {"name": "@v", "connector.class": "FileStreamSource", "topic": "t"}
    json_converter = "org.apache.kafka.connect.json.JsonConverter"
    wrong_everywhere = {
        "tasks.max": "0",
        "mode": "round",
        "depth": "x",
        "ratio": "y",
        "size": "1.5",
        "small": "99999",
        "on": "perhaps",
        "host": "",
        "errors.tolerance": "some",
        "errors.retry.timeout": "soon",
        "config.action.reload": "explode",
        "transforms": "a,a",
        "exactly.once.support": "maybe",
        "transaction.boundary": "never",
        "transaction.boundary.interval.ms": "-1",
        "offsets.storage.topic": " ",
    }
    transformed = {
        "transforms": "a,b",
        "transforms.a.type": "org.apache.kafka.connect.transforms.InsertField$Value",
        "transforms.a.predicate": "p",
        "transforms.a.negate": "true",
        "transforms.b.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "predicates": "p",
        "predicates.p.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        "predicates.p.pattern": "a.*",
    }
    return [
        validate(SOURCE_CLASS, valid),
        validate("RestPlugins$TroubleSource", valid),
        validate(SINK_CLASS, valid_sink),
        validate("FileStreamSource", file_source),
        validate(FILE_SOURCE, file_source),
        validate("FileStreamSink", {"name": "@v", "connector.class": FILE_SINK, "topics": "t", "file": "f"}),
        validate("Source", file_source),
        validate("FileStreamSink", file_source),
        validate(SOURCE_CLASS, {}, differs=CLIENT_MISTAKE),
        validate(SOURCE_CLASS, {"name": "@v"}, differs=CLIENT_MISTAKE),
        validate("NoSuch", {"connector.class": "NoSuch"}, differs=CLIENT_MISTAKE),
        validate(SOURCE_CLASS, {"connector.class": SOURCE_CLASS}),
        validate(SOURCE_CLASS, {**valid, **wrong_everywhere}),
        validate(SOURCE_CLASS, {**valid, "mode": "deep", "secret": "s3cret", "names": "p, q,r", "unknown": "key"}),
        validate(SOURCE_CLASS, {**valid, "host": "nowhere"}),
        validate(SOURCE_CLASS, {**valid, "name": ""}),
        validate(SOURCE_CLASS, {**valid, "name": "a\nb"}),
        validate(SOURCE_CLASS, {**valid, "fail": "validate"}, differs=CLIENT_MISTAKE),
        validate(SOURCE_CLASS, {**valid, "unknown": None}),
        validate(SOURCE_CLASS, {**valid, "tasks.max": None}),
        validate(SINK_CLASS, {**valid_sink, "topics.regex": "x.*"}),
        validate(SINK_CLASS, {"name": "@v", **sink()}),
        validate(SINK_CLASS, {**valid_sink, "topics": "", "topics.regex": "["}, differs=MESSAGES),
        validate(SINK_CLASS, {**valid_sink, "topics": "a,a"}),
        validate(SINK_CLASS, {**valid_sink, "errors.deadletterqueue.topic.name": "a"}, differs=MESSAGES),
        validate(SINK_CLASS, {**valid_sink, "errors.deadletterqueue.topic.name": "dlq"}),
        validate(SINK_CLASS, {**valid_sink, "errors.deadletterqueue.topic.replication.factor": "x"}),
        validate(SOURCE_CLASS, {**valid, "value.converter": json_converter}),
        validate(SOURCE_CLASS, {**valid, "value.converter": json_converter, "value.converter.schemas.enable": "false"}),
        validate(
            SOURCE_CLASS, {**valid, "value.converter": json_converter, "value.converter.schemas.enable": "perhaps"}
        ),
        validate(
            SOURCE_CLASS, {**valid, "key.converter": "LongConverter", "header.converter": "SimpleHeaderConverter"}
        ),
        validate(SOURCE_CLASS, {**valid, "key.converter": "NoSuchConverter"}, differs=MESSAGES),
        validate(SOURCE_CLASS, {**valid, "key.converter": FILE_SOURCE}, differs=MESSAGES),
        validate(SOURCE_CLASS, {**valid, "transforms": "a"}),
        validate(
            SOURCE_CLASS, {**valid, "transforms": "a", "transforms.a.type": "NoSuchTransformation"}, differs=MESSAGES
        ),
        validate(SOURCE_CLASS, {**valid, "predicates": "p"}),
        validate(SOURCE_CLASS, {**valid, **transformed}),
        validate(
            SOURCE_CLASS, {**valid, **transformed, "transforms.a.timestamp.field": "t", "transforms.b.spec": "x:int32"}
        ),
        validate(SOURCE_CLASS, {**valid, **transformed, "transforms.b.spec": "x:bogus"}, differs=MESSAGES),
        validate(SOURCE_CLASS, {**valid, **transformed, "predicates.p.pattern": "["}, differs=MESSAGES),
        validate(SOURCE_CLASS, {**valid, **transformed, "transforms.a.negate": "perhaps"}),
        validate(SOURCE_CLASS, {**valid, "producer.override.acks": "1"}, differs=CLIENT_KEYS),
        validate(SOURCE_CLASS, {**valid, "producer.override.linger.ms": "x"}, differs=CLIENT_KEYS),
        validate(SOURCE_CLASS, {**valid, "consumer.override.max.poll.records": "x"}),
        validate(SINK_CLASS, {**valid_sink, "consumer.override.max.poll.records": "10"}, differs=CLIENT_KEYS),
        validate(SOURCE_CLASS, {**valid, "topic.creation.default.partitions": "3"}, differs=STRICTER),
        validate(
            SOURCE_CLASS,
            {**valid, "topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "1"},
            differs=STRICTER,
        ),
        validate(SOURCE_CLASS, {**valid, "connector.plugin.version": "1.2.3"}),
    ]


def client_overrides() -> list[Step]:
    """Keys of clients that connectors may have, or may not: the worker's policy says."""
    jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required username=a password=b;"
    steps: list[Step] = []
    for number, override in enumerate(
        (
            {"producer.override.acks": "1"},
            {"producer.override.linger.ms": "5", "admin.override.retries": "3"},
            {"producer.override.security.protocol": "PLAINTEXT"},
            {"producer.override.sasl.mechanism": "PLAIN", "producer.override.sasl.jaas.config": jaas},
            {"consumer.override.max.poll.records": "5"},
        )
    ):
        steps += [
            create(f"@co{number}", source(**override)),
            put(f"/connectors/@co{number}/config", source(**override)),
            get(f"/connectors/@co{number}/config"),
            delete(f"/connectors/@co{number}"),
        ]
    return steps


def names() -> list[Step]:
    """Names that are easy to get wrong, with the paths that they have."""
    steps: list[Step] = []
    for name, path in (
        ("@a b", "@a%20b"),
        ("@ä-ö", "@%C3%A4-%C3%B6"),
        ("@q?x=1", "@q%3Fx%3D1"),
        ("@h#f", "@h%23f"),
        ("@c:d,e;f", "@c:d,e%3Bf"),
        ("@+&=!*'()", "@+&=!*'()"),
    ):
        steps += [
            create(name, source()),
            Until(path, ["RUNNING", "RUNNING"]),
            get(f"/connectors/{path}"),
            get(f"/connectors/{path}/status"),
            delete(f"/connectors/{path}"),
        ]
    return [
        *steps,
        create(" @trimmed ", source()),
        get("/connectors/@trimmed/config"),
        delete("/connectors/@trimmed"),
        create("@new\nline", source()),
        create("@null\u0000", source()),
        get("/connectors"),
        # Java creates these too, and then has no path for them.
        create("@{x}", source(), differs=NAMES),
        get("/connectors/@%7Bx%7D"),
        create("@p%41", source(), differs=NAMES),
        get("/connectors/@p%2541", differs=NAMES),
        create("@a/b", source(), differs=NAMES),
        get("/connectors/@a%2Fb", differs=NAMES),
        get("/connectors/@%zz", differs=NAMES),
        get("/connectors//@x", differs=NAMES),
    ]


CONVERSATIONS = {
    "the worker": worker(),
    "paths": paths(),
    "nothing there": nothing_there(),
    "bodies": bodies(),
    "life of a source": life("@l", source(topic="@l-topic")),
    "life of a sink": life("@ls", sink(topics="@l-topic")),
    "initial states": initial_states(),
    "failures": failures(),
    "source offsets": source_offsets(),
    "sink offsets": sink_offsets(),
    "plugins": plugins(),
    "loggers": loggers(),
    "validations": validations(),
    "names": names(),
}
