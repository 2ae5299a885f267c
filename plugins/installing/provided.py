"""What Kafka's runtime has itself and gives to all plugins: it would only lie about in their folders.

Kafka's class loader of plugins takes these packages from the runtime whatever a plugin brings (`PluginUtils` in Kafka).
"""

from __future__ import annotations

import re
from typing import Final

# By Maven's group and artifact. Of Kafka's artifacts only MirrorMaker's are plugins that the runtime lacks.
PROVIDED: Final = (
    *(
        ("org.apache.kafka", artifact)
        for artifact in (
            "connect-api",
            "connect-basic-auth-extension",
            "connect-file",
            "connect-json",
            "connect-runtime",
            "connect-transforms",
            "kafka-clients",
        )
    ),
    *(
        ("org.slf4j", artifact)
        for artifact in ("slf4j-api", "slf4j-log4j12", "slf4j-nop", "slf4j-reload4j", "slf4j-simple")
    ),
    ("ch.qos.logback", "logback-classic"),
    ("org.apache.logging.log4j", "log4j-slf4j-impl"),
    ("org.apache.logging.log4j", "log4j-slf4j2-impl"),
)

_JAR: Final = re.compile("(?:" + "|".join(re.escape(artifact) for _, artifact in PROVIDED) + r")-\d[^/]*\.jar")


def is_provided(file_name: str) -> bool:
    """Whether a jar is one of those, by its name as Maven gives it."""
    return _JAR.fullmatch(file_name) is not None
