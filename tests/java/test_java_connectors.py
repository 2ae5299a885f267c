"""Connectors written in Java, unmodified: each task in a virtual machine of its own, supervised as one in Python is."""

from __future__ import annotations

from tests.java.worker import TIMEOUT_S, JavaWorker
from tests.support.kafka import TestKafka
from tests.support.processes import alive, wait_until

FILE = "org.apache.kafka.connect.file.FileStream"


def counted(kafka: TestKafka, topic: str, count: int) -> list[int]:
    """What the first records of a ticker say."""
    return [int(line.split()[0]) for line in kafka.lines(topic, count, TIMEOUT_S)]


def test_source_and_sink_with_kafkas_own_classes(worker: JavaWorker, kafka: TestKafka, topic: str) -> None:
    source, target = worker.folder / "in.txt", worker.folder / "out.txt"
    source.write_text("".join(f"{number}\n" for number in range(1000)))
    common = {"plugin_runtime": "java"}
    worker.create("java-source", connector_class=f"{FILE}SourceConnector", file=str(source), topic=topic, **common)
    worker.create("java-sink", connector_class=f"{FILE}SinkConnector", file=str(target), topics=topic, **common)
    wait_until(lambda: target.exists() and target.read_text() == source.read_text(), "all lines came", TIMEOUT_S)
    assert worker.request("GET", "/connectors/java-source/topics")["java-source"]["topics"] == [topic]

    def position() -> object:
        offsets = worker.request("GET", "/connectors/java-source/offsets")["offsets"]
        return offsets and offsets[0]["offset"]["position"]

    wait_until(lambda: position() == source.stat().st_size, "the offset is stored", TIMEOUT_S)

    machine = worker.machine("java-source-0")
    assert machine is not None
    machine.kill()
    with source.open("a") as file:
        file.write("after the kill\n")
    wait_until(lambda: target.read_text() == source.read_text(), "it goes on where it was", TIMEOUT_S)

    def metrics() -> list[str]:
        return [line for line in worker.metrics().splitlines() if 'connector="java-s' in line]

    written = 'kafka_connect_source_task_source_record_write_total{connector="java-source",task="0"} 1001.0'
    sent = 'kafka_connect_sink_task_sink_record_send_total{connector="java-sink",task="0"} 1001.0'
    wait_until(lambda: {written, sent} <= set(metrics()), "both are counted, over both processes", TIMEOUT_S)
    for name in ("java-source", "java-sink"):
        worker.request("DELETE", f"/connectors/{name}")
    wait_until(lambda: worker.machine("java-sink-0") is None, "its virtual machine has ended", TIMEOUT_S)


def test_what_rest_says_of_a_connector_in_a_jar_without_manifest(worker: JavaWorker) -> None:
    plugins = worker.request("GET", "/connector-plugins")
    assert {"class": "tests.Ticker", "type": "source", "version": "7.0"} in plugins
    keys = {each["name"]: each for each in worker.request("GET", "/connector-plugins/Ticker/config")}
    assert keys["orders"]["documentation"] == "The file." and keys["secret"]["type"] == "PASSWORD"
    asked = worker.machine("tests.Ticker", "asked about")
    assert asked is not None

    config = {"connector.class": "Ticker", "name": "t", "topic": "t", "tasks.max": "no", "java.options": "'open"}
    answer = worker.request("PUT", "/connector-plugins/Ticker/config/validate", config)
    errors = {each["value"]["name"]: each["value"]["errors"] for each in answer["configs"] if each["value"]["errors"]}
    assert errors.keys() == {"orders", "tasks.max", "java.options"}
    assert answer["error_count"] == sum(map(len, errors.values()))
    refused = worker.request("POST", "/connectors", {"name": "t", "config": config})
    assert refused["error_code"] == 400 and "orders" in refused["message"]
    # One virtual machine has answered all of it, and has stayed.
    assert worker.machine("tests.Ticker", "asked about") == asked


def test_out_of_memory_takes_nothing_with_it(worker: JavaWorker, kafka: TestKafka, topic: str) -> None:
    source = worker.folder / "python.txt"
    source.write_text("python\n")
    worker.create("python", connector_class=f"{FILE}SourceConnector", file=str(source), topic=f"{topic}-python")
    worker.ticker("other", f"{topic}-other")
    # The heap fits into it: it is full before the process is killed.
    worker.ticker("greedy", topic, task_memory_max=str(224 << 20))
    others = worker.process.pids()["python-0"], worker.machine("other-0")

    worker.order("greedy", "hoard")
    wait_until(lambda: worker.said("OutOfMemoryError", connector="greedy"), "it is out of memory", TIMEOUT_S)
    wait_until(
        lambda: worker.said("exit code 71 (OUT_OF_MEMORY)", connector="greedy"), "that is why it ended", TIMEOUT_S
    )
    worker.wait_for_task("greedy", "RUNNING")
    before = sum(kafka.end_offsets(topic).values())
    assert len(counted(kafka, topic, before + 10)) == before + 10

    assert (worker.process.pids()["python-0"], worker.machine("other-0")) == others
    assert alive(others[0])
    for name in ("python", "other", "greedy"):
        worker.request("DELETE", f"/connectors/{name}")


