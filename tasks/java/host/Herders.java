package org.apache.kafka.connect.runtime.standalone;

import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.connector.policy.ConnectorClientConfigOverridePolicy;
import org.apache.kafka.connect.runtime.Worker;
import org.apache.kafka.connect.storage.MemoryConfigBackingStore;
import org.apache.kafka.connect.storage.StatusBackingStore;

/** A herder that is never started: the Worker wants one for the status store, and it validates. Its constructor is Kafka's own business. */
public final class Herders {
    private Herders() {
    }

    public static StandaloneHerder of(Worker worker, StatusBackingStore statuses, ConnectorClientConfigOverridePolicy policy) {
        return new StandaloneHerder(
                worker, worker.workerId(), "", statuses, new MemoryConfigBackingStore(worker.configTransformer()), policy, Time.SYSTEM);
    }
}
