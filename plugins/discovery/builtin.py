"""The built-in plugins: where each is, so that finding one imports no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plugins.discovery.kinds import PluginKind, alias, simple_name


def _key_and_value(java_name: str, location: str) -> dict[str, str]:
    """A transformation of one half of a record: a class for keys and one for values."""
    return {f"{java_name}${part}": f"{location}{part}" for part in ("Key", "Value")}


# The name of each plugin, which is Java's if there is one in Java, and the module and class that stand for it here.
BUILTINS: Final[Mapping[PluginKind, Mapping[str, str]]] = {
    PluginKind.SOURCE: {
        "org.apache.kafka.connect.file.FileStreamSourceConnector": (
            "plugins.connectors.file_stream_source:FileStreamSourceConnector"
        ),
    },
    PluginKind.SINK: {
        "org.apache.kafka.connect.file.FileStreamSinkConnector": (
            "plugins.connectors.file_stream_sink:FileStreamSinkConnector"
        ),
    },
    PluginKind.CONVERTER: {
        "org.apache.kafka.connect.converters.BooleanConverter": "plugins.converters.boolean:BooleanConverter",
        "org.apache.kafka.connect.converters.ByteArrayConverter": "plugins.converters.byte_array:ByteArrayConverter",
        "org.apache.kafka.connect.converters.DoubleConverter": "plugins.converters.double:DoubleConverter",
        "org.apache.kafka.connect.converters.FloatConverter": "plugins.converters.float:FloatConverter",
        "org.apache.kafka.connect.converters.IntegerConverter": "plugins.converters.integer:IntegerConverter",
        "org.apache.kafka.connect.converters.LongConverter": "plugins.converters.long:LongConverter",
        "org.apache.kafka.connect.converters.ShortConverter": "plugins.converters.short:ShortConverter",
        "org.apache.kafka.connect.json.JsonConverter": "plugins.converters.json:JsonConverter",
        "org.apache.kafka.connect.storage.StringConverter": "plugins.converters.string:StringConverter",
        "io.confluent.connect.avro.AvroConverter": "plugins.converters.avro:AvroConverter",
        "io.confluent.connect.json.JsonSchemaConverter": "plugins.converters.json_schema:JsonSchemaConverter",
        "io.confluent.connect.protobuf.ProtobufConverter": "plugins.converters.protobuf:ProtobufConverter",
        "io.debezium.converters.CloudEventsConverter": "plugins.converters.cloud_events:CloudEventsConverter",
        "plugins.converters.plain_avro.PlainAvroConverter": "plugins.converters.plain_avro:PlainAvroConverter",
        "plugins.converters.message_pack.MessagePackConverter": "plugins.converters.message_pack:MessagePackConverter",
    },
    PluginKind.HEADER_CONVERTER: {
        "org.apache.kafka.connect.storage.SimpleHeaderConverter": (
            "plugins.converters.simple_header:SimpleHeaderConverter"
        ),
    },
    PluginKind.TRANSFORMATION: {
        **_key_and_value("org.apache.kafka.connect.transforms.Cast", "plugins.transforms.cast:Cast"),
        "org.apache.kafka.connect.transforms.DropHeaders": "plugins.transforms.drop_headers:DropHeaders",
        **_key_and_value(
            "org.apache.kafka.connect.transforms.ExtractField", "plugins.transforms.extract_field:ExtractField"
        ),
        "org.apache.kafka.connect.transforms.Filter": "plugins.transforms.filter:Filter",
        **_key_and_value("org.apache.kafka.connect.transforms.Flatten", "plugins.transforms.flatten:Flatten"),
        **_key_and_value("org.apache.kafka.connect.transforms.HeaderFrom", "plugins.transforms.header_from:HeaderFrom"),
        **_key_and_value("org.apache.kafka.connect.transforms.HoistField", "plugins.transforms.hoist_field:HoistField"),
        **_key_and_value(
            "org.apache.kafka.connect.transforms.InsertField", "plugins.transforms.insert_field:InsertField"
        ),
        "org.apache.kafka.connect.transforms.InsertHeader": "plugins.transforms.insert_header:InsertHeader",
        **_key_and_value("org.apache.kafka.connect.transforms.MaskField", "plugins.transforms.mask_field:MaskField"),
        "org.apache.kafka.connect.transforms.RegexRouter": "plugins.transforms.regex_router:RegexRouter",
        **_key_and_value(
            "org.apache.kafka.connect.transforms.ReplaceField", "plugins.transforms.replace_field:ReplaceField"
        ),
        **_key_and_value(
            "org.apache.kafka.connect.transforms.SetSchemaMetadata",
            "plugins.transforms.set_schema_metadata:SetSchemaMetadata",
        ),
        **_key_and_value(
            "org.apache.kafka.connect.transforms.TimestampConverter",
            "plugins.transforms.timestamp_converter:TimestampConverter",
        ),
        "org.apache.kafka.connect.transforms.TimestampRouter": "plugins.transforms.timestamp_router:TimestampRouter",
        "org.apache.kafka.connect.transforms.ValueToKey": "plugins.transforms.value_to_key:ValueToKey",
        **_key_and_value(
            "com.github.jcustenborder.kafka.connect.transform.common.TimestampNowField",
            "plugins.transforms.timestamp_now_field:TimestampNowField",
        ),
        "com.github.jcustenborder.kafka.connect.transform.common.TimestampNow": (
            "plugins.transforms.timestamp_now:TimestampNow"
        ),
        "com.redhat.insights.expandjsonsmt.ExpandJSON$Value": "plugins.transforms.expand_json:ExpandJSONValue",
        **_key_and_value(
            "io.aiven.kafka.connect.transforms.ExtractTopic", "plugins.transforms.extract_topic:ExtractTopic"
        ),
        **_key_and_value(
            "io.aiven.kafka.connect.transforms.FilterByFieldValue",
            "plugins.transforms.filter_by_field_value:FilterByFieldValue",
        ),
        "io.aiven.kafka.connect.transforms.TombstoneHandler": "plugins.transforms.tombstone_handler:TombstoneHandler",
        **_key_and_value("io.confluent.connect.transforms.Drop", "plugins.transforms.drop:Drop"),
        "io.debezium.transforms.ByLogicalTableRouter": "plugins.transforms.by_logical_table_router:ByLogicalTableRouter",
        "io.debezium.transforms.ExtractNewRecordState": (
            "plugins.transforms.extract_new_record_state:ExtractNewRecordState"
        ),
        "io.debezium.transforms.outbox.EventRouter": "plugins.transforms.outbox_event_router:EventRouter",
    },
    PluginKind.PREDICATE: {
        "org.apache.kafka.connect.transforms.predicates.HasHeaderKey": (
            "plugins.predicates.has_header_key:HasHeaderKey"
        ),
        "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone": (
            "plugins.predicates.record_is_tombstone:RecordIsTombstone"
        ),
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches": (
            "plugins.predicates.topic_name_matches:TopicNameMatches"
        ),
    },
    PluginKind.CONFIG_PROVIDER: {
        "org.apache.kafka.common.config.provider.DirectoryConfigProvider": (
            "plugins.providers.directory:DirectoryConfigProvider"
        ),
        "org.apache.kafka.common.config.provider.EnvVarConfigProvider": "plugins.providers.env_var:EnvVarConfigProvider",
        "org.apache.kafka.common.config.provider.FileConfigProvider": "plugins.providers.file:FileConfigProvider",
        "io.lenses.connect.secrets.providers.AWSSecretProvider": (
            "plugins.providers.aws_secrets_manager:AWSSecretProvider"
        ),
        "io.lenses.connect.secrets.providers.VaultSecretProvider": "plugins.providers.vault:VaultSecretProvider",
    },
}


def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for kind, locations in BUILTINS.items():
        for java_name, location in locations.items():
            simple = simple_name(java_name)
            names |= dict.fromkeys((java_name, simple, alias(simple, kind), location.replace(":", ".")), location)
    return names


# Every name that a built-in answers to, with its `module:Class`.
NAMES: Final[Mapping[str, str]] = _names()
SHORT_NAMES: Final = frozenset(name for name in NAMES if "." not in name)
