package connectd.host;

import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.runtime.WorkerConfig;
import org.apache.kafka.connect.runtime.distributed.DistributedConfig;

/**
 * The worker's settings without those of a group, of storage topics or of a REST API: connectd has these.
 *
 * Only a source task that delivers exactly once is told of the group, and of the topic of offsets, which it writes itself.
 */
final class Settings extends WorkerConfig {
    Settings(Map<String, String> properties) {
        super(definition(), properties);
    }

    private static ConfigDef definition() {
        ConfigDef.Importance importance = ConfigDef.Importance.HIGH;
        return baseConfigDef()
                .define(DistributedConfig.EXACTLY_ONCE_SOURCE_SUPPORT_CONFIG, ConfigDef.Type.BOOLEAN, false, importance, "")
                .define(GROUP, ConfigDef.Type.STRING, null, importance, "")
                .define(DistributedConfig.OFFSET_STORAGE_TOPIC_CONFIG, ConfigDef.Type.STRING, null, importance, "")
                .define(DistributedConfig.OFFSET_STORAGE_PARTITIONS_CONFIG, ConfigDef.Type.INT, 25, importance, "")
                .define(DistributedConfig.OFFSET_STORAGE_REPLICATION_FACTOR_CONFIG, ConfigDef.Type.SHORT, (short) 3, importance, "");
    }

    private static final String GROUP = DistributedConfig.GROUP_ID_CONFIG;

    @Override
    public boolean exactlyOnceSourceEnabled() {
        return getBoolean(DistributedConfig.EXACTLY_ONCE_SOURCE_SUPPORT_CONFIG);
    }

    @Override
    public String groupId() {
        return getString(GROUP);
    }

    @Override
    public String offsetsTopic() {
        return getString(DistributedConfig.OFFSET_STORAGE_TOPIC_CONFIG);
    }

    /** It is asked for at each start, and only metrics reporters would see it. */
    @Override
    public String kafkaClusterId() {
        return "";
    }
}
