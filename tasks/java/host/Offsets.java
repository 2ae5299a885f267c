package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.runtime.WorkerConfig;
import org.apache.kafka.connect.storage.OffsetBackingStore;
import org.apache.kafka.connect.util.Callback;

/** Source offsets, which connectd keeps: under Java's own keys and in Java's own form. */
final class Offsets implements OffsetBackingStore {
    private final Wire wire;
    private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final AtomicInteger numbers = new AtomicInteger();
    private volatile Set<Map<String, Object>> partitions = Set.of();

    Offsets(Wire wire) {
        this.wire = wire;
    }

    @Override
    public Future<Map<ByteBuffer, ByteBuffer>> get(Collection<ByteBuffer> keys) {
        List<ByteBuffer> asked = List.copyOf(keys);
        return ask("read", asked.stream().map(Offsets::text).toList()).thenApply(answer -> {
            Map<ByteBuffer, ByteBuffer> found = new HashMap<>();
            for (int i = 0; i < asked.size(); i++) {
                found.put(asked.get(i), bytes(answer.get("values").get(i)));
            }
            return found;
        });
    }

    @Override
    public Future<Void> set(Map<ByteBuffer, ByteBuffer> values, Callback<Void> callback) {
        List<List<String>> entries = new ArrayList<>();
        values.forEach((key, value) -> {
            List<String> entry = new ArrayList<>();
            entry.add(text(key));
            entry.add(text(value));
            entries.add(entry);
        });
        CompletableFuture<Void> done = ask("commit", entries).thenApply(answer -> null);
        if (callback != null) {
            // As Kafka's own stores: whoever hears of it goes on in a thread that is not the reader's.
            done.whenCompleteAsync((nothing, error) -> callback.onCompletion(error, null));
        }
        return done;
    }

    /** Returns when connectd lets a source go on that delivers exactly once: before, and after it has claimed its transactional id. */
    void check(boolean claimed) {
        try {
            ask("check", List.of(claimed)).join();
        } catch (CompletionException refused) {
            throw new ConnectException(refused.getCause().getMessage());
        }
    }

    private CompletableFuture<JsonNode> ask(String event, List<?> what) {
        int number = numbers.incrementAndGet();
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        waiting.put(number, answer);
        wire.send(event, "number", number, "what", what);
        return answer;
    }

    /** What was asked for has come. */
    void answer(JsonNode order) {
        CompletableFuture<JsonNode> asked = waiting.remove(order.get("number").asInt());
        if (order.hasNonNull("error")) {
            asked.completeExceptionally(new ConnectException(order.get("error").asText()));
        } else {
            asked.complete(order);
        }
    }

    /** The partitions of the only source that is asked about: the second half of its keys, which are pairs in JSON. */
    void knowKeys(JsonNode keys) throws Exception {
        Set<Map<String, Object>> found = new HashSet<>();
        for (JsonNode key : keys) {
            @SuppressWarnings("unchecked")
            Map<String, Object> partition =
                    Wire.JSON.convertValue(Wire.JSON.readTree(Base64.getDecoder().decode(key.asText())).get(1), Map.class);
            found.add(partition);
        }
        partitions = found;
    }

    @Override
    public Set<Map<String, Object>> connectorPartitions(String connector) {
        return partitions;
    }

    @Override
    public void configure(WorkerConfig config) {
    }

    @Override
    public void start() {
    }

    @Override
    public void stop() {
    }

    private static String text(ByteBuffer bytes) {
        if (bytes == null) {
            return null;
        }
        byte[] content = new byte[bytes.remaining()];
        bytes.duplicate().get(content);
        return Base64.getEncoder().encodeToString(content);
    }

    private static ByteBuffer bytes(JsonNode text) {
        return text.isNull() ? null : ByteBuffer.wrap(Base64.getDecoder().decode(text.asText()));
    }
}
