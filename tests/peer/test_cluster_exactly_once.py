"""Java's worker and ours in one cluster whose sources deliver exactly once (KIP-618): each takes over what the other wrote."""

from __future__ import annotations

import uuid
from pathlib import Path

from tests.peer.neighbours import JavaMember, Lines, neighbours
from tests.support.cluster import ClusterMember, wait_until
from tests.support.kafka import TestKafka


def test_each_line_comes_once_whoever_leads_and_whoever_dies(kafka: TestKafka, tmp_path: Path) -> None:
    name = f"x-{uuid.uuid4().hex[:8]}"
    sources = [Lines(f"{name}-{letter}", tmp_path) for letter in "ab"]
    settings = {"exactly_once_source_support": "enabled", "session_timeout_ms": "6000"}
    with neighbours(kafka, tmp_path, name, **settings) as it:
        java = it.add(JavaMember)
        java.wait_until_ready()
        ours = it.add(ClusterMember)
        ours.wait_until_ready()
        for source in sources:
            kafka.create_topic(source.name)
            source.append(5000)
            java.ok("PUT", f"/connectors/{source.name}/config", {**source.config(), "exactly.once.support": "required"})
        for source in sources:
            it.wait_until_in("RUNNING", source.name, 1)
        wait_until(lambda: it.is_balanced(*(source.name for source in sources)), f"it is shared; see {it.folder}")
        # Tasks of ours ask Java's leader for a round of fencing.
        for source in sources:
            ours.ok("PUT", f"/connectors/{source.name}/config", {**source.config(), "batch.size": "500"})
            source.append(5000)
        for source in sources:
            wait_until(lambda source=source: kafka.end_offsets(source.name)[0] > 1000, "it writes")
        java.kill()
        for source in sources:
            it.wait_until_in("RUNNING", source.name, 1, [ours])
            source.append(1)
            numbers = [int(line.split()[1]) for line in kafka.lines(source.name, source.count, 90)]
            assert numbers == list(range(source.count))