def test_failures_show_the_trace_of_java(worker: JavaWorker, topic: str) -> None:
    worker.ticker("failing", topic, task_restart_policy="never")
    worker.order("failing", "fail")
    worker.wait_for_task("failing", "FAILED")
    trace = worker.task("failing")["trace"]
    assert "java.lang.IllegalStateException: told to fail" in trace and "at tests.Ticker$TickerTask.poll" in trace
    worker.request("POST", "/connectors/failing/tasks/0/restart")
    worker.wait_for_task("failing", "RUNNING")
    worker.request("DELETE", "/connectors/failing")


def test_secrets_and_levels_of_loggers(worker: JavaWorker, kafka: TestKafka, topic: str) -> None:
    secrets = worker.folder / "secrets.properties"
    secrets.write_text("word=correct-horse-battery\n")
    reference = f"${{file:{secrets}:word}}"
    worker.ticker("secretive", topic, secret=reference)
    assert kafka.lines(topic, 1, TIMEOUT_S) == ["1 21"]  # it knows the secret, which has so many letters
    here = {"connector": "secretive", "task": 0}
    wait_until(
        lambda: worker.said(f"begins at 0 with {reference}", logger="tests.Ticker", level="warning", **here),
        "it is logged",
    )
    wait_until(lambda: worker.said(f"printed with {reference}", **here), "it is printed", TIMEOUT_S)
    machine = worker.machine("secretive-0")
    assert machine is not None
    assert "correct-horse" not in " ".join(machine.cmdline()) + str(machine.environ())
    assert "correct-horse" not in worker.process.log.read_text()
    (task,) = worker.request("GET", "/connectors/secretive/tasks")
    assert task["config"]["secret"] == reference

    assert not worker.said("counting", **here)
    worker.request("PUT", "/admin/loggers/tests.Ticker", {"level": "DEBUG"})
    wait_until(lambda: worker.said("counting", level="debug", logger="tests.Ticker", **here), "it says more", TIMEOUT_S)
    worker.request("PUT", "/admin/loggers/tests.Ticker", {"level": "INFO"})
    worker.request("DELETE", "/connectors/secretive")


def test_pause_stop_and_other_offsets(worker: JavaWorker, kafka: TestKafka, topic: str) -> None:
    worker.ticker("steered", topic)
    machine = worker.machine("steered-0")
    worker.request("PUT", "/connectors/steered/pause")
    worker.wait_for_task("steered", "PAUSED")
    worker.request("PUT", "/connectors/steered/resume")
    worker.wait_for_task("steered", "RUNNING")
    assert worker.machine("steered-0") == machine

    worker.request("PUT", "/connectors/steered/stop")
    wait_until(lambda: worker.machine("steered-0") is None, "its virtual machine has ended", TIMEOUT_S)
    # It has committed what was sent.
    (stored,) = worker.request("GET", "/connectors/steered/offsets")["offsets"]
    assert stored["offset"]["count"] == sum(kafka.end_offsets(topic).values())
    wanted = [{"partition": {"ticker": "one"}, "offset": {"count": 100_000}}]
    answer = worker.request("PATCH", "/connectors/steered/offsets", {"offsets": wanted})
    assert answer == {"message": "The offsets for this connector have been altered successfully"}
    assert worker.request("GET", "/connectors/steered/offsets") == {"offsets": wanted}
    before = sum(kafka.end_offsets(topic).values())
    worker.request("PUT", "/connectors/steered/resume")
    worker.wait_for_task("steered", "RUNNING")
    assert counted(kafka, topic, before + 1)[-1] == 100_001

    worker.request("PUT", "/connectors/steered/stop")
    wait_until(lambda: worker.machine("steered-0") is None, "its virtual machine has ended", TIMEOUT_S)
    assert "reset successfully" in worker.request("DELETE", "/connectors/steered/offsets")["message"]
    assert worker.request("GET", "/connectors/steered/offsets") == {"offsets": []}
    worker.request("DELETE", "/connectors/steered")
