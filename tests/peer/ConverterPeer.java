import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;

/**
 * Runs Kafka Connect's own converters: one request a line on standard input, one answer a line on standard output.
 *
 * A request names a converter class, its configuration, and either bytes to read or a schema and a value to write. Values
 * are tagged with their Java type, since JSON alone would not tell a Byte from a Long. converters_peer.py speaks the same.
 */
public class ConverterPeer {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final Map<String, Object> CONVERTERS = new HashMap<>();

    public static void main(String[] args) throws Exception {
        OutputStream out = new BufferedOutputStream(System.out);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer = NODES.objectNode();
            try {
                answer(MAPPER.readTree(line), answer);
            } catch (Exception error) {
                answer.removeAll();
                answer.put("error", error.getClass().getSimpleName() + ": " + error.getMessage());
            }
            out.write(MAPPER.writeValueAsBytes(answer));
            out.write('\n');
            out.flush();
        }
    }

    private static void answer(JsonNode request, ObjectNode answer) throws Exception {
        Object converter = converter(request);
        boolean isHeader = request.path("header").booleanValue();
        if (request.has("bytes")) {
            byte[] bytes = request.get("bytes").isNull() ? null : Base64.getDecoder().decode(request.get("bytes").textValue());
            SchemaAndValue read = isHeader
                ? ((HeaderConverter) converter).toConnectHeader("topic", "key", bytes)
                : ((Converter) converter).toConnectData("topic", bytes);
            // SimpleHeaderConverter answers null for the text "null".
            answer.set("schema", read == null ? null : fromSchema(read.schema()));
            answer.set("value", read == null ? null : fromValue(read.value()));
        } else {
            Schema schema = toSchema(request.get("schema"));
            Object value = toValue(request.get("value"));
            byte[] written = isHeader
                ? ((HeaderConverter) converter).fromConnectHeader("topic", "key", schema, value)
                : ((Converter) converter).fromConnectData("topic", schema, value);
            answer.put("bytes", written == null ? null : Base64.getEncoder().encodeToString(written));
        }
    }

    private static Object converter(JsonNode request) throws Exception {
        String key = request.get("converter") + " " + request.get("config") + " " + request.path("header");
        Object converter = CONVERTERS.get(key);
        if (converter == null) {
            converter = Class.forName(request.get("converter").textValue()).getDeclaredConstructor().newInstance();
            Map<String, Object> config = new HashMap<>();
            for (Map.Entry<String, JsonNode> entry : request.get("config").properties())
                config.put(entry.getKey(), entry.getValue().textValue());
            if (request.path("header").booleanValue()) {
                config.put("converter.type", "header");
                ((HeaderConverter) converter).configure(config);
            } else {
                ((Converter) converter).configure(config, false);
            }
            CONVERTERS.put(key, converter);
        }
        return converter;
    }

    private static Schema toSchema(JsonNode node) {
        if (node == null || node.isNull())
            return null;
        Map<String, String> parameters = null;
        if (node.hasNonNull("parameters")) {
            parameters = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : node.get("parameters").properties())
                parameters.put(entry.getKey(), entry.getValue().textValue());
        }
        List<Field> fields = new ArrayList<>();
        for (JsonNode field : node.path("fields"))
            fields.add(new Field(field.get(0).textValue(), fields.size(), toSchema(field.get(1))));
        Schema.Type type = Schema.Type.valueOf(node.get("type").textValue());
        return new ConnectSchema(
            type,
            node.get("optional").booleanValue(),
            toValue(node.get("default")),
            node.path("name").textValue(),
            node.hasNonNull("version") ? node.get("version").intValue() : null,
            node.path("doc").textValue(),
            parameters,
            type == Schema.Type.STRUCT ? fields : null,
            toSchema(node.get("keys")),
            toSchema(node.get("values")));
    }

    private static JsonNode fromSchema(Schema schema) {
        if (schema == null)
            return NODES.nullNode();
        ObjectNode node = NODES.objectNode();
        node.put("type", schema.type().name());
        node.put("optional", schema.isOptional());
        node.set("default", fromValue(schema.defaultValue()));
        node.put("name", schema.name());
        node.put("version", schema.version());
        node.put("doc", schema.doc());
        ObjectNode parameters = null;
        if (schema.parameters() != null) {
            parameters = NODES.objectNode();
            for (Map.Entry<String, String> entry : schema.parameters().entrySet())
                parameters.put(entry.getKey(), entry.getValue());
        }
        node.set("parameters", parameters);
        if (schema.type() == Schema.Type.STRUCT) {
            ArrayNode fields = node.putArray("fields");
            for (Field field : schema.fields())
                fields.addArray().add(field.name()).add(fromSchema(field.schema()));
        }
        if (schema.type() == Schema.Type.MAP)
            node.set("keys", fromSchema(schema.keySchema()));
        if (schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY)
            node.set("values", fromSchema(schema.valueSchema()));
        return node;
    }

    private static Object toValue(JsonNode node) {
        if (node == null || node.isNull())
            return null;
        JsonNode content = node.get(1);
        switch (node.get(0).textValue()) {
            case "bool":
                return content.booleanValue();
            case "int8":
                return (byte) content.intValue();
            case "int16":
                return (short) content.intValue();
            case "int32":
                return content.intValue();
            case "int64":
                return content.longValue();
            case "float32":
                return Float.intBitsToFloat(content.intValue());
            case "float64":
                return Double.longBitsToDouble(content.longValue());
            case "string":
                return content.textValue();
            case "bytes":
                return Base64.getDecoder().decode(content.textValue());
            case "buffer":
                return ByteBuffer.wrap(Base64.getDecoder().decode(content.textValue()));
            case "decimal":
                return new BigDecimal(new BigInteger(content.textValue()), node.get(2).intValue());
            case "date":
                return new Date(content.longValue());
            case "list":
                List<Object> list = new ArrayList<>();
                for (JsonNode element : content)
                    list.add(toValue(element));
                return list;
            case "map":
                Map<Object, Object> map = new LinkedHashMap<>();
                for (JsonNode entry : content)
                    map.put(toValue(entry.get(0)), toValue(entry.get(1)));
                return map;
            case "struct":
                Schema schema = toSchema(content);
                Struct struct = new Struct(schema);
                for (Field field : schema.fields()) {
                    JsonNode fieldValue = node.get(2).get(field.index());
                    if (!fieldValue.isNull())
                        struct.put(field, toValue(fieldValue));
                }
                return struct;
            default:
                throw new IllegalArgumentException("unknown tag " + node);
        }
    }

    private static JsonNode fromValue(Object value) {
        if (value == null)
            return NODES.nullNode();
        ArrayNode node = NODES.arrayNode();
        if (value instanceof Boolean bool)
            return node.add("bool").add(bool);
        if (value instanceof Byte number)
            return node.add("int8").add(number.intValue());
        if (value instanceof Short number)
            return node.add("int16").add(number.intValue());
        if (value instanceof Integer number)
            return node.add("int32").add(number);
        if (value instanceof Long number)
            return node.add("int64").add(number);
        if (value instanceof Float number)
            return node.add("float32").add(Float.floatToIntBits(number));
        if (value instanceof Double number)
            return node.add("float64").add(Double.doubleToLongBits(number));
        if (value instanceof String text)
            return node.add("string").add(text);
        if (value instanceof byte[] bytes)
            return node.add("bytes").add(Base64.getEncoder().encodeToString(bytes));
        if (value instanceof ByteBuffer buffer)
            return node.add("bytes").add(Base64.getEncoder().encodeToString(buffer.array()));
        if (value instanceof BigDecimal number)
            return node.add("decimal").add(number.unscaledValue().toString()).add(number.scale());
        if (value instanceof Date date)
            return node.add("date").add(date.getTime());
        if (value instanceof List<?> list) {
            ArrayNode elements = node.add("list").addArray();
            for (Object element : list)
                elements.add(fromValue(element));
            return node;
        }
        if (value instanceof Map<?, ?> map) {
            ArrayNode entries = node.add("map").addArray();
            for (Map.Entry<?, ?> entry : map.entrySet())
                entries.addArray().add(fromValue(entry.getKey())).add(fromValue(entry.getValue()));
            return node;
        }
        if (value instanceof Struct struct) {
            node.add("struct").add(fromSchema(struct.schema()));
            ArrayNode values = node.addArray();
            for (Field field : struct.schema().fields())
                values.add(fromValue(struct.getWithoutDefault(field.name())));
            return node;
        }
        throw new IllegalArgumentException("no tag for " + value.getClass());
    }
}
