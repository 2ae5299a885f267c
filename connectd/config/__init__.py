"""Declared configuration: one definition parses, validates and documents (Kafka's `org.apache.kafka.common.config`)."""

from connectd.config.abstract_config import AbstractConfig
from connectd.config.definition import ConfigDef
from connectd.config.key import NO_DEFAULT, Config, ConfigKey, ConfigValue, Recommender
from connectd.config.types import (
    Importance,
    Password,
    Type,
    Width,
    convert_to_string,
    convert_to_string_map_with_password_values,
    parse_type,
)
from connectd.config.validators import (
    CaseInsensitiveValidString,
    CompositeValidator,
    LambdaValidator,
    ListSize,
    NonEmptyString,
    NonEmptyStringWithoutControlChars,
    NonNullValidator,
    Range,
    Validator,
    ValidList,
    ValidString,
)

__all__ = [
    "NO_DEFAULT",
    "AbstractConfig",
    "CaseInsensitiveValidString",
    "CompositeValidator",
    "Config",
    "ConfigDef",
    "ConfigKey",
    "ConfigValue",
    "Importance",
    "LambdaValidator",
    "ListSize",
    "NonEmptyString",
    "NonEmptyStringWithoutControlChars",
    "NonNullValidator",
    "Password",
    "Range",
    "Recommender",
    "Type",
    "ValidList",
    "ValidString",
    "Validator",
    "Width",
    "convert_to_string",
    "convert_to_string_map_with_password_values",
    "parse_type",
]
