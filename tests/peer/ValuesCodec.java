// Schemas and values of Kafka Connect as JSON and back: the Java half of values_codec.py.

import com.fasterxml.jackson.databind.JsonNode;

import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

final class ValuesCodec {

    private static final long MS_PER_DAY = 24L * 60 * 60 * 1000;

    private ValuesCodec() {
    }

    static Schema decodeSchema(JsonNode json) throws Exception {
        if (json.isNull()) {
            return null;
        }
        Schema.Type type = Schema.Type.valueOf(json.get("type").asText().toUpperCase(Locale.ROOT));
        SchemaBuilder builder = switch (type) {
            case ARRAY -> SchemaBuilder.array(decodeSchema(json.get("values")));
            case MAP -> SchemaBuilder.map(decodeSchema(json.get("keys")), decodeSchema(json.get("values")));
            default -> new SchemaBuilder(type);
        };
        if (json.has("fields")) {
            for (JsonNode field : json.get("fields")) {
                builder.field(field.get(0).asText(), decodeSchema(field.get(1)));
            }
        }
        if (json.has("optional")) {
            builder.optional();
        }
        if (json.has("name")) {
            builder.name(json.get("name").asText());
        }
        if (json.has("version")) {
            builder.version(json.get("version").asInt());
        }
        if (json.has("doc")) {
            builder.doc(json.get("doc").asText());
        }
        if (json.has("parameters")) {
            json.get("parameters").fields().forEachRemaining(e -> builder.parameter(e.getKey(), e.getValue().asText()));
        }
        if (json.has("default")) {
            builder.defaultValue(decode(json.get("default")));
        }
        return builder.build();
    }

    static Object decode(JsonNode json) throws Exception {
        if (json.isNull()) {
            return null;
        }
        JsonNode value = json.get(1);
        return switch (json.get(0).asText()) {
            case "int8" -> (byte) value.asInt();
            case "int16" -> (short) value.asInt();
            case "int32" -> value.asInt();
            case "int64" -> value.asLong();
            case "float32" -> Float.parseFloat(value.asText());
            case "float64" -> Double.parseDouble(value.asText());
            case "boolean" -> value.asBoolean();
            case "string" -> value.asText();
            case "bytes" -> Base64.getDecoder().decode(value.asText());
            case "decimal" -> new BigDecimal(value.asText());
            case "date" -> new Date(value.asLong() * MS_PER_DAY);
            case "time", "timestamp" -> new Date(value.asLong());
            case "array" -> {
                List<Object> list = new ArrayList<>();
                for (JsonNode element : value) {
                    list.add(decode(element));
                }
                yield list;
            }
            case "map" -> {
                Map<Object, Object> map = new LinkedHashMap<>();
                for (JsonNode entry : value) {
                    map.put(decode(entry.get(0)), decode(entry.get(1)));
                }
                yield map;
            }
            case "struct" -> {
                Struct struct = new Struct(decodeSchema(value.get(0)));
                for (JsonNode field : value.get(1)) {
                    struct.put(field.get(0).asText(), decode(field.get(1)));
                }
                yield struct;
            }
            default -> throw new AssertionError("unknown value " + json);
        };
    }

    static Object encodeSchema(Schema schema) {
        if (schema == null) {
            return null;
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("type", schema.type().getName());
        if (schema.isOptional()) {
            json.put("optional", true);
        }
        if (schema.name() != null) {
            json.put("name", schema.name());
        }
        if (schema.version() != null) {
            json.put("version", schema.version());
        }
        if (schema.doc() != null) {
            json.put("doc", schema.doc());
        }
        if (schema.parameters() != null) {
            json.put("parameters", schema.parameters());
        }
        if (schema.defaultValue() != null) {
            json.put("default", encode(schema.defaultValue()));
        }
        if (schema.type() == Schema.Type.MAP) {
            json.put("keys", encodeSchema(schema.keySchema()));
        }
        if (schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY) {
            json.put("values", encodeSchema(schema.valueSchema()));
        }
        if (schema.type() == Schema.Type.STRUCT) {
            List<Object> fields = new ArrayList<>();
            for (Field field : schema.fields()) {
                fields.add(Arrays.asList(field.name(), encodeSchema(field.schema())));
            }
            json.put("fields", fields);
        }
        return json;
    }

    static Object encode(Object value) {
        if (value == null) {
            return null;
        } else if (value instanceof Byte || value instanceof Short || value instanceof Integer || value instanceof Long) {
            return List.of("int", value);
        } else if (value instanceof Float f) {
            // As the same number of 64 bits: that is what Python holds.
            return List.of("float", Double.toString(f.doubleValue()));
        } else if (value instanceof Double) {
            return List.of("float", value.toString());
        } else if (value instanceof Boolean) {
            return List.of("boolean", value);
        } else if (value instanceof String) {
            return List.of("string", value);
        } else if (value instanceof byte[] bytes) {
            return List.of("bytes", Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof ByteBuffer buffer) {
            return encode(Arrays.copyOfRange(buffer.array(), buffer.position(), buffer.limit()));
        } else if (value instanceof BigDecimal) {
            return List.of("decimal", value.toString());
        } else if (value instanceof Date date) {
            return List.of("instant", date.getTime());
        } else if (value instanceof List<?> list) {
            List<Object> elements = new ArrayList<>();
            for (Object element : list) {
                elements.add(encode(element));
            }
            return List.of("array", elements);
        } else if (value instanceof Map<?, ?> map) {
            List<Object> entries = new ArrayList<>();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                entries.add(Arrays.asList(encode(entry.getKey()), encode(entry.getValue())));
            }
            return List.of("map", entries);
        } else if (value instanceof Struct struct) {
            List<Object> fields = new ArrayList<>();
            for (Field field : struct.schema().fields()) {
                fields.add(Arrays.asList(field.name(), encode(struct.getWithoutDefault(field.name()))));
            }
            return List.of("struct", fields);
        }
        throw new AssertionError("unknown value " + value.getClass());
    }
}
