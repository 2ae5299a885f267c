"""`python -m bench.demo`: a real text through a real Kafka, from file to file, moved by `connectd standalone`."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.arrival import Arrival, follow
from bench.connect_files import FILE_SINK, FILE_SOURCE, WORKER, derive, read
from bench.measuring import TopicCounter, file_counter
from bench.processes import CONNECTD, Program, RunFailed, descendants, end_on_signals, kill_all, running
from bench.progress import Progress
from bench.text import Text, library_text
from plugins.jars.errors import ArtifactError
from supervisor.embedded import EmbeddedKafka
from supervisor.embedded.errors import EmbeddedKafkaError
from supervisor.embedded.settings import KAFKA_VERSION

LINES = 200_000
_END_TIMEOUT_S = 5.0
_INTERRUPTED = 130


class Steps:
    """Tells what the demo does, what came of it, and how long that took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._name = ""
        self._started_at = 0.0

    def begin(self, name: str, text: str) -> None:
        """The next step."""
        self._name, self._started_at = name, time.monotonic()
        self.now(text)

    def now(self, text: str) -> None:
        """What is going on in this step."""
        self._progress.update(f"  {self._name:<9} {text}")

    def done(self, text: str) -> None:
        """What came of the step."""
        self._progress.line(f"  {self._name:<9} {text:<82} {time.monotonic() - self._started_at:5.1f} s")

    def result(self, name: str, text: str) -> None:
        """A figure, without a time of its own."""
        self._progress.line(f"  {name:<9} {text}")


def demo(steps: Steps) -> None:
    """Run it all. Raises RunFailed or EmbeddedKafkaError. Neither a process nor a file is left, however it ends."""
    with tempfile.TemporaryDirectory(prefix="connectd-demo-") as name:
        folder = Path(name)
        text = _write_text(folder / read(FILE_SOURCE)["file"], steps)
        steps.begin("Kafka", "starting")
        with EmbeddedKafka(progress=steps.now) as kafka:
            steps.done(f"Apache Kafka {KAFKA_VERSION} on {kafka.bootstrap_servers}")
            with _connectd(folder, kafka.bootstrap_servers) as connectd:
                _transfer(connectd, folder, kafka.bootstrap_servers, text, steps)
                processes = descendants(os.getpid())
                steps.begin("stop", "connectd")
                if code := connectd.stop():
                    raise RunFailed(f"connectd ended with exit code {code}:\n{connectd.log_tail()}")
            # Again now that connectd has ended: nothing may be written twice on the way out.
            proof = _compare(text, folder / read(FILE_SINK)["file"])
            steps.now("Kafka")
    _check_ended(processes)
    steps.done(f"connectd and Kafka: {len(processes)} processes have ended, none is left, nor a file")
    steps.result("identical", proof)


def _write_text(path: Path, steps: Steps) -> Text:
    steps.begin("text", "reading Python's standard library")
    text = library_text(LINES)
    path.write_bytes(text.content)
    steps.done(
        f"{text.lines:,} lines ({len(text.content) / 1e6:.1f} MB) of Python's standard library, {text.files} files"
    )
    return text


@contextmanager
def _connectd(folder: Path, bootstrap_servers: str) -> Iterator[Program]:
    """The files of `conf/` as they are, but for the broker: files that they name lie where connectd is started."""
    settings = {"bootstrap.servers": bootstrap_servers, "listeners": "http://127.0.0.1:0"}
    worker = derive(WORKER, folder / WORKER.name, settings)
    command = [CONNECTD, "standalone", str(worker), str(FILE_SOURCE), str(FILE_SINK)]
    with running("connectd", command, folder, folder / "connectd.log") as program:
        yield program


def _transfer(connectd: Program, folder: Path, bootstrap_servers: str, text: Text, steps: Steps) -> None:
    steps.begin("connectd", "starting")
    topic, sink = read(FILE_SOURCE)["topic"], folder / read(FILE_SINK)["file"]
    with TopicCounter(bootstrap_servers, topic) as records:
        to_topic = Arrival("source", text.lines, records)
        to_file = Arrival("sink", len(text.content), file_counter(sink, 1))
        follow(connectd, [to_topic, to_file], steps.now)
    converter = read(WORKER)["value.converter"].rpartition(".")[2]
    startup_s = to_topic.first_at - connectd.started_at
    steps.done(f"standalone with the files in conf/; first record in the topic after {startup_s:.2f} s")
    _report("source", f"file to topic, {converter}", to_topic, text.lines, to_topic.first_amount, steps)
    _report("sink", f"topic to file, {converter}", to_file, text.lines, text.lines_in(to_file.first_amount), steps)


def _report(name: str, what: str, arrival: Arrival, lines: int, before: int, steps: Steps) -> None:
    """`before` is the number of lines that were there at the first sight, and so are not in the speed."""
    speed = (lines - before) / arrival.seconds
    steps.result(name, f"{what}: {lines:,} records in {arrival.seconds:.2f} s, {speed:,.0f} records/s")


def _compare(text: Text, sink: Path) -> str:
    """Raises RunFailed unless the sink holds the text, byte by byte."""
    content = sink.read_bytes()
    found, lines = hashlib.sha256(content).hexdigest(), content.count(b"\n")
    if found != text.sha256:
        raise RunFailed(
            f"the sink is not the source: {lines:,} lines with sha256 {found}, expected {text.lines:,} with {text.sha256}"
        )
    return f"source and sink have {lines:,} lines and sha256 {found}"


def _check_ended(processes: list[psutil.Process]) -> None:
    _, left = psutil.wait_procs(processes, timeout=_END_TIMEOUT_S)
    if left:
        kill_all(left)
        raise RunFailed(f"left running, and killed now: {', '.join(map(str, left))}")


def main() -> int:
    """Returns the exit code."""
    end_on_signals()
    progress = Progress(sys.stdout)
    progress.line(f"connectd demo: {LINES:,} lines from a file through a Kafka topic into a file")
    try:
        demo(Steps(progress))
    except KeyboardInterrupt:
        progress.line("Interrupted: everything that was started has been stopped.")
        return _INTERRUPTED
    except ArtifactError as error:
        progress.line(f"The demo failed: {error}")
        progress.line("The first run needs the network: it downloads Apache Kafka, which later runs find in a cache.")
        return error.exit_code
    except (RunFailed, EmbeddedKafkaError) as error:
        progress.line(f"The demo failed: {error}")
        return error.exit_code if isinstance(error, EmbeddedKafkaError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
