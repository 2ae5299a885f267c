"""The author API: everything that connectors, converters, transformations, predicates and config providers need.

The names are Kafka Connect's. Of its two classes `Type`, `ConfigType` is that of ConfigDef and `SchemaType` that of Schema.
"""

from connectd.columns import NotInColumns, RecordColumns
from connectd.components import Configurable, Plugin
from connectd.config import (
    NO_DEFAULT,
    AbstractConfig,
    CaseInsensitiveValidString,
    CompositeValidator,
    Config,
    ConfigDef,
    ConfigKey,
    ConfigValue,
    Importance,
    LambdaValidator,
    ListSize,
    NonEmptyString,
    NonEmptyStringWithoutControlChars,
    NonNullValidator,
    Password,
    Range,
    Recommender,
    Validator,
    ValidList,
    ValidString,
    Width,
)
from connectd.config import Type as ConfigType
from connectd.connectors import (
    Connector,
    ConnectorContext,
    ConnectorTransactionBoundaries,
    ExactlyOnceSupport,
    SinkConnector,
    SourceConnector,
)
from connectd.converters import Converter, HeaderConverter
from connectd.errors import (
    AlreadyExistsException,
    ConfigException,
    ConnectException,
    DataException,
    IllegalWorkerStateException,
    NotFoundException,
    PluginNotFound,
    RetriableException,
    SchemaBuilderException,
    SchemaProjectorException,
)
from connectd.headers import ConnectHeaders, Header, Headers, HeaderTransform
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.projector import SchemaProjector
from connectd.providers import ConfigData, ConfigProvider
from connectd.records import (
    ConnectRecord,
    OffsetAndMetadata,
    RecordMetadata,
    SinkBatch,
    SinkRecord,
    SourceBatch,
    SourceRecord,
    TimestampType,
    TopicPartition,
)
from connectd.schema import Field, Schema, SchemaAndValue, SchemaBuilder
from connectd.schema import Type as SchemaType
from connectd.struct import Struct
from connectd.tasks import (
    ErrantRecordReporter,
    OffsetStorageReader,
    SinkTask,
    SinkTaskContext,
    SourceTask,
    SourceTaskContext,
    Task,
    TransactionContext,
)
from connectd.transforms import Predicate, Transformation
from connectd.values import Values

__version__ = "0.1.0"

__all__ = [
    "NO_DEFAULT",
    "AbstractConfig",
    "AlreadyExistsException",
    "CaseInsensitiveValidString",
    "CompositeValidator",
    "Config",
    "ConfigData",
    "ConfigDef",
    "ConfigException",
    "ConfigKey",
    "ConfigProvider",
    "ConfigType",
    "ConfigValue",
    "Configurable",
    "ConnectException",
    "ConnectHeaders",
    "ConnectRecord",
    "Connector",
    "ConnectorContext",
    "ConnectorTransactionBoundaries",
    "Converter",
    "DataException",
    "Date",
    "Decimal",
    "ErrantRecordReporter",
    "ExactlyOnceSupport",
    "Field",
    "Header",
    "HeaderConverter",
    "HeaderTransform",
    "Headers",
    "IllegalWorkerStateException",
    "Importance",
    "LambdaValidator",
    "ListSize",
    "NonEmptyString",
    "NonEmptyStringWithoutControlChars",
    "NonNullValidator",
    "NotFoundException",
    "NotInColumns",
    "OffsetAndMetadata",
    "OffsetStorageReader",
    "Password",
    "Plugin",
    "PluginNotFound",
    "Predicate",
    "Range",
    "Recommender",
    "RecordColumns",
    "RecordMetadata",
    "RetriableException",
    "Schema",
    "SchemaAndValue",
    "SchemaBuilder",
    "SchemaBuilderException",
    "SchemaProjector",
    "SchemaProjectorException",
    "SchemaType",
    "SinkBatch",
    "SinkConnector",
    "SinkRecord",
    "SinkTask",
    "SinkTaskContext",
    "SourceBatch",
    "SourceConnector",
    "SourceRecord",
    "SourceTask",
    "SourceTaskContext",
    "Struct",
    "Task",
    "Time",
    "Timestamp",
    "TimestampType",
    "TopicPartition",
    "TransactionContext",
    "Transformation",
    "ValidList",
    "ValidString",
    "Validator",
    "Values",
    "Width",
    "__version__",
]
