package org.apache.kafka.connect.runtime.distributed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.runtime.TargetState;
import org.apache.kafka.connect.runtime.distributed.IncrementalCooperativeAssignor.ClusterAssignment;
import org.apache.kafka.connect.runtime.distributed.WorkerCoordinator.ConnectorsAndTasks;
import org.apache.kafka.connect.storage.ClusterConfigState;
import org.apache.kafka.connect.util.ConnectorTaskId;

/**
 * Kafka's own assignor, one for each simulated worker. A line of JSON on standard input is one round of one of them: its
 * number, the clock, the generations, what is configured and what each member runs; the answer is a line of JSON on
 * standard output. Connectors and tasks are written as `name` and `name/number`.
 */
public class AssignorPeer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static long now;

    public static void main(String[] args) throws Exception {
        Time time = (Time) Proxy.newProxyInstance(Time.class.getClassLoader(), new Class<?>[] {Time.class},
            (proxy, method, arguments) -> {
                if (method.getName().equals("milliseconds"))
                    return now;
                throw new UnsupportedOperationException(method.getName());
            });
        Map<Integer, IncrementalCooperativeAssignor> assignors = new HashMap<>();
        PrintStream out = new PrintStream(System.out, false);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode round = JSON.readTree(line);
            now = round.get("now").asLong();
            IncrementalCooperativeAssignor assignor = assignors.computeIfAbsent(round.get("assignor").asInt(),
                number -> new IncrementalCooperativeAssignor(new LogContext(), time, round.get("max_delay").asInt()));
            out.println(decide(assignor, round));
            out.flush();
        }
    }

    private static JsonNode decide(IncrementalCooperativeAssignor assignor, JsonNode round) {
        Map<String, ConnectorsAndTasks> members = new HashMap<>();
        round.get("members").fields().forEachRemaining(member -> members.put(member.getKey(), units(member.getValue())));
        ClusterAssignment decided = assignor.performTaskAssignment(
            configured(round.get("configured")), round.get("last").asInt(), round.get("generation").asInt(), members);
        ObjectNode answer = JSON.createObjectNode().put("delay", assignor.delay);
        ObjectNode started = answer.putObject("started");
        ObjectNode revoked = answer.putObject("revoked");
        for (String member : members.keySet()) {
            put(started, member, decided.newlyAssignedConnectors(member), decided.newlyAssignedTasks(member));
            put(revoked, member, decided.newlyRevokedConnectors(member), decided.newlyRevokedTasks(member));
        }
        return answer;
    }

    private static ConnectorsAndTasks units(JsonNode names) {
        List<String> connectors = new ArrayList<>();
        List<ConnectorTaskId> tasks = new ArrayList<>();
        for (JsonNode name : names) {
            String[] parts = name.asText().split("/");
            if (parts.length == 1)
                connectors.add(parts[0]);
            else
                tasks.add(new ConnectorTaskId(parts[0], Integer.parseInt(parts[1])));
        }
        return new ConnectorsAndTasks.Builder().with(connectors, tasks).build();
    }

    private static ClusterConfigState configured(JsonNode counts) {
        Map<String, Integer> taskCounts = new HashMap<>();
        Map<String, Map<String, String>> connectors = new HashMap<>();
        Map<String, TargetState> states = new HashMap<>();
        Map<ConnectorTaskId, Map<String, String>> tasks = new HashMap<>();
        counts.fields().forEachRemaining(connector -> {
            String name = connector.getKey();
            taskCounts.put(name, connector.getValue().asInt());
            connectors.put(name, Map.of());
            states.put(name, TargetState.STARTED);
            for (int number = 0; number < connector.getValue().asInt(); number++)
                tasks.put(new ConnectorTaskId(name, number), Map.of());
        });
        return new ClusterConfigState(0, null, taskCounts, connectors, states, tasks,
            Map.of(), Map.of(), Map.of(), Set.of(), Set.of());
    }

    private static void put(ObjectNode answer, String member, Collection<String> connectors, Collection<ConnectorTaskId> tasks) {
        var names = answer.putArray(member);
        connectors.forEach(names::add);
        tasks.forEach(task -> names.add(task.connector() + "/" + task.task()));
    }
}
