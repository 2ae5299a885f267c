// Prints what Kafka's own ConfigDef makes of the cases that tests/unit/connectd/test_config_vectors.py checks.
// Its output is kept in config_vectors.json; test_config_vectors.py beside it holds the two together.

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.Validator;
import org.apache.kafka.common.config.ConfigDef.Width;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.config.types.Password;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

public class ConfigVectors {

    private static final Map<Type, List<String>> INPUTS = new LinkedHashMap<>();
    static {
        INPUTS.put(Type.BOOLEAN, List.of("true", "FALSE", " True\t", "yes", "1", "", "tru e"));
        INPUTS.put(Type.STRING, List.of("", "  ", " a b ", "\u00a0a\u00a0", "\u2003a", "\u0001a\u001f", "a\u007f", "1,2"));
        INPUTS.put(Type.INT, List.of("0", "-0", "+7", " 42 ", "0010", "2147483647", "2147483648", "-2147483648", "-2147483649",
            "", "+", "-", "+-1", "1_000", "1.0", "1e3", "0x10", "1 0", "\u0663\u0664", "\uff11\uff12", "\ud835\udfd9", "\u00b2",
            "\u00a05", "99999999999999999999999999"));
        INPUTS.put(Type.SHORT, List.of("32767", "32768", "-32768", "-32769", "+1", "1.5", "abc"));
        INPUTS.put(Type.LONG, List.of("9223372036854775807", "9223372036854775808", "-9223372036854775808",
            "-9223372036854775809", "5L", "5l", "+5", ""));
        INPUTS.put(Type.DOUBLE, List.of("1", "1.", ".5", "-.5e3", "1e3", "1E+3", "1e-3", "1d", "1.5F", "1e400", "-1e400", "1e-400",
            "NaN", "-NaN", "nan", "Infinity", "-Infinity", "+Infinity", "infinity", "inf", "0x1p3", "0x1.8P1", "0x.8p0f", "0x1.",
            "0x1", "0x1p99999", "-0x1p99999", "0x1p-99999", "1_0", "", ".", "e5", "1e", "\u0661", "1,5", "-0", "0.1f", "12345678",
            "123456789012345678", "0.00012", " 2.5 ", "1dd", "Infinityd", "NaNf", "+-1", "-"));
        INPUTS.put(Type.LIST, List.of("", "  ", "a", "a,b", " a , b ", "a,,b", ",", "a,", ",a", "a b,c", "a\t,\nb", "a\u00a0,b",
            "a\u000b,b", "a\u001c,b"));
        INPUTS.put(Type.CLASS, List.of("", " ", "java.lang.String"));
        INPUTS.put(Type.PASSWORD, List.of("", " secret ", "a,b"));
    }

    private static final List<Object> NATIVES = Arrays.asList(null, true, 5, 5.5, List.of("a", "b"), "5");

    public static void main(String[] args) throws Exception {
        Map<String, Object> vectors = new LinkedHashMap<>();
        vectors.put("parse_strings", parseStrings());
        vectors.put("parse_natives", parseNatives());
        vectors.put("double_texts", doubleTexts());
        vectors.put("validators", validators());
        vectors.put("parse", parse());
        vectors.put("validate", validate());
        vectors.put("rst", definition().toEnrichedRst());
        vectors.put("embedded", embedded());
        vectors.put("prefixed", prefixed());
        System.out.println(JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .build()
            .writeValueAsString(vectors));
    }

