// Answers cases, one JSON object a line on standard input, with what Kafka's own Values, SchemaProjector and Decimal make
// of them. tests/peer/values_cases.py makes the cases, runs this and keeps the answers for the unit tests.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaProjector;
import org.apache.kafka.connect.data.Values;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;

public class ValuesVectors {

    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        // Connect parses and formats in the zone of the machine.
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        Locale.setDefault(Locale.ROOT);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        String line;
        while ((line = in.readLine()) != null) {
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                SchemaAndValue result = answer(JSON.readTree(line));
                answer.put("schema", result == null ? null : ValuesCodec.encodeSchema(result.schema()));
                answer.put("value", result == null ? null : ValuesCodec.encode(result.value()));
            } catch (RuntimeException e) {
                answer.put("error", e.getClass().getSimpleName());
            }
            out.println(JSON.writeValueAsString(answer));
        }
        out.flush();
    }

    private static SchemaAndValue answer(JsonNode test) throws Exception {
        Schema schema = test.has("schema") ? ValuesCodec.decodeSchema(test.get("schema")) : null;
        Object value = test.has("value") ? ValuesCodec.decode(test.get("value")) : null;
        return switch (test.get("op").asText()) {
            case "parse" -> Values.parseString(test.get("text").asText());
            case "infer" -> new SchemaAndValue(Values.inferSchema(value), null);
            case "project" ->
                new SchemaAndValue(
                    null, SchemaProjector.project(schema, value, ValuesCodec.decodeSchema(test.get("target"))));
            case "decimal" -> new SchemaAndValue(null, Decimal.fromLogical(schema, (BigDecimal) value));
            case "boolean" -> new SchemaAndValue(null, Values.convertToBoolean(schema, value));
            case "byte" -> new SchemaAndValue(null, Values.convertToByte(schema, value));
            case "short" -> new SchemaAndValue(null, Values.convertToShort(schema, value));
            case "integer" -> new SchemaAndValue(null, Values.convertToInteger(schema, value));
            case "long" -> new SchemaAndValue(null, Values.convertToLong(schema, value));
            case "float" -> new SchemaAndValue(null, Values.convertToFloat(schema, value));
            case "double" -> new SchemaAndValue(null, Values.convertToDouble(schema, value));
            case "string" -> new SchemaAndValue(null, Values.convertToString(schema, value));
            case "list" -> new SchemaAndValue(null, Values.convertToList(schema, value));
            case "map" -> new SchemaAndValue(null, Values.convertToMap(schema, value));
            case "date" -> new SchemaAndValue(null, Values.convertToDate(schema, value));
            case "time" -> new SchemaAndValue(null, Values.convertToTime(schema, value));
            case "timestamp" -> new SchemaAndValue(null, Values.convertToTimestamp(schema, value));
            case "to_decimal" -> new SchemaAndValue(null, Values.convertToDecimal(schema, value, test.get("scale").asInt()));
            default -> throw new AssertionError("unknown op in " + test);
        };
    }
}
