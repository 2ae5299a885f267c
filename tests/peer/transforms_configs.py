"""Random configurations for each transformation and predicate, right ones and wrong ones, and values that suit them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from plugins.java_date_format import SimpleDateFormat
from tests.peer import transforms_debezium
from tests.peer.transforms_random import NAMES, TYPES, RandomRecords
from tests.peer.values_codec import Json

Config = dict[str, str]

KAFKA = "org.apache.kafka.connect.transforms"


@dataclass(frozen=True)
class Family:
    """The classes of one transformation or predicate, the first of which decides what is called by its name.

    `parts` are the halves of records that the classes work on. `config` makes a configuration; `prepare` sets the values
    that records for it often have. `weight` is how many times as many cases it gets as others; `record`
    makes records of another kind than usual. Of classes that are not `is_published`, in a Maven repository, kept answers are
    all there is, and what they fail at by accident is left out: null pointers and failed casts.
    """

    java_name: str
    config: Callable[[RandomRecords], Config]
    parts: tuple[str, ...] = ("Key", "Value")
    prepare: Callable[[RandomRecords, Config], None] = lambda *_: None
    weight: int = 1
    record: Callable[[RandomRecords], Json] | None = None
    is_published: bool = True

    def class_and_part(self, random: RandomRecords) -> tuple[str, str]:
        """A class of the family, and the half of records that it works on."""
        if not self.parts:
            return self.java_name, "value"
        part = random.choice(self.parts)
        return f"{self.java_name}${part}", part.lower()


def _null(random: RandomRecords, config: Config) -> Config:
    return random.maybe(config, "replace.null.with.default", "true", "false", "false", "False ", "maybe")


def _names(random: RandomRecords, most: int = 3) -> str:
    return ",".join(random.some([*NAMES, "zz"], most))


def _cast(random: RandomRecords) -> Config:
    wrong = ["a:b:c", "a:struct", "a:foo", "", "a", "a:int8,int8", ":", "a:", "bytes", "array", "a:int8,"]
    if random.chance(0.1):
        return random.choice([{}, {"spec": random.choice(wrong)}])
    types = [random.choice([kind, kind, kind.upper(), f" {kind}"]) for kind in TYPES if kind != "bytes"]
    if random.chance(0.2):
        return _null(random, {"spec": random.choice(types)})
    return _null(random, {"spec": ",".join(f"{name}:{random.choice(types)}" for name in random.some(NAMES, 5))})


def _cast_values(random: RandomRecords, _: Config) -> None:
    numbers = [
        "1",
        "-128",
        "128",
        "32768",
        "2147483648",
        "9223372036854775808",
        "+5",
        "",
        "-",
        " 1",
        "0x10",
        "1_0",
        "٣",
    ]
    floats = [
        "1.5",
        "1e3",
        "1.5f",
        "2d",
        "NaN",
        "-Infinity",
        "inf",
        ".5",
        "5.",
        "1e400",
        " 7.25 ",
        "0x1p3",
        "3.4028236e38",
    ]
    random.texts = [*numbers, *floats, "true", "TRUE", "yes"]


def _extract_field(random: RandomRecords) -> Config:
    config = _null(
        random,
        {"field": random.choice([*NAMES, "a.b", "b.a.c", "`x.y`", "a.`x.y`", "`x.y", "`q\\`r`", "`q`r`", "a.", "zz"])},
    )
    config = random.maybe(config, "field.syntax.version", "V1", "V2", "v2", "V2", "V3")
    return {} if random.chance(0.03) else config


def _header_from(random: RandomRecords) -> Config:
    fields = random.some([*NAMES, *NAMES, "zz"])
    headers = [random.choice(["h1", "h2", "new"]) for _ in fields]
    if random.chance(0.05):
        headers.append("more")
    config = {"fields": ",".join(fields), "headers": ",".join(headers), "operation": random.choice(["move", "copy"])}
    if random.chance(0.05):
        config["operation"] = "MOVE"
    if random.chance(0.05):
        config["fields"] = ""
    return _null(random, config)


def _insert_field(random: RandomRecords) -> Config:
    config: Config = {}
    for key in ("topic.field", "partition.field", "offset.field", "timestamp.field", "static.field"):
        config = random.maybe(config, key, "n1", "n2!", "n3?", f"{key}!", key, key, "a")
    if "static.field" in config and not random.chance(0.05):
        config["static.value"] = random.choice(["fixed", "7", ""])
    if random.chance(0.7):
        config.pop("offset.field", None)
    return _null(random, config)


def _mask_field(random: RandomRecords) -> Config:
    config = random.maybe(
        {"fields": _names(random)}, "replacement", "7", "300", "-1.5", "***", "", "99999999999", "1e3"
    )
    if random.chance(0.05):
        config["fields"] = random.choice(["", "a,a", "a,,b"])
    return _null(random, config)


# Each with replacements that it allows: here a wrong one is an error of the configuration, in Java of a record.
REGEXES: Mapping[str, list[str]] = {
    r"(.*)": ["$1", "new-$1", "$12", "$0-$0", r"\$1", r"a\\b", "", r"x\q"],
    r"([a-z]+)\.([a-z]+)\.(?<table>.*)": ["$2$1", "${table}", "$3", "$1_${table}"],
    r"a|ab.*": ["x", "$0"],
    r"(?<first>[^.]*)\..*": ["${first}", "${first}$1"],
    r"(\w)-(\d)": ["$2-$1", "$2$1x"],
    r"(o)?(a)?.*": ["$1$2", "x$2"],
    r"(?:db)\.(?=public).*": ["plain"],
    r"(.)(.)(.)(.)\4?": ["$4$3$2$1", "$10"],
    r"(a(?i)B)+|X": ["$1"],
    r"((a)(b))\3?.*": ["$1-$2-$3"],
    r"(?i)(ORD)ers": ["$1"],
    r"(\p{L}+)_(\p{Digit})": ["$2$1"],
    **{
        regex: ["fixed"]
        for regex in [
            r"[a-z&&[^b]]+", r"(ab)+", r"(ab)*+", r"\p{Alpha}+", r"\Qa-1\E", r"[\p{Lower}[-1]]+", r"[^\W_]+",
            r"\x61bab", r"(?s).+$",
            r"\A\w+\z", r"[a-zß_\d&&\S]+", "", r"(?>a|ab)ab", r"(?>ab|a)ab", r"[^a[b]]+", r"[a-c[x-z]]+", r"\w{1,6}",
            r"\w{3,}?", r".+\b.",
            r"\P{Upper}+", r"\p{Lu}.*", r"[\w&&[^\d_]]+", r"(?-i)x", r"(?i:X)", r"[\]a]+", r"a{1}bab",
        ]
    },
}  # fmt: skip
WRONG_REGEXES = ["x{", "(", "[a", "*", "(?<1>a)", r"\y", "a**", "a{2,1}", "(?<a>x)(?<a>y)", "[b-a]", ")"]


def _regex(random: RandomRecords) -> str:
    return str(random.choice(list(REGEXES) if random.chance(0.9) else WRONG_REGEXES))


def _regex_router(random: RandomRecords) -> Config:
    regex = _regex(random)
    return {"regex": regex, "replacement": random.choice(REGEXES.get(regex, ["x"]))}


def _replace_field(random: RandomRecords) -> Config:
    config = random.maybe({}, "exclude", _names(random), _names(random), "a", "", "a,a")
    config = random.maybe(config, "include", _names(random, 6), _names(random), "", "a,")
    # Not two to the same name: of these Java takes any.
    new_names = random.some(["n1", "n2", "n3"], 3)
    renames = [f"{old}:{new}" for old, new in zip(random.some(NAMES, 5), new_names, strict=False)]
    config = random.maybe(
        config, "renames", ",".join(renames), ",".join(renames), "a:b", "a:", ":b", "a:b:", "a", "", "a:b,b:a"
    )
    return _null(random, config)


def _set_schema_metadata(random: RandomRecords) -> Config:
    config = random.maybe({}, "schema.name", "com.example.New", "x", "")
    return _null(random, random.maybe(config, "schema.version", "2", "0", "-1", "two"))


PATTERNS = [
    "yyyy-MM-dd", "yyyyMMdd", "yyyy-MM-dd'T'HH:mm:ss.SSSX", "yyyy-MM-dd'T'HH:mm:ss'Z'", "dd/MM/yy HH:mm", "HH:mm:ss",
    "EEE, d MMM yyyy HH:mm:ss z", "EEEE MMMM d, y h:mm a", "yyyy-MM-dd HH:mm:ss Z", "yyyyMMddHHmmssSSS", "yyyy-DDD",
    "YYYY-'W'ww-u", "MMM yy", "K:m a", "k:mm", "yyyy.MM.dd G 'at' HH:mm:ss", "D", "S", "hh 'o''clock' a, zzzz",
    "F W L LLL LLLL",
    "y", "yyyyy", "M/d/yyyy",
    "yyyy-MM E", "yyyy MM W E", "yyyy MM F E", "E W", "yyyy ww E", "F E W", "DDD d", "d D", "H h a", "h a H",
    "XX", "XXX", "GGGG uu EEEEE", "yyyy-MM-dd'T'HH:mm:ssXXX", "YYYY-MM-dd", "ssSSS", "a",
]  # fmt: skip
WRONG_PATTERNS = ["yyyy-b", "'open", "XXXX", "yyyy-MM-ddT", " "]
TEXTS = [
    "2024-02-29", "2024-02-30", "2023-13-45 rest", "20240229", "19991231", "2024-02-29T12:34:56.789Z",
    "31/12/99 23:59", "1/2/3 4:5",
    "2024-02-29T12:34:56.7+01:30", "2024-02-29T12:34:56Z", "2024-02-29T12:34:56+02", "2024-02-29T12:34:56-08:00",
    "23:59:59", "25:61:61",
    "Thu, 29 Feb 2024 12:34:56 GMT", "Thu, 29 Feb 2024 12:34:56 UTC", "thu, 1 jan 1970 00:00:00 EST",
    "Thu, 29 Feb 2024 12:34:56 GMT+2:00",
    "Thursday February 29, 2024 1:05 PM", "Thursday Feb 29, 2024 12:05 am", "2024-02-29 12:34:56 +0100",
    "2024-02-29 12:34:56 -0730",
    "20240229123456789", "2024022912345", "2024-060", "2024-W09-4", "Feb 24", "feb 2024", "11:5 PM", "24:00", "0:30",
    "2024.02.29 AD at 12:34:56", "0044.03.15 BC at 12:00:00", "400", "5", "-5", "07 o'clock PM, UTC",
    "2 1 3 Mar March", "", " 2024", "Z", "+0530",
    "2/29/2024", " 2/ 1/ 2024", "20240-02-01", "1500-01-01", "1582-10-10", "0024-01-01", "2024-2-9", "PM", "x",
]  # fmt: skip
NUMBERS = [
    *(0, 1, -1, 999, -1_500, -86_400_001, 1_700_000_000, 1_700_000_000_123, 946_684_799_999, 1_709_210_096_789),
    *(253_402_300_799_999, 1_700_000_000_123_456, 1_700_000_000_123_456_789),
]


def _timestamp_converter(random: RandomRecords) -> Config:
    targets = ["string", "string", "unix", "Date", "Time", "Timestamp", "Timestamp"]
    config = {"target.type": random.choice(targets) if random.chance(0.97) else "date"}
    if random.chance(0.8):
        config["field"] = random.choice([*NAMES, "zz"])
    if random.chance(0.9):
        config["format"] = random.choice(PATTERNS if random.chance(0.95) else WRONG_PATTERNS)
    config = random.maybe(config, "unix.precision", "seconds", "milliseconds", "microseconds", "nanoseconds")
    if random.chance(0.03):
        config["unix.precision"] = "days"
    return _null(random, config)


def _timestamp_values(random: RandomRecords, config: Config) -> None:
    random.texts = random.some(TEXTS, 6)
    random.plain_numbers = NUMBERS
    if config.get("format") in PATTERNS:
        pattern = SimpleDateFormat(config["format"])
        random.texts += [pattern.format(random.choice(NUMBERS[:-3])) for _ in range(8)]


def _timestamp_router(random: RandomRecords) -> Config:
    config = random.maybe(
        {}, "topic.format", "${topic}", "t-${timestamp}", "${topic}_${timestamp}_${topic}", "$1${timestamp}", ""
    )
    return random.maybe(config, "timestamp.format", *PATTERNS, *PATTERNS, *PATTERNS)


def _lists(key: str, *more: str) -> Callable[[RandomRecords], Config]:
    def config(random: RandomRecords) -> Config:
        if random.chance(0.08):
            return {key: random.choice(["", "a,a", *more])}
        return _null(random, {key: _names(random)}) if more else {key: ",".join(random.some(["h1", "h2", "h3"]))}

    return config


def _extract_topic(random: RandomRecords) -> Config:
    config = random.maybe({}, "skip.missing.or.null", "true", "false")
    return config | {"field.name": random.choice([*NAMES, "zz", ""])} if random.chance(0.85) else config


def _filter_by_value(random: RandomRecords) -> Config:
    config = random.maybe({"field.name": random.choice([*NAMES, *NAMES, ""])}, "field.value.matches", "true", "false")
    if random.chance(0.6):
        config["field.value.pattern"] = random.choice(["^a", r"\d", "x|true", ".", ""])
    # Numbers are left out: in Java they match only fields of the very type that the text is parsed to.
    return (
        config
        if random.chance(0.5) and len(config) > 1
        else config | {"field.value": random.choice(["abc", "true", "x y"])}
    )


def _words(random: RandomRecords, _: Config) -> None:
    random.texts = ["abc", "x y", "true", "1", "", " ", "abc-2"]


def _json_texts(random: RandomRecords, _: Config) -> None:
    random.texts_rate = 1
    random.texts = [
        '{"a":1,"b":[1,2],"c":{"d":"x","e":null}}',
        '{"a":[{"x":1},{"y":"z","x":2}],"b":2.5,"c":3000000000}', "[1,2]", '[{"a":1}]',
        "[]", '{"a":[]}', '{"a":[1,"x"],"b":true}', "{}",
        '{"a":[1,2.5]}', '{"a":[null,"x"]}', '{"a":[[1],[2]]}', '{"a":[null]}',
    ]  # fmt: skip


def _expand_json(random: RandomRecords) -> Config:
    return (
        {"sourceFields": ",".join(random.some([*NAMES[:5], *NAMES[:5], "a.b", "b.c"], 2))}
        if random.chance(0.95)
        else {}
    )


def _struct_record(random: RandomRecords) -> Json:
    schema = random.struct_schema(2)
    schema["fields"] = [[name, {"type": "string"} if random.chance(0.5) else field] for name, field in schema["fields"]]
    return random.record("value") | {"value": [schema, random.value(schema)]}


AIVEN = "io.aiven.kafka.connect.transforms"
FAMILIES: Mapping[str, Family] = {
    "Cast": Family(f"{KAFKA}.Cast", _cast, prepare=_cast_values, weight=2),
    "DropHeaders": Family(f"{KAFKA}.DropHeaders", _lists("headers"), ()),
    "ExtractField": Family(f"{KAFKA}.ExtractField", _extract_field),
    "Filter": Family(f"{KAFKA}.Filter", lambda _: {}, ()),
    "Flatten": Family(f"{KAFKA}.Flatten", lambda random: random.maybe({}, "delimiter", ".", "_", "", "::")),
    "HeaderFrom": Family(f"{KAFKA}.HeaderFrom", _header_from),
    "HoistField": Family(
        f"{KAFKA}.HoistField", lambda random: random.choice([{"field": "whole"}, {"field": "a"}, {}, {"field": "x.y"}])
    ),
    "InsertField": Family(f"{KAFKA}.InsertField", _insert_field),
    "InsertHeader": Family(
        f"{KAFKA}.InsertHeader",
        lambda random: random.maybe(
            {"header": "h9"},
            "value.literal",
            "text",
            "12",
            "true",
            "1.5",
            "[1,2]",
            '{"a":1}',
            "",
            "null",
            "2024-02-29",
            "300",
        ),
        (),
    ),
    "MaskField": Family(f"{KAFKA}.MaskField", _mask_field),
    "RegexRouter": Family(f"{KAFKA}.RegexRouter", _regex_router, ()),
    "ReplaceField": Family(f"{KAFKA}.ReplaceField", _replace_field),
    "SetSchemaMetadata": Family(f"{KAFKA}.SetSchemaMetadata", _set_schema_metadata),
    "TimestampConverter": Family(
        f"{KAFKA}.TimestampConverter", _timestamp_converter, prepare=_timestamp_values, weight=3
    ),
    "TimestampRouter": Family(f"{KAFKA}.TimestampRouter", _timestamp_router, ()),
    "ValueToKey": Family(f"{KAFKA}.ValueToKey", _lists("fields", "a,,b"), ()),
    "ByLogicalTableRouter": Family(
        "io.debezium.transforms.ByLogicalTableRouter",
        transforms_debezium.router_config,
        (),
        record=transforms_debezium.change_event,
    ),
    "ExtractNewRecordState": Family(
        "io.debezium.transforms.ExtractNewRecordState",
        transforms_debezium.extract_config,
        (),
        weight=3,
        record=transforms_debezium.change_event,
    ),
    "EventRouter": Family(
        "io.debezium.transforms.outbox.EventRouter",
        transforms_debezium.outbox_config,
        (),
        prepare=transforms_debezium.prepare_outbox,
        weight=3,
        record=transforms_debezium.source_event,
    ),
    "ExtractTopic": Family(f"{AIVEN}.ExtractTopic", _extract_topic, prepare=_words, is_published=False),
    "TombstoneHandler": Family(
        f"{AIVEN}.TombstoneHandler",
        lambda random: random.maybe({}, "behavior", "drop_silent", "DROP_WARN", "fail", "", "keep"),
        (),
        is_published=False,
    ),
    "FilterByFieldValue": Family(
        f"{AIVEN}.FilterByFieldValue", _filter_by_value, prepare=_words, weight=2, is_published=False
    ),
    "ExpandJSON": Family(
        "com.redhat.insights.expandjsonsmt.ExpandJSON",
        _expand_json,
        ("Value",),
        _json_texts,
        2,
        _struct_record,
        is_published=False,
    ),
    "HasHeaderKey": Family(
        f"{KAFKA}.predicates.HasHeaderKey", lambda random: random.maybe({}, "name", "h1", "h2", "h3", "h9", ""), ()
    ),
    "RecordIsTombstone": Family(f"{KAFKA}.predicates.RecordIsTombstone", lambda _: {}, ()),
    "TopicNameMatches": Family(f"{KAFKA}.predicates.TopicNameMatches", lambda random: {"pattern": _regex(random)}, ()),
}
