"""The settings of workers and connectors: which keys there are, what they mean, and what goes together."""

from tasks.settings.aliases import PredicateSettings, TransformationSettings
from tasks.settings.connector import ConfigReloadAction, ConnectorConfig, ConverterSettings, ToleranceType
from tasks.settings.distributed import DistributedConfig, worker_config
from tasks.settings.limits import Limits
from tasks.settings.sink import SinkConnectorConfig
from tasks.settings.source import ExactlyOnceSupportLevel, SourceConnectorConfig, TransactionBoundary
from tasks.settings.topic_creation import TopicCreationGroup
from tasks.settings.worker import StandaloneConfig, WorkerConfig

__all__ = [
    "ConfigReloadAction",
    "ConnectorConfig",
    "ConverterSettings",
    "DistributedConfig",
    "ExactlyOnceSupportLevel",
    "Limits",
    "PredicateSettings",
    "SinkConnectorConfig",
    "SourceConnectorConfig",
    "StandaloneConfig",
    "ToleranceType",
    "TopicCreationGroup",
    "TransactionBoundary",
    "TransformationSettings",
    "WorkerConfig",
    "worker_config",
]