    private static Map<String, Object> outcome(Type type, Object input) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("type", type.toString());
        row.put("input", input);
        try {
            row.put("parsed", readable(ConfigDef.parseType("key", input, type), type));
        } catch (ConfigException e) {
            row.put("error", e.getMessage());
        }
        return row;
    }

    /** A parsed value as JSON can hold it: doubles and classes as text, secrets readable. */
    private static Object readable(Object parsed, Type type) {
        if (parsed instanceof Password)
            return ((Password) parsed).value();
        if (parsed instanceof Double || parsed instanceof Class)
            return ConfigDef.convertToString(parsed, type);
        return parsed;
    }

    private static List<Object> parseStrings() {
        List<Object> rows = new ArrayList<>();
        INPUTS.forEach((type, inputs) -> inputs.forEach(input -> rows.add(outcome(type, input))));
        return rows;
    }

    private static List<Object> parseNatives() {
        List<Object> rows = new ArrayList<>();
        for (Type type : Type.values())
            for (Object input : NATIVES)
                if (!(type == Type.CLASS && input instanceof String) && !(type == Type.SHORT && input instanceof Integer))
                    rows.add(outcome(type, input));
        return rows;
    }

    private static List<Object> doubleTexts() {
        List<Object> rows = new ArrayList<>();
        for (double value : new double[] {0, -0.0, 1, 0.1, 100.25, 9999999, 1e7, 12345678.9, -1.5e16, 1e21, 1e-3, 9.99e-4, 1e-4, 1.25e-5, 1e100,
            Double.MAX_VALUE, Double.MIN_NORMAL, 1.0 / 3, 123456789012345680.0})
            rows.add(List.of(Double.toHexString(value), ConfigDef.convertToString(value, Type.DOUBLE)));
        return rows;
    }

    private static Map<String, Object> validators() {
        Map<String, Object> all = new LinkedHashMap<>();
        add(all, "between", ConfigDef.Range.between(0, 10), null, -1, 0, 10, 11);
        add(all, "between_doubles", ConfigDef.Range.between(0.5, 1.5), 0.25, 0.5, 1.75);
        add(all, "at_least", ConfigDef.Range.atLeast(3), null, 2, 3);
        add(all, "valid_string", ConfigDef.ValidString.in("a", "b"), null, "a", "A", "", "c");
        add(all, "case_insensitive", ConfigDef.CaseInsensitiveValidString.in("abc"), null, "abc", "aBC", "x");
        List<String> none = List.of();
        add(all, "list_in", ConfigDef.ValidList.in("a", "b"), null, none, List.of("a"), List.of("a", "b"), List.of("a", "a"), List.of("c"),
            List.of(""), List.of("A"));
        add(all, "list_in_not_empty", ConfigDef.ValidList.in(false, "a", "b"), none, List.of("b"));
        add(all, "any_list", ConfigDef.ValidList.anyNonDuplicateValues(true, true), null, none, List.of("x"), List.of("x", "x"), List.of("x", ""));
        add(all, "any_list_not_empty", ConfigDef.ValidList.anyNonDuplicateValues(false, false), null, none, List.of("x"));
        add(all, "non_null", new ConfigDef.NonNullValidator(), null, "a");
        add(all, "non_empty", new ConfigDef.NonEmptyString(), null, "", "a", " ");
        add(all, "no_control_chars", ConfigDef.NonEmptyStringWithoutControlChars.nonEmptyStringWithoutControlChars(),
            null, "", "a b", "a\nb\u0000", "\u007f\u0085\u009f\u00a0", "\ud83d\ude00");
        add(all, "list_size", ConfigDef.ListSize.atMostOfSize(1), List.of("a"), List.of("a", "b"));
        add(all, "composite", ConfigDef.CompositeValidator.of(new ConfigDef.NonNullValidator(), ConfigDef.ValidString.in("a", "")),
            null, "a", "b");
        add(all, "lambda", ConfigDef.LambdaValidator.with((name, value) -> {
            throw new ConfigException(name, value, "Never valid");
        }, () -> "nothing"), "a", true);
        return all;
    }

    private static void add(Map<String, Object> all, String label, Validator validator, Object... values) {
        List<Object> cases = new ArrayList<>();
        for (Object value : values == null ? new Object[] {null} : values) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("value", value);
            row.put("error", complaint(validator, value));
            cases.add(row);
        }
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("text", validator.toString());
        entry.put("cases", cases);
        all.put(label, entry);
    }

    private static String complaint(Validator validator, Object value) {
        try {
            validator.ensureValid("key", value);
            return null;
        } catch (ConfigException e) {
            return e.getMessage();
        }
    }

    /** The definition that the Python test builds too. */
    private static ConfigDef definition() {
        return new ConfigDef()
            .define("zeta", Type.STRING, Importance.LOW, "Last in the alphabet, first without a default.")
            .define("plain.low", Type.STRING, "", Importance.LOW, "Low.")
            .define("plain.high", Type.STRING, null, Importance.HIGH, "High.")
            .define("plain.also.high", Type.DOUBLE, 2.5, Importance.HIGH, "Also high.")
            .define("size", Type.INT, 5, ConfigDef.Range.between(1, 10), Importance.MEDIUM, "A size.", "Second", 2, Width.SHORT, "Size")
            .define("flag", Type.BOOLEAN, true, Importance.MEDIUM, "A flag.", "Second", 1, Width.SHORT, "Flag", List.of("size", "names"))
            .define("names", Type.LIST, List.of("a"), ConfigDef.ValidList.in("a", "b"), Importance.HIGH, "Names.\n\nTwo paragraphs.", "First", 1,
                Width.LONG, "Names", List.of(), new Letters())
            .define("interval.ms", Type.LONG, 3_600_000L, Importance.LOW, "An interval.")
            .define("timeout.ms", Type.LONG, 1500L, Importance.LOW, "A timeout.")
            .define("buffer.bytes", Type.INT, 2097152, Importance.LOW, "A buffer.")
            .define("block.bytes", Type.INT, 1024, Importance.LOW, "A block.")
            .define("secret", Type.PASSWORD, "hush", Importance.LOW, "A secret.")
            .defineInternal("internal", Type.INT, 1, Importance.HIGH);
    }

    private static class Letters implements ConfigDef.Recommender {
        @Override
        public List<Object> validValues(String name, Map<String, Object> parsed) {
            if (Integer.valueOf(9).equals(parsed.get("size")))
                throw new ConfigException("size", 9, "Nine has no letters");
            return new ArrayList<>(List.of("a", "b"));
        }

        @Override
        public boolean visible(String name, Map<String, Object> parsed) {
            return Boolean.TRUE.equals(parsed.get("flag"));
        }
    }

    private static List<Map<String, String>> properties() {
        List<Map<String, String>> all = new ArrayList<>();
        all.add(Map.of());
        all.add(Map.of("zeta", " z ", "size", "7", "flag", "false", "names", "b, a"));
        all.add(Map.of("zeta", "z", "size", "11"));
        all.add(Map.of("zeta", "z", "size", "seven", "names", "c"));
        all.add(Map.of("zeta", "z", "names", "a,a,b"));
        all.add(Map.of("zeta", "z", "size", "9", "secret", "quiet", "unknown", "x"));
        all.add(Collections.singletonMap("zeta", null));
        return all;
    }

    private static List<Object> parse() {
        List<Object> rows = new ArrayList<>();
        for (Map<String, String> props : properties()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("props", props);
            try {
                row.put("values", readable(definition().parse(props)));
            } catch (ConfigException e) {
                row.put("error", e.getMessage());
            }
            rows.add(row);
        }
        return rows;
    }

    private static Map<String, Object> readable(Map<String, Object> values) {
        Map<String, Object> sorted = new TreeMap<>(values);
        sorted.replaceAll((key, value) -> value instanceof Password ? ((Password) value).value() : value);
        return sorted;
    }

    private static List<Object> validate() {
        List<Object> rows = new ArrayList<>();
        for (Map<String, String> props : properties())
            rows.add(Map.of("props", props, "values", configValues(definition().validate(props))));
        ConfigDef undefined = definition().define("lonely", Type.STRING, "x", Importance.LOW, "Lonely.", "First", 2, Width.NONE, "Lonely",
            List.of("nowhere"));
        rows.add(Map.of("props", Map.of("zeta", "z"), "undefined", true, "values", configValues(undefined.validate(Map.of("zeta", "z")))));
        return rows;
    }

    private static Map<String, Object> configValues(List<ConfigValue> values) {
        Map<String, Object> sorted = new TreeMap<>();
        for (ConfigValue value : values) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("value", value.value() instanceof Password ? ((Password) value.value()).value() : value.value());
            row.put("recommended_values", value.recommendedValues());
            row.put("error_messages", value.errorMessages());
            row.put("visible", value.visible());
            sorted.put(value.name(), row);
        }
        return sorted;
    }

    private static Map<String, Object> embedded() {
        ConfigDef parent = new ConfigDef().define("own", Type.STRING, "", Importance.LOW, "Own.");
        parent.embed("child.", "Child", 3, definition());
        List<Object> keys = new ArrayList<>();
        for (ConfigDef.ConfigKey key : parent.configKeys().values()) {
            if (key.internalConfig)
                continue;
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("name", key.name);
            row.put("group", key.group);
            row.put("order", key.orderInGroup);
            row.put("display_name", key.displayName);
            row.put("dependents", key.dependents);
            keys.add(row);
        }
        Map<String, String> props = Map.of("child.zeta", "z", "child.size", "11", "child.names", "a,a");
        Map<String, Object> values = configValues(parent.validate(props));
        values.remove("child.internal");
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("keys", keys);
        result.put("props", props);
        result.put("values", values);
        return result;
    }

    private static List<Object> prefixed() {
        List<Object> rows = new ArrayList<>();
        for (Map<String, String> extra : List.of(Map.<String, String>of(), Map.of("p.size", "8", "p.x.size", "6", "p.nothing", "?", "p.", "!"))) {
            Map<String, String> props = new TreeMap<>(extra);
            props.put("zeta", "z");
            AbstractConfig config = new AbstractConfig(definition(), props, false);
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("props", props);
            row.put("originals_with_prefix", new TreeMap<>(config.originalsWithPrefix("p.")));
            row.put("values_with_prefix_override", readable(config.valuesWithPrefixOverride("p.")));
            row.put("values_with_prefix_all_or_nothing", readable(config.valuesWithPrefixAllOrNothing("p.")));
            rows.add(row);
        }
        return rows;
    }
}
