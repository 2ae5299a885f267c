package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;

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
        int code = 0;
        try {
            Logs.begin(wire);
            JsonNode first = wire.read();
            Logs.setLevels(Wire.texts(first.get("levels")));
            serve(wire, first);
            wire.send("stopped");
        } catch (Throwable error) {
            wire.send("broken", "trace", Wire.trace(error));
            code = FAILED;
        }
        // Not exit: what a plugin has left behind must not keep the process.
        Runtime.getRuntime().halt(code);
    }

    private static void serve(Wire wire, JsonNode first) throws Exception {
        Offsets offsets = new Offsets(wire);
        Work work = work(wire, offsets, first);
        // A thread of its own: who starts slowly must hear of the end of everything, and of offsets that it waits for.
        Thread starter = new Thread(() -> work.begin(), "start");
        starter.setContextClassLoader(Thread.currentThread().getContextClassLoader());
        starter.start();
        while (true) {
            JsonNode order = wire.read();
            if (order == null) {
                Runtime.getRuntime().halt(ORPHANED);
            }
            switch (order.get("order").asText()) {
                case "stop" -> {
                    starter.join();
                    work.end();
                    return;
                }
                case "offsets" -> offsets.answer(order);
                case "levels" -> Logs.setLevels(Wire.texts(order.get("levels")));
                default -> work.obey(order);
            }
        }
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
