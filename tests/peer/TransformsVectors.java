// Answers cases, one JSON object a line on standard input, with what Java's transformations and predicates make of them.
// tests/peer/transforms_cases.py makes the cases, runs this and keeps the answers for the unit tests.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;

public class TransformsVectors {

    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        Locale.setDefault(Locale.US);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        // What transformations log must not get among the answers.
        System.setOut(System.err);
        String line;
        while ((line = in.readLine()) != null) {
            out.println(JSON.writeValueAsString(answers(JSON.readTree(line))));
        }
        out.flush();
    }

    /** One answer a record, or the one error of the configuration. */
    private static List<Object> answers(JsonNode test) throws Exception {
        Map<String, String> config = new HashMap<>();
        test.get("config").fields().forEachRemaining(e -> config.put(e.getKey(), e.getValue().asText()));
        Object plugin = Class.forName(test.get("class").asText()).getDeclaredConstructor().newInstance();
        try {
            if (plugin instanceof Predicate<?> predicate) {
                predicate.configure(config);
            } else {
                ((Transformation<?>) plugin).configure(config);
            }
        } catch (RuntimeException e) {
            return List.of(error(e));
        }
        List<Object> answers = new ArrayList<>();
        for (JsonNode record : test.get("records")) {
            try {
                answers.add(answer(plugin, decodeRecord(record)));
            } catch (RuntimeException e) {
                answers.add(error(e));
            }
        }
        return answers;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object answer(Object plugin, ConnectRecord record) {
        if (plugin instanceof Predicate predicate) {
            return predicate.test(record);
        }
        return encodeRecord(((Transformation) plugin).apply(record));
    }

    private static Object error(RuntimeException e) {
        boolean isConnect = e instanceof ConnectException || e instanceof org.apache.kafka.common.config.ConfigException;
        // Java prints the address of byte arrays, which is another one in each run.
        String message = String.valueOf(e.getMessage()).replaceAll("\\[B@[0-9a-f]+", "[B");
        Map<String, Object> error = new LinkedHashMap<>();
        error.put("error", e.getClass().getSimpleName());
        error.put("message", message);
        error.put("expected", isConnect);
        return error;
    }

    private static ConnectRecord<?> decodeRecord(JsonNode json) throws Exception {
        Schema keySchema = ValuesCodec.decodeSchema(json.get("key").get(0));
        Object key = ValuesCodec.decode(json.get("key").get(1));
        Schema valueSchema = ValuesCodec.decodeSchema(json.get("value").get(0));
        Object value = ValuesCodec.decode(json.get("value").get(1));
        Long timestamp = json.get("timestamp").isNull() ? null : json.get("timestamp").asLong();
        Integer partition = json.get("partition").isNull() ? null : json.get("partition").asInt();
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode header : json.get("headers")) {
            headers.add(header.get(0).asText(), ValuesCodec.decode(header.get(2)), ValuesCodec.decodeSchema(header.get(1)));
        }
        String topic = json.get("topic").asText();
        if (json.get("offset").isNull()) {
            return new SourceRecord(
                Map.of("file", "a"), Map.of("position", 1L), topic, partition, keySchema, key, valueSchema, value, timestamp, headers);
        }
        TimestampType type = timestamp == null ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME;
        return new SinkRecord(
            topic, partition, keySchema, key, valueSchema, value, json.get("offset").asLong(), timestamp, type, headers);
    }

    private static Object encodeRecord(ConnectRecord<?> record) {
        if (record == null) {
            return null;
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("topic", record.topic());
        json.put("partition", record.kafkaPartition());
        json.put("key", Arrays.asList(ValuesCodec.encodeSchema(record.keySchema()), ValuesCodec.encode(record.key())));
        json.put("value", Arrays.asList(ValuesCodec.encodeSchema(record.valueSchema()), ValuesCodec.encode(record.value())));
        json.put("timestamp", record.timestamp());
        List<Object> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            headers.add(Arrays.asList(header.key(), ValuesCodec.encodeSchema(header.schema()), ValuesCodec.encode(header.value())));
        }
        json.put("headers", headers);
        json.put("offset", record instanceof SinkRecord sink ? sink.kafkaOffset() : null);
        json.put("original", record instanceof SinkRecord sink
            ? Arrays.asList(sink.originalTopic(), sink.originalKafkaPartition(), sink.originalKafkaOffset()) : null);
        return json;
    }
}
