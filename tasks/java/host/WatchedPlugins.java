package connectd.host;

import java.util.Map;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.sink.SinkTask;
import org.apache.kafka.connect.source.SourceTask;

/** Kafka's plugins, but that the calls of tasks are watched. */
final class WatchedPlugins extends Plugins {
    private final Watch watch;

    WatchedPlugins(Map<String, String> properties, Watch watch) {
        super(properties);
        this.watch = watch;
    }

    @Override
    public Task newTask(Class<? extends Task> taskClass) {
        Task task = super.newTask(taskClass);
        if (task instanceof SourceTask source) {
            return new WatchedSourceTask(source, watch);
        }
        return task instanceof SinkTask sink ? new WatchedSinkTask(sink, watch) : task;
    }
}
