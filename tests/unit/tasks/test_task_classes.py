"""Tasks are found by the names that config topics have for them."""

import pytest

from connectd.errors import PluginNotFound
from plugins.connectors.file_stream_source import FileStreamSourceConnector, FileStreamSourceTask
from tasks.task_classes import find_task_class

JAVA = "org.apache.kafka.connect.file.FileStreamSourceTask"


class OwnTask(FileStreamSourceTask):
    JAVA_NAME = JAVA


class OwnConnector(FileStreamSourceConnector):
    pass


@pytest.mark.parametrize(
    "name",
    [
        JAVA,
        "plugins.connectors.file_stream_source:FileStreamSourceTask",
        "plugins.connectors.file_stream_source.FileStreamSourceTask",
    ],
)
def test_by_its_java_name_or_its_own(name: str) -> None:
    assert find_task_class(name, FileStreamSourceConnector, []) is FileStreamSourceTask


def test_of_several_with_one_name_the_one_beside_its_connector() -> None:
    assert find_task_class(JAVA, OwnConnector, []) is OwnTask


def test_an_unknown_one_is_said_to_be() -> None:
    with pytest.raises(PluginNotFound):
        find_task_class("org.apache.kafka.connect.file.NoSuchTask", FileStreamSourceConnector, [])
