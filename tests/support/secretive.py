"""A source that tells everybody its password, as carelessly as a connector can: in logs, output, errors and task settings."""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectd.config import ConfigDef, NonEmptyString, Type
from connectd.connectors import SourceConnector
from connectd.errors import ConfigException
from connectd.providers import ConfigData
from connectd.records import SourceRecord
from connectd.tasks import SourceTask
from plugins.providers.file import FileConfigProvider

logger = logging.getLogger(__name__)

CONNECTOR = f"{__name__}:SecretiveSource"
SHORT_LIVED = f"{__name__}:ShortLivedFileProvider"


def digest(*secrets: str) -> str:
    """What the task sends to its topic: proof that it knows the secrets."""
    return hashlib.sha256("|".join(secrets).encode()).hexdigest()


class SecretiveSource(SourceConnector):
    """`password` is declared as text, so that nothing but the framework hides it; `fail.when` is a file."""

    def config(self) -> ConfigDef:
        return (
            ConfigDef()
            .define("password", Type.STRING, validator=NonEmptyString(), doc="A secret.")
            .define("topic", Type.STRING, doc="Where to tell it.")
            .define("fail.when", Type.STRING, "", doc="Fail as soon as this file exists.")
        )

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)
        logger.warning("the connector knows %s", props["password"])

    def task_class(self) -> type[SourceTask]:
        return SecretiveTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        url = f"jdbc:db://ann:{self._props['password']}@host/db"
        return [{**self._props, "url": url, "number": str(number)} for number in range(max_tasks)]

    def validate(self, configs: Mapping[str, str]) -> Any:
        if "refused" in configs["password"]:
            raise ConfigException("password", configs["password"], "It does not open anything")
        return super().validate(configs)


class SecretiveTask(SourceTask):
    """Sends one record: a digest of its secrets."""

    def start(self, props: Mapping[str, str]) -> None:
        self._props = props
        self._sent = False
        logger.warning("the task knows %s", props["password"], extra={"props": props})
        print("printed:", props["url"], file=sys.stderr)

    def poll(self) -> Sequence[SourceRecord] | None:
        password = self._props["password"]
        if self._props["fail.when"] and Path(self._props["fail.when"]).exists():
            raise ValueError(f"login failed for {self._props['url']}")
        if self._sent:
            return None
        self._sent = True
        value = digest(password, self._props["url"])
        return [SourceRecord({"of": "secret"}, {"sent": 1}, topic=self._props["topic"], value=value)]


class ShortLivedFileProvider(FileConfigProvider):
    """Its values are due after a second."""

    JAVA_NAME = None

    def get(self, path: str, keys: Any = None) -> ConfigData:
        return ConfigData(super().get(path, keys).data, 1000)
