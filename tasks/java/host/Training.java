package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;

/** Does a little of everything, so that the virtual machine can keep what it has loaded for later ones. */
final class Training implements Host.Work {
    private static final long A_MOMENT_MS = 1500;

    private final Wire wire;
    private final Offsets offsets;
    private final JsonNode orders;

    Training(Wire wire, Offsets offsets, JsonNode first) {
        this.wire = wire;
        this.offsets = offsets;
        orders = first.get("orders");
    }

    @Override
    public void begin() {
        try {
            for (JsonNode order : orders) {
                Host.Work work = Host.work(wire, offsets, order);
                work.begin();
                Thread.sleep(A_MOMENT_MS);
                work.end();
            }
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        }
        wire.send("trained");
    }

    @Override
    public void obey(JsonNode order) {
    }

    @Override
    public void end() {
    }
}
