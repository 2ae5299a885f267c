package org.apache.kafka.connect.storage;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

import javax.crypto.spec.SecretKeySpec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.runtime.AbstractStatus;
import org.apache.kafka.connect.runtime.ConnectorStatus;
import org.apache.kafka.connect.runtime.RestartRequest;
import org.apache.kafka.connect.runtime.SessionKey;
import org.apache.kafka.connect.runtime.TargetState;
import org.apache.kafka.connect.runtime.TaskStatus;
import org.apache.kafka.connect.runtime.TopicStatus;
import org.apache.kafka.connect.runtime.WorkerConfig;
import org.apache.kafka.connect.runtime.distributed.DistributedConfig;
import org.apache.kafka.connect.util.Callback;
import org.apache.kafka.connect.util.ConnectorTaskId;
import org.apache.kafka.connect.util.KafkaBasedLog;
import org.apache.kafka.connect.util.SharedTopicAdmin;
import org.apache.kafka.connect.util.TopicAdmin;

/**
 * Kafka's own stores, driven from standard input: one JSON array of a command and its arguments a line, one line of JSON in
 * answer. With "topics" as the first argument the stores are connected to Kafka; without, they are fed record by record, and what
 * they would write is answered.
 */
public class StorageRecords {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final DistributedConfig config;
    private final boolean connected;
    private final SharedTopicAdmin admin;
    private final List<Object> events = new ArrayList<>();
    private final List<Object> written = new ArrayList<>();
    private final List<Object> loadSeconds = new ArrayList<>();
    private KafkaConfigBackingStore configs;
    private KafkaStatusBackingStore statuses;
    private KafkaOffsetBackingStore offsets;

