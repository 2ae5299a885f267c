package org.apache.kafka.connect.runtime.distributed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.connect.util.ConnectorTaskId;

/**
 * What Kafka's workers send each other. Each line of standard input is a case in JSON: a worker's state with its assignment, and
 * the version to write it in. Each line of the output has the bytes that Java writes for both, and what Java reads
 * from the bytes that the case has of its own.
 */
public class GroupWirePeer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HexFormat HEX = HexFormat.of();

    public static void main(String[] args) throws Exception {
        for (String line : new BufferedReader(new InputStreamReader(System.in, "UTF-8")).lines().toList()) {
            JsonNode given = JSON.readTree(line);
            int version = given.get("version").asInt();
            ObjectNode answer = JSON.createObjectNode();
            ExtendedAssignment assignment = assignment(given.get("assignment"), version);
            ExtendedWorkerState state =
                new ExtendedWorkerState(given.get("url").asText(), given.get("offset").asLong(), assignment);
            if (assignment != null)
                answer.put("assignment", hex(version == 0
                    ? ConnectProtocol.serializeAssignment(assignment)
                    : IncrementalCooperativeConnectProtocol.serializeAssignment(assignment, version == 2)));
            answer.put("state", hex(version == 0
                ? ConnectProtocol.serializeMetadata(state)
                : IncrementalCooperativeConnectProtocol.serializeMetadata(state, version == 2)));
            ByteBuffer theirs = ByteBuffer.wrap(HEX.parseHex(given.get("state_bytes").asText()));
            ExtendedWorkerState read = version == 0
                ? new ExtendedWorkerState(ConnectProtocol.deserializeMetadata(theirs).url(), given.get("offset").asLong(), null)
                : IncrementalCooperativeConnectProtocol.deserializeMetadata(theirs);
            answer.put("url", read.url()).put("offset", read.offset());
            if (version > 0 && assignment != null)
                answer.set("claims", described(read.assignment()));
            if (given.hasNonNull("assignment_bytes"))
                answer.set("read", described(IncrementalCooperativeConnectProtocol.deserializeAssignment(
                    ByteBuffer.wrap(HEX.parseHex(given.get("assignment_bytes").asText())))));
            System.out.println(answer);
        }
    }

    private static ExtendedAssignment assignment(JsonNode node, int version) {
        return node.isNull() ? null : new ExtendedAssignment((short) version, (short) node.get("error").asInt(),
            node.get("leader").asText(), node.get("leader_url").asText(), node.get("offset").asLong(),
            connectors(node.get("connectors")), tasks(node.get("tasks")),
            connectors(node.get("revoked_connectors")), tasks(node.get("revoked_tasks")), node.get("delay_ms").asInt());
    }

    private static List<String> connectors(JsonNode names) {
        List<String> found = new ArrayList<>();
        names.forEach(name -> found.add(name.asText()));
        return found;
    }

    private static List<ConnectorTaskId> tasks(JsonNode pairs) {
        List<ConnectorTaskId> found = new ArrayList<>();
        pairs.forEach(pair -> found.add(new ConnectorTaskId(pair.get(0).asText(), pair.get(1).asInt())));
        return found;
    }

    private static ObjectNode described(ExtendedAssignment assignment) {
        ObjectNode found = JSON.createObjectNode()
            .put("version", assignment.version()).put("error", assignment.error())
            .put("leader", assignment.leader()).put("leader_url", assignment.leaderUrl())
            .put("offset", assignment.offset());
        found.set("connectors", names(assignment.connectors()));
        found.set("tasks", pairs(assignment.tasks()));
        found.set("revoked_connectors", names(assignment.revokedConnectors()));
        found.set("revoked_tasks", pairs(assignment.revokedTasks()));
        return found.put("delay_ms", assignment.delay());
    }

    private static ArrayNode names(Collection<String> connectors) {
        ArrayNode found = JSON.createArrayNode();
        connectors.forEach(found::add);
        return found;
    }

    private static ArrayNode pairs(Collection<ConnectorTaskId> tasks) {
        ArrayNode found = JSON.createArrayNode();
        tasks.forEach(task -> found.addArray().add(task.connector()).add(task.task()));
        return found;
    }

    private static String hex(ByteBuffer bytes) {
        byte[] found = new byte[bytes.remaining()];
        bytes.get(found);
        return HEX.formatHex(found);
    }
}
