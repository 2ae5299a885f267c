package connectd.host;

import java.util.Map;
import org.apache.kafka.connect.runtime.WorkerConfig;

/** The worker's settings without those of a group, of storage topics or of a REST API: connectd has these. */
final class Settings extends WorkerConfig {
    Settings(Map<String, String> properties) {
        super(baseConfigDef(), properties);
    }

    /** It is asked for at each start, and only metrics reporters would see it. */
    @Override
    public String kafkaClusterId() {
        return "";
    }
}
