package connectd.host;

import org.apache.kafka.connect.runtime.TopicStatus;
import org.apache.kafka.connect.storage.MemoryStatusBackingStore;

/** Tells of each topic that a task uses for the first time (KIP-558). */
final class Topics extends MemoryStatusBackingStore {
    private final Wire wire;

    Topics(Wire wire) {
        this.wire = wire;
    }

    @Override
    public void put(TopicStatus status) {
        super.put(status);
        wire.send("topic", "topic", status.topic());
    }

    void forget(String connector) {
        getAllTopics(connector).forEach(each -> deleteTopic(connector, each.topic()));
    }
}
