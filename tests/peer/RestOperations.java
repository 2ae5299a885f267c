import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.connect.runtime.rest.entities.ErrorMessage;
import org.apache.kafka.connect.runtime.rest.entities.LoggerLevel;
import org.apache.kafka.connect.runtime.rest.entities.Message;
import org.apache.kafka.connect.runtime.rest.entities.WorkerStatus;
import org.apache.kafka.connect.runtime.rest.resources.ConnectorPluginsResource;
import org.apache.kafka.connect.runtime.rest.resources.ConnectorsResource;
import org.apache.kafka.connect.runtime.rest.resources.LoggingResource;
import org.apache.kafka.connect.runtime.rest.resources.RootResource;

/**
 * The operations and entities of Kafka's own REST resources, read from their annotations: what its published OpenAPI
 * document says. An entity is a map from its properties to their types; a Response says nothing of its entity.
 */
public class RestOperations {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final List<Class<?>> RESOURCES =
        List.of(RootResource.class, ConnectorsResource.class, ConnectorPluginsResource.class, LoggingResource.class);

    private final Map<String, Object> operations = new TreeMap<>();
    private final Map<String, Object> entities = new TreeMap<>();

    public static void main(String[] args) throws Exception {
        RestOperations all = new RestOperations();
        for (Class<?> resource : RESOURCES)
            for (Method method : resource.getDeclaredMethods())
                all.add(resource, method);
        for (Class<?> inResponses : List.of(ErrorMessage.class, LoggerLevel.class, Message.class, WorkerStatus.class))
            all.type(inResponses);
        System.out.println(MAPPER.writeValueAsString(Map.of("operations", all.operations, "entities", all.entities)));
    }

    private void add(Class<?> resource, Method method) {
        for (Annotation annotation : method.getAnnotations()) {
            HttpMethod verb = annotation.annotationType().getAnnotation(HttpMethod.class);
            if (verb == null)
                continue;
            Path path = method.getAnnotation(Path.class);
            Map<String, Object> operation = new TreeMap<>();
            operation.put("method", verb.value());
            operation.put("path", join(resource.getAnnotation(Path.class).value(), path == null ? "" : path.value()));
            operation.put("response", type(method.getGenericReturnType()));
            Map<String, Object> inPath = new TreeMap<>();
            Map<String, Object> query = new TreeMap<>();
            for (Parameter parameter : method.getParameters())
                add(parameter, operation, inPath, query);
            operation.put("pathParameters", inPath);
            operation.put("query", query);
            operations.put(method.getName(), operation);
        }
    }

    private void add(Parameter parameter, Map<String, Object> operation, Map<String, Object> inPath, Map<String, Object> query) {
        Object type = type(parameter.getParameterizedType());
        DefaultValue byDefault = parameter.getAnnotation(DefaultValue.class);
        if (parameter.isAnnotationPresent(PathParam.class))
            inPath.put(parameter.getAnnotation(PathParam.class).value(), type);
        else if (!parameter.isAnnotationPresent(QueryParam.class) && !parameter.isAnnotationPresent(Context.class))
            operation.put("request", type);
        else if (parameter.isAnnotationPresent(QueryParam.class) && !hidden(parameter))
            query.put(
                parameter.getAnnotation(QueryParam.class).value(),
                Arrays.asList(type, byDefault == null ? null : byDefault.value())
            );
    }

    /** Workers tell each other with `forward` that a request comes from one of them. */
    private static boolean hidden(Parameter parameter) {
        return parameter.getAnnotation(QueryParam.class).value().equals("forward");
    }

    private static String join(String prefix, String path) {
        String joined = (prefix + "/" + path).replaceAll("/+", "/");
        return joined.length() > 1 && joined.endsWith("/") ? joined.substring(0, joined.length() - 1) : joined;
    }

    /** A name; `[type]` for a list, `{type}` for a map by name; null where nothing is known. */
    private Object type(Type type) {
        return type(MAPPER.constructType(type));
    }

    private Object type(JavaType type) {
        Class<?> raw = type.getRawClass();
        if (raw == Response.class || raw == void.class)
            return null;
        if (type.isMapLikeType())
            return "{" + type(type.getContentType()) + "}";
        if (type.isCollectionLikeType())
            return "[" + type(type.getContentType()) + "]";
        if (raw == Boolean.class || raw == boolean.class)
            return "boolean";
        if (raw == Integer.class || raw == int.class)
            return "integer";
        if (raw == String.class || raw.isEnum())
            return "string";
        if (!raw.getName().startsWith("org.apache.kafka"))
            return "any";
        String name = raw.getSimpleName();
        if (!entities.containsKey(name)) {
            Map<String, Object> properties = new TreeMap<>();
            entities.put(name, properties);
            List<BeanPropertyDefinition> found =
                new ArrayList<>(MAPPER.getSerializationConfig().introspect(type).findProperties());
            for (BeanPropertyDefinition property : found)
                if (property.couldSerialize())
                    properties.put(property.getName(), type(property.getPrimaryType()));
        }
        return name;
    }
}