    public static void main(String[] args) throws Exception {
        System.setProperty("org.apache.logging.log4j.level", "OFF"); // it would write between the answers
        Map<String, String> props = new HashMap<>();
        for (int i = 1; i < args.length; i++)
            props.put(args[i].substring(0, args[i].indexOf('=')), args[i].substring(args[i].indexOf('=') + 1));
        DistributedConfig config = new DistributedConfig(props);
        if (!args[0].equals("topics")) {
            Field clusterId = WorkerConfig.class.getDeclaredField("kafkaClusterId");
            clusterId.setAccessible(true);
            clusterId.set(config, "peer"); // nobody can be asked
        }
        StorageRecords peer = new StorageRecords(config, args[0].equals("topics"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = in.readLine(); line != null; line = in.readLine())
            System.out.println(JSON.writeValueAsString(peer.obey(JSON.readTree(line))));
        peer.stop();
    }

    private StorageRecords(DistributedConfig config, boolean connected) throws Exception {
        this.config = config;
        this.connected = connected;
        this.admin = new SharedTopicAdmin(new HashMap<>(config.originals()));
        reset();
    }

    private static JsonConverter converter(boolean isKey) {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "false"), isKey);
        return converter;
    }

    private void reset() throws Exception {
        events.clear();
        written.clear();
        configs = new KafkaConfigBackingStore(converter(false), config, null, admin, "peer-");
        configs.setUpdateListener(new Listener());
        statuses = new KafkaStatusBackingStore(Time.SYSTEM, converter(false), admin, "peer-");
        statuses.configure(config);
        offsets = new KafkaOffsetBackingStore(admin, () -> "peer-", converter(true));
        offsets.configure(config);
        if (connected) {
            for (Runnable start : List.<Runnable>of(configs::start, statuses::start, offsets::start)) {
                long before = System.nanoTime();
                start.run();
                loadSeconds.add((System.nanoTime() - before) / 1e9);
            }
            return;
        }
        // What a store would read it is given, what it would write is kept.
        callback = field(configs, "configLog", KafkaBasedLog.class, "consumedCallback");
        configs.setConfigLog(new Recorder());
        set(statuses, "kafkaLog", new Recorder());
    }

    private void stop() {
        if (connected) {
            configs.stop();
            statuses.stop();
            offsets.stop();
        }
        admin.close();
    }

    private Callback<ConsumerRecord<String, byte[]>> callback;

    private Object obey(JsonNode command) throws Exception {
        String name = command.get(1) == null ? null : command.get(1).asText();
        switch (command.get(0).asText()) {
            case "reset":
                reset();
                return true;
            case "started":
                set(configs, "started", true);
                return true;
            case "read":
                return read(name, command.get(2));
            case "connector":
                configs.putConnectorConfig(name, strings(command.get(2)),
                        command.get(3).isNull() ? null : TargetState.valueOf(command.get(3).asText()));
                return taken();
            case "remove":
                configs.removeConnectorConfig(name);
                return taken();
            case "tasks":
                List<Map<String, String>> tasks = new ArrayList<>();
                command.get(2).forEach(task -> tasks.add(strings(task)));
                configs.putTaskConfigs(name, tasks);
                return taken();
            case "target-state":
                configs.putTargetState(name, TargetState.valueOf(command.get(2).asText()));
                return taken();
            case "task-count":
                configs.putTaskCountRecord(name, command.get(2).asInt());
                return taken();
            case "session-key":
                configs.putSessionKey(new SessionKey(
                        new SecretKeySpec(bytes(command.get(1)), command.get(2).asText()), command.get(3).asLong()));
                return taken();
            case "restart":
                configs.putRestartRequest(new RestartRequest(name, command.get(2).asBoolean(), command.get(3).asBoolean()));
                return taken();
            case "logger":
                configs.putLoggerLevel(name, command.get(2).asText());
                return taken();
            case "status":
                putStatus(name, command);
                return taken();
            case "topic":
                statuses.put(new TopicStatus(name, command.get(2).asText(), command.get(3).asInt(), command.get(4).asLong()));
                return taken();
            case "no-topic":
                statuses.deleteTopic(command.get(2).asText(), name);
                return taken();
            case "offset":
                offsets.set(java.util.Collections.singletonMap(ByteBuffer.wrap(bytes(command.get(1))), buffer(command.get(2))), (error, nothing) -> { }).get();
                return true;
            case "partition":
                return BuiltInPartitioner.partitionForKey(bytes(command.get(1)), command.get(2).asInt());
            case "catch-up":
                configs.refresh(30, java.util.concurrent.TimeUnit.SECONDS);
                statuses.flush();
                field(statuses, "kafkaLog", KafkaBasedLog.class).readToEnd().get();
                offsets.offsetLog.readToEnd().get();
                return true;
            case "load-seconds":
                return loadSeconds;
            case "configs":
                return configState();
            case "events":
                return new ArrayList<>(events);
            case "statuses":
                return statusState(strings(command.get(1), command.get(2)));
            case "offsets":
                return offsetState(name);
            default:
                throw new IllegalArgumentException(command.toString());
        }
    }

    // --- reading -------------------------------------------------------------------------------------------------------

    private Object read(String store, JsonNode records) {
        for (JsonNode each : records) {
            try {
                long offset = each.get(0).asLong();
                byte[] key = bytes(each.get(1));
                if (store.equals("offsets"))
                    offsets.consumedCallback.onCompletion(null, record(offset, key, bytes(each.get(2))));
                else if (store.equals("configs"))
                    callback.onCompletion(null, record(offset, new String(key, "UTF-8"), bytes(each.get(2))));
                else
                    statuses.read(record(offset, new String(key, "UTF-8"), bytes(each.get(2))));
            } catch (Exception e) {
                // The thread that tails a topic logs it.
            }
        }
        return true;
    }

    private static <K> ConsumerRecord<K, byte[]> record(long offset, K key, byte[] value) {
        return new ConsumerRecord<>("topic", 0, offset, 0L, TimestampType.CREATE_TIME, 0, 0, key, value,
                new RecordHeaders(), java.util.Optional.empty());
    }

    private Object configState() {
        ClusterConfigState state = configs.snapshot();
        Map<String, Object> dump = new TreeMap<>();
        dump.put("offset", state.offset());
        SessionKey key = state.sessionKey();
        dump.put("session_key", key == null ? null : List.of(
                Base64.getEncoder().encodeToString(key.key().getEncoded()), key.key().getAlgorithm(), key.creationTimestamp()));
        dump.put("connectors", new TreeMap<>(state.connectorConfigs));
        dump.put("target_states", new TreeMap<>(state.connectorTargetStates));
        dump.put("task_counts", new TreeMap<>(state.connectorTaskCounts));
        Map<String, Object> tasks = new TreeMap<>();
        state.taskConfigs.forEach((id, task) -> tasks.put(id.toString(), task));
        dump.put("tasks", tasks);
        dump.put("task_count_records", new TreeMap<>(state.connectorTaskCountRecords));
        dump.put("generations", new TreeMap<>(state.connectorTaskConfigGenerations));
        Map<String, Object> applied = new TreeMap<>();
        state.appliedConnectorConfigs.forEach((name, config) -> applied.put(name, config.transformedConfig(null)));
        dump.put("applied", applied);
        dump.put("pending_fencing", new TreeSet<>(state.connectorsPendingFencing));
        dump.put("inconsistent", new TreeSet<>(state.inconsistentConnectors()));
        return dump;
    }

    private Object statusState(Collection<String> connectors) {
        Map<String, Object> dump = new TreeMap<>();
        for (String connector : connectors) {
            Map<String, Object> one = new TreeMap<>();
            one.put("connector", shown(statuses.get(connector)));
            Map<Integer, Object> tasks = new TreeMap<>();
            statuses.getAll(connector).forEach(task -> tasks.put(task.id().task(), shown(task)));
            one.put("tasks", tasks);
            Map<String, Object> topics = new TreeMap<>();
            for (TopicStatus topic : statuses.getAllTopics(connector))
                topics.put(topic.topic(), List.of(topic.connector(), topic.task(), topic.discoverTimestamp()));
            one.put("topics", topics);
            dump.put(connector, one);
        }
        return dump;
    }

    private static Object shown(AbstractStatus<?> status) {
        if (status == null)
            return null;
        List<Object> fields = new ArrayList<>();
        fields.add(status.state());
        fields.add(status.workerId());
        fields.add(status.generation());
        fields.add(status.trace());
        fields.add(status.version());
        return fields;
    }

    private Object offsetState(String connector) throws Exception {
        Map<String, Object> dump = new TreeMap<>();
        for (Map<String, Object> partition : offsets.connectorPartitions(connector)) {
            byte[] key = JSON.writeValueAsBytes(List.of(connector, partition));
            ByteBuffer value = offsets.data.get(ByteBuffer.wrap(key));
            dump.put(new String(key, "UTF-8"), value == null ? null : new String(value.array(), "UTF-8"));
        }
        return dump;
    }

    // --- writing -------------------------------------------------------------------------------------------------------

    private void putStatus(String connector, JsonNode command) {
        AbstractStatus.State state = AbstractStatus.State.valueOf(command.get(3).asText());
        String worker = command.get(4).asText();
        int generation = command.get(5).asInt();
        String trace = command.get(6).isNull() ? null : command.get(6).asText();
        String version = command.get(7).isNull() ? null : command.get(7).asText();
        boolean safe = command.get(8).asBoolean();
        if (command.get(2).isNull()) {
            ConnectorStatus status = new ConnectorStatus(connector, state, trace, worker, generation, version);
            if (safe) statuses.putSafe(status); else statuses.put(status);
        } else {
            ConnectorTaskId id = new ConnectorTaskId(connector, command.get(2).asInt());
            TaskStatus status = new TaskStatus(id, state, worker, generation, trace, version);
            if (safe) statuses.putSafe(status); else statuses.put(status);
        }
    }

    private Object taken() {
        List<Object> taken = new ArrayList<>(written);
        written.clear();
        return taken;
    }

    private class Recorder extends KafkaBasedLog<String, byte[]> {
        Recorder() {
            super("topic", new HashMap<>(), new HashMap<>(), () -> null, (error, record) -> { }, Time.SYSTEM, (TopicAdmin a) -> { });
        }

        @Override
        public Future<Void> readToEnd() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Future<RecordMetadata> sendWithReceipt(String key, byte[] value, org.apache.kafka.clients.producer.Callback callback) {
            List<Object> entry = new ArrayList<>();
            entry.add(key);
            entry.add(value == null ? null : Base64.getEncoder().encodeToString(value));
            written.add(entry);
            return CompletableFuture.completedFuture(null);
        }
    }

    private class Listener implements ConfigBackingStore.UpdateListener {
        @Override
        public void onConnectorConfigRemove(String connector) {
            events.add(List.of("remove", connector));
        }

        @Override
        public void onConnectorConfigUpdate(String connector) {
            events.add(List.of("update", connector));
        }

        @Override
        public void onTaskConfigUpdate(Collection<ConnectorTaskId> tasks) {
            events.add(List.of("tasks", new TreeSet<>(tasks.stream().map(ConnectorTaskId::toString).toList())));
        }

        @Override
        public void onConnectorTargetStateChange(String connector) {
            events.add(List.of("target-state", connector));
        }

        @Override
        public void onSessionKeyUpdate(SessionKey key) {
            events.add(List.of("session-key", key.creationTimestamp()));
        }

        @Override
        public void onRestartRequest(RestartRequest request) {
            events.add(List.of("restart", request.connectorName(), request.onlyFailed(), request.includeTasks()));
        }

        @Override
        public void onLoggingLevelUpdate(String namespace, String level) {
            events.add(List.of("logger", namespace, level));
        }
    }

    // --- helpers -------------------------------------------------------------------------------------------------------

    private static byte[] bytes(JsonNode base64) {
        return base64.isNull() ? null : Base64.getDecoder().decode(base64.asText());
    }

    private static ByteBuffer buffer(JsonNode base64) {
        byte[] bytes = bytes(base64);
        return bytes == null ? null : ByteBuffer.wrap(bytes);
    }

    private static Map<String, String> strings(JsonNode object) {
        Map<String, String> strings = new LinkedHashMap<>();
        object.properties().forEach(entry -> strings.put(entry.getKey(), entry.getValue().asText()));
        return strings;
    }

    private static List<String> strings(JsonNode array, JsonNode unused) {
        List<String> strings = new ArrayList<>();
        array.forEach(each -> strings.add(each.asText()));
        return strings;
    }

    private static void set(Object object, String name, Object value) throws Exception {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        field.set(object, value);
    }

    private static KafkaBasedLog<?, ?> field(Object object, String name, Class<?> type) throws Exception {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return (KafkaBasedLog<?, ?>) field.get(object);
    }

    @SuppressWarnings("unchecked")
    private static <T> T field(Object object, String name, Class<?> type, String inner) throws Exception {
        Object log = field(object, name, type);
        Field field = type.getDeclaredField(inner);
        field.setAccessible(true);
        return (T) field.get(log);
    }
}
