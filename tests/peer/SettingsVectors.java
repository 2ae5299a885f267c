import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.connect.runtime.SinkConnectorConfig;
import org.apache.kafka.connect.runtime.SourceConnectorConfig;
import org.apache.kafka.connect.runtime.distributed.Crypto;
import org.apache.kafka.connect.runtime.distributed.DistributedConfig;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;

/** Prints what Kafka declares for workers, connectors and clients, and the partitions of some keys. */
public class SettingsVectors {
    static final String[] KEYS = {
        "", "a", "ab", "abc", "abcd", "key-1", "key-2", "connect-0", "Gr\u00fc\u00dfe", "\u20ac\ud83d\ude00",
        "a-longer-key-of-more-than-thirty-two-bytes-0123456789"
    };

    static List<Map<String, Object>> keys(ConfigDef definition) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (ConfigDef.ConfigKey key : definition.configKeys().values()) {
            Map<String, Object> one = new TreeMap<>();
            one.put("name", key.name);
            one.put("type", key.type.name());
            one.put("required", key.defaultValue == ConfigDef.NO_DEFAULT_VALUE);
            one.put("default", key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null);
            one.put("importance", key.importance.name());
            one.put("group", key.group);
            one.put("width", key.width.name());
            one.put("display_name", key.displayName);
            all.add(one);
        }
        return all;
    }

    public static void main(String[] args) throws Exception {
        Field standalone = StandaloneConfig.class.getDeclaredField("CONFIG");
        standalone.setAccessible(true);
        Method distributed = DistributedConfig.class.getDeclaredMethod("config", Crypto.class);
        distributed.setAccessible(true);
        Map<String, Object> answers = new TreeMap<>();
        answers.put("DistributedConfig", keys((ConfigDef) distributed.invoke(null, Crypto.SYSTEM)));
        answers.put("StandaloneConfig", keys((ConfigDef) standalone.get(null)));
        answers.put("SourceConnectorConfig", keys(SourceConnectorConfig.configDef()));
        answers.put("SinkConnectorConfig", keys(SinkConnectorConfig.configDef()));
        answers.put("ProducerConfig", keys(ProducerConfig.configDef()));
        answers.put("ConsumerConfig", keys(ConsumerConfig.configDef()));
        answers.put("AdminClientConfig", keys(AdminClientConfig.configDef()));
        Map<String, Integer> partitions = new TreeMap<>();
        for (String key : KEYS) {
            byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
            partitions.put(key, Utils.toPositive(Utils.murmur2(bytes)) % 4);
        }
        answers.put("partition_of_four", partitions);
        ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);
        mapper.writerWithDefaultPrettyPrinter().writeValue(System.out, answers);
    }
}
