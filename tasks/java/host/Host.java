package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.CountDownLatch;

/**
 * A Java virtual machine that runs one connector or one task for connectd, or answers its questions about connectors.
 *
 * Kafka's own Worker does the work; what it needs of a cluster (offsets, statuses, configurations) goes over the wire.
 */
public final class Host {
    static final int FAILED = 70;
    static final int ORPHANED = 75;

    private Host() {
    }

    public static void main(String[] arguments) {
        Wire wire = new Wire();
        try {
            Logs.begin(wire);
            JsonNode first = wire.read();
            Logs.setLevels(Wire.texts(first.get("levels")));
            run(wire, first);
            wire.send("stopped");
            // Not exit: what a plugin has left behind must not keep the process.
            Runtime.getRuntime().halt(0);
        } catch (Throwable error) {
            giveUp(wire, error);
        }
    }

    /** Returns when it was ordered to stop and all is stopped. */
    private static void run(Wire wire, JsonNode first) throws InterruptedException {
        Offsets offsets = new Offsets(wire);
        Work work = work(wire, offsets, first);
        CountDownLatch stop = new CountDownLatch(1);
        // A thread of its own: who starts or stops slowly must hear of the end of everything, and of offsets that it waits for.
        new Thread(() -> obey(wire, offsets, work, stop), "orders").start();
        work.begin();
        stop.await();
        work.end();
    }

    private static void obey(Wire wire, Offsets offsets, Work work, CountDownLatch stop) {
        try {
            while (true) {
                JsonNode order = wire.read();
                if (order == null) {
                    Runtime.getRuntime().halt(ORPHANED);
                }
                switch (order.get("order").asText()) {
                    case "stop" -> stop.countDown();
                    case "offsets" -> offsets.answer(order);
                    case "levels" -> Logs.setLevels(Wire.texts(order.get("levels")));
                    default -> work.obey(order);
                }
            }
        } catch (Throwable error) {
            giveUp(wire, error);
        }
    }

    private static void giveUp(Wire wire, Throwable error) {
        wire.send("broken", "trace", Wire.trace(error));
        Runtime.getRuntime().halt(FAILED);
    }

    static Work work(Wire wire, Offsets offsets, JsonNode first) {
        return switch (first.get("order").asText()) {
            case "task" -> new TaskWork(wire, offsets, first);
            case "connector" -> new ConnectorWork(wire, offsets, first);
            case "train" -> new Training(wire, offsets, first);
            default -> new Answers(wire, offsets, first);
        };
    }

    /** What this virtual machine is for. */
    interface Work {
        void begin();

        void obey(JsonNode order);

        void end();
    }
}
