// A Leshan LwM2M server and a Leshan bootstrap server in one process, driven by lines of JSON: Leshan does the LwM2M, CoAP,
// DTLS and OSCORE, this file only passes on what it is told and says what happened.
//
// stdin:  {"id": 1, "do": "read", "endpoint": "dev1", "path": "/3/0", "format": 112}
// stdout: {"id": 1, "code": 205, "values": {"/3/0/16": "U", ...}} or {"id": 1, "raised": "TimeoutException: ..."}
//         {"event": "registered", "endpoint": "dev1", ...}; the first one is "started" and has the servers' URIs.
// The end of stdin ends it. java -cp CLASSPATH Servers.java [AWAKE_MS]

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.leshan.core.endpoint.EndpointUriUtil;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.node.*;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.oscore.OscoreSetting;
import org.eclipse.leshan.core.peer.LwM2mPeer;
import org.eclipse.leshan.core.request.*;
import org.eclipse.leshan.core.response.*;
import org.eclipse.leshan.core.util.Hex;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.bootstrap.*;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.CaliforniumBootstrapServerEndpointsProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapOscoreBootstrapServerEndpointFactory;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coaps.CoapsBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.californium.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.server.californium.endpoint.coap.CoapOscoreServerEndpointFactory;
import org.eclipse.leshan.server.californium.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.server.californium.endpoint.coaps.CoapsServerProtocolProvider;
import org.eclipse.leshan.server.model.VersionedBootstrapModelProvider;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.queue.PresenceListener;
import org.eclipse.leshan.server.queue.StaticClientAwakeTimeProvider;
import org.eclipse.leshan.server.registration.*;
import org.eclipse.leshan.server.security.*;
import org.eclipse.leshan.server.send.SendListener;

public class Servers implements RegistrationListener, ObservationListener, SendListener, PresenceListener {
    static final ObjectMapper JSON = new ObjectMapper();
    static final PrintStream OUT = System.out;
    static final InetSocketAddress ANY_PORT = new InetSocketAddress("127.0.0.1", 0);
    static final long TIMEOUT_MS = 10_000;

    final InMemorySecurityStore trusted = new InMemorySecurityStore(), trustedByBootstrap = new InMemorySecurityStore();
    final InMemoryBootstrapConfigStore configurations = new InMemoryBootstrapConfigStore();
    final LeshanServer server;
    final LeshanBootstrapServer bootstrap;

    public static void main(String[] arguments) throws Exception {
        Servers servers = new Servers(arguments.length > 0 ? Integer.parseInt(arguments[0]) : 93_000);
        ExecutorService asked = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode order = JSON.readTree(line);
            asked.execute(() -> servers.answer(order));
        }
        asked.shutdownNow();
        asked.awaitTermination(1, TimeUnit.SECONDS);
        System.exit(0);
    }

    Servers(int awakeMs) throws Exception {
        LeshanServerBuilder builder = new LeshanServerBuilder();
        builder.setSecurityStore(trusted);
        builder.setObjectModelProvider(new VersionedModelProvider(ObjectLoader.loadAllDefault()));
        builder.setClientAwakeTimeProvider(new StaticClientAwakeTimeProvider(awakeMs));
        builder.setUpdateRegistrationOnNotification(true);
        builder.setUpdateRegistrationOnSend(true);
        CaliforniumServerEndpointsProvider.Builder ways = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider(), new CoapsServerProtocolProvider());
        ways.setConfiguration(withConnectionIds(ways.createDefaultConfiguration()));
        ways.addEndpoint(new CoapOscoreServerEndpointFactory(EndpointUriUtil.createUri("coap", ANY_PORT)));
        ways.addEndpoint(ANY_PORT, Protocol.COAPS);
        builder.setEndpointsProviders(ways.build());
        server = builder.build();

        LeshanBootstrapServerBuilder first = new LeshanBootstrapServerBuilder();
        first.setConfigStore(configurations);
        first.setSecurityStore(new BootstrapSecurityStoreAdapter(trustedByBootstrap));
        first.setObjectModelProvider(new VersionedBootstrapModelProvider(ObjectLoader.loadAllDefault()));
        CaliforniumBootstrapServerEndpointsProvider.Builder firstWays =
                new CaliforniumBootstrapServerEndpointsProvider.Builder(new CoapBootstrapServerProtocolProvider(),
                        new CoapsBootstrapServerProtocolProvider());
        firstWays.setConfiguration(withConnectionIds(firstWays.createDefaultConfiguration()));
        firstWays.addEndpoint(
                new CoapOscoreBootstrapServerEndpointFactory(EndpointUriUtil.createUri("coap", ANY_PORT)));
        firstWays.addEndpoint(ANY_PORT, Protocol.COAPS);
        first.setEndpointsProviders(firstWays.build());
        bootstrap = first.build();

        server.getRegistrationService().addListener(this);
        server.getObservationService().addListener(this);
        server.getSendService().addListener(this);
        server.getPresenceService().addListener(this);
        bootstrap.addListener(new Bootstraps());
        server.start();
        bootstrap.start();
        ObjectNode started = event("started", null);
        server.getEndpoints().forEach(one -> started.put(one.getProtocol().getUriScheme(), one.getURI().toString()));
        bootstrap.getEndpoints()
                .forEach(one -> started.put("bs-" + one.getProtocol().getUriScheme(), one.getURI().toString()));
        say(started);
    }

    static Configuration withConnectionIds(Configuration configuration) {
        return configuration.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, 6); // as Leshan's demo has it
    }

    // -- what is asked for

    void answer(JsonNode order) {
        ObjectNode answer = JSON.createObjectNode().put("id", order.path("id").asInt());
        try {
            obey(order, answer);
        } catch (Throwable problem) {
            answer.put("raised", problem.getClass().getSimpleName() + ": " + problem.getMessage());
        }
        say(answer);
    }

    void obey(JsonNode order, ObjectNode answer) throws Exception {
        String endpoint = order.path("endpoint").asText();
        switch (order.path("do").asText()) {
            case "trust" -> (bootstraps(order) ? trustedByBootstrap : trusted).add(securityInfo(endpoint, order));
            case "distrust" -> (bootstraps(order) ? trustedByBootstrap : trusted).remove(endpoint, true);
            case "configure" -> configurations.add(endpoint, JSON.convertValue(order.get("config"), BootstrapConfig.class));
            case "cancel" -> server.getObservationService() // at once, and silently: the next notification gets a Reset
                    .cancelObservations(registration(endpoint), order.path("path").asText());
            default -> ask(registration(endpoint), order, answer);
        }
    }

    void ask(Registration client, JsonNode order, ObjectNode answer) throws Exception {
        LwM2mResponse response = server.send(client, request(client, order), TIMEOUT_MS);
        if (response == null)
            throw new java.util.concurrent.TimeoutException("no answer from " + client.getEndpoint());
        answer.put("code", response.getCode().getCode()).put("message", response.getErrorMessage());
        if (response instanceof CreateResponse created)
            answer.put("location", created.getLocation());
        if (response instanceof DiscoverResponse found)
            answer.put("links", Arrays.toString(found.getObjectLinks()));
        if (response.isSuccess())
            answer.set("values", contents(response, order.path("path").asText()));
    }

    DownlinkRequest<? extends LwM2mResponse> request(Registration client, JsonNode order) throws Exception {
        String path = order.path("path").asText();
        ContentFormat format = order.hasNonNull("format") ? ContentFormat.fromCode(order.get("format").asInt()) : null;
        switch (order.path("do").asText()) {
            case "read": return new ReadRequest(format, path);
            case "observe": return new ObserveRequest(format, path);
            case "unobserve": return unobserve(client, path);
            case "discover": return new DiscoverRequest(path);
            case "execute": return new ExecuteRequest(path, order.path("arguments").asText(null));
            case "delete": return new DeleteRequest(path);
            case "attributes": return new WriteAttributesRequest(path, new LwM2mAttributeSet(
                    new DefaultLwM2mAttributeParser().parseUriQuery(order.path("attributes").asText())));
            case "replace": return new WriteRequest(WriteRequest.Mode.REPLACE, format, path, node(path, order));
            case "update": return new WriteRequest(WriteRequest.Mode.UPDATE, format, path, node(path, order));
            case "create": return create(format, path, order);
            case "read-composite": return new ReadCompositeRequest(format, format, paths(order));
            case "observe-composite": return new ObserveCompositeRequest(format, format, paths(order));
            case "write-composite": return new WriteCompositeRequest(format, plain(order.get("values")));
            default: throw new IllegalArgumentException("what is " + order + "?");
        }
    }

    /** Without an "instance" its id is for the device to choose. */
    CreateRequest create(ContentFormat format, String path, JsonNode order) {
        if (order.hasNonNull("instance"))
            return new CreateRequest(format, path,
                    (LwM2mObjectInstance) node(path + "/" + order.get("instance").asInt(), order));
        return new CreateRequest(format, path, ((LwM2mObjectInstance) node(path + "/0", order)).getResources().values());
    }

    DownlinkRequest<? extends LwM2mResponse> unobserve(Registration client, String path) {
        for (Observation one : server.getObservationService().getObservations(client)) {
            if (one instanceof SingleObservation single && single.getPath().toString().equals(path))
                return new CancelObservationRequest(single);
            if (one instanceof CompositeObservation composite && path.isEmpty())
                return new CancelCompositeObservationRequest(composite);
        }
        throw new IllegalArgumentException("nothing is observed at " + path);
    }

    Registration registration(String endpoint) {
        Registration found = server.getRegistrationService().getByEndpoint(endpoint);
        if (found == null)
            throw new IllegalArgumentException(endpoint + " is not registered");
        return found;
    }

    static boolean bootstraps(JsonNode order) {
        return order.path("bootstrap").asBoolean();
    }

    static SecurityInfo securityInfo(String endpoint, JsonNode order) {
        byte[] key = bytes(order, "key");
        if (order.has("identity"))
            return SecurityInfo.newPreSharedKeyInfo(endpoint, order.get("identity").asText(), key);
        return SecurityInfo.newOscoreInfo(endpoint, new OscoreSetting(bytes(order, "sender"),
                bytes(order, "recipient"), key, 10, -10, bytes(order, "salt"))); // AES-CCM-16-64-128, HKDF-SHA256
    }

    static byte[] bytes(JsonNode order, String name) {
        return Hex.decodeHex(order.path(name).asText().toCharArray());
    }

    // -- values from JSON

    static String[] paths(JsonNode order) {
        List<String> found = new ArrayList<>();
        order.path("paths").forEach(path -> found.add(path.asText()));
        return found.toArray(new String[0]);
    }

    static Map<String, Object> plain(JsonNode values) {
        Map<String, Object> found = new HashMap<>();
        values.fields().forEachRemaining(entry -> found.put(entry.getKey(), value(entry.getValue(), null)));
        return found;
    }

    /** "value" for a resource or one of its instances, {"0": .., "1": ..} for several; "values" by resource id for an
     * instance. */
    LwM2mNode node(String text, JsonNode order) {
        LwM2mPath path = new LwM2mPath(text);
        if (path.isResourceInstance()) {
            Object value = value(order.get("value"), model(path.getObjectId(), path.getResourceId()));
            return LwM2mResourceInstance.newInstance(path.getResourceInstanceId(), value, type(value));
        }
        if (path.isResource())
            return resource(path.getObjectId(), path.getResourceId(), order.get("value"));
        Collection<LwM2mResource> resources = new ArrayList<>();
        order.get("values").fields().forEachRemaining(entry -> resources
                .add(resource(path.getObjectId(), Integer.parseInt(entry.getKey()), entry.getValue())));
        return new LwM2mObjectInstance(path.getObjectInstanceId(), resources);
    }

    LwM2mResource resource(int object, int id, JsonNode json) {
        ResourceModel.Type model = model(object, id);
        if (!json.isObject()) {
            Object value = value(json, model);
            return LwM2mSingleResource.newResource(id, value, type(value));
        }
        Map<Integer, Object> values = new HashMap<>();
        json.fields().forEachRemaining(one -> values.put(Integer.parseInt(one.getKey()), value(one.getValue(), model)));
        return LwM2mMultipleResource.newResource(id, values, type(values.values().iterator().next()));
    }

    static ResourceModel.Type model(int object, int id) {
        return ObjectLoader.loadDefault().stream().filter(one -> one.id == object && one.resources.containsKey(id))
                .map(one -> one.resources.get(id).type).findFirst().orElse(null);
    }

    static Object value(JsonNode json, ResourceModel.Type model) {
        if (model == ResourceModel.Type.OPAQUE)
            return Hex.decodeHex(json.asText().toCharArray());
        if (model == ResourceModel.Type.TIME)
            return new Date(1000 * json.asLong());
        if (model == ResourceModel.Type.FLOAT || json.isDouble())
            return json.asDouble();
        return json.isBoolean() ? (Object) json.asBoolean() : json.isNumber() ? (Object) json.asLong() : json.asText();
    }

    static ResourceModel.Type type(Object value) {
        return value instanceof byte[] ? ResourceModel.Type.OPAQUE : value instanceof Date ? ResourceModel.Type.TIME
                : value instanceof Double ? ResourceModel.Type.FLOAT : value instanceof Long ? ResourceModel.Type.INTEGER
                : value instanceof Boolean ? ResourceModel.Type.BOOLEAN : ResourceModel.Type.STRING;
    }

    // -- values to JSON

    static ObjectNode contents(LwM2mResponse response, String path) {
        ObjectNode out = JSON.createObjectNode();
        if (response instanceof ReadResponse read)
            flatten(out, path, read.getContent());
        if (response instanceof CancelObservationResponse last)
            flatten(out, path, last.getContent());
        if (response instanceof ReadCompositeResponse composite)
            composite.getContent().forEach((where, node) -> flatten(out, where.toString(), node));
        return out;
    }

    static void flatten(ObjectNode out, String path, LwM2mNode node) {
        if (node instanceof LwM2mObject object)
            object.getInstances().forEach((id, one) -> flatten(out, path + "/" + id, one));
        else if (node instanceof LwM2mObjectInstance instance)
            instance.getResources().forEach((id, one) -> flatten(out, path + "/" + id, one));
        else if (node instanceof LwM2mMultipleResource many)
            many.getInstances().forEach((id, one) -> flatten(out, path + "/" + id, one));
        else if (node instanceof LwM2mSingleResource one)
            out.set(path, JSON.valueToTree(readable(one.getValue())));
        else if (node instanceof LwM2mResourceInstance one)
            out.set(path, JSON.valueToTree(readable(one.getValue())));
        else
            out.putNull(path);
    }

    static Object readable(Object value) {
        if (value instanceof byte[] data)
            return "hex:" + Hex.encodeHexString(data);
        if (value instanceof Date when)
            return when.getTime() / 1000;
        return value instanceof Number || value instanceof Boolean ? value : value.toString();
    }

    static ObjectNode event(String what, Registration of) {
        ObjectNode event = JSON.createObjectNode().put("event", what);
        if (of != null) {
            event.put("endpoint", of.getEndpoint()).put("registration", of.getId());
            event.put("address", of.getAddress().getHostAddress()).put("port", of.getPort());
            event.put("identity", of.getClientTransportData().getIdentity().toString());
        }
        return event;
    }

    static synchronized void say(ObjectNode what) {
        OUT.println(what);
        OUT.flush();
    }

    // -- what happens

    static void saySeen(String what, Registration of) {
        ObjectNode event = event(what, of).put("lifetime", of.getLifeTimeInSec());
        event.put("version", of.getLwM2mVersion().toString()).put("binding", BindingMode.toString(of.getBindingMode()));
        event.put("queue", of.usesQueueMode()).put("links", Arrays.toString(of.getObjectLinks()));
        event.set("more", JSON.valueToTree(of.getAdditionalRegistrationAttributes()));
        say(event);
    }

    public void registered(Registration now, Registration before, Collection<Observation> observations) {
        saySeen("registered", now);
    }

    public void updated(RegistrationUpdate update, Registration now, Registration before) {
        saySeen("updated", now);
    }

    public void unregistered(Registration of, Collection<Observation> observations, boolean expired, Registration now) {
        say(event(now != null ? "replaced" : expired ? "expired" : "unregistered", of));
    }

    public void newObservation(Observation observation, Registration of) {
    }

    public void cancelled(Observation observation) {
    }

    public void onResponse(SingleObservation observation, Registration of, ObserveResponse response) {
        ObjectNode event = event("notified", of).put("path", observation.getPath().toString());
        event.set("values", contents(response, observation.getPath().toString()));
        say(event);
    }

    public void onResponse(CompositeObservation observation, Registration of, ObserveCompositeResponse response) {
        ObjectNode event = event("notified", of).put("path", "");
        event.set("values", contents(response, ""));
        say(event);
    }

    public void onError(Observation observation, Registration of, Exception error) {
        say(event("error", of).put("message", String.valueOf(error)));
    }

    public void dataReceived(Registration of, TimestampedLwM2mNodes data, SendRequest request) {
        data.getTimestamps().forEach(when -> {
            ObjectNode event = event("sent", of).put("time", when == null ? null : when.toEpochMilli() / 1000.0);
            ObjectNode values = event.putObject("values");
            data.getNodesAt(when).forEach((path, node) -> flatten(values, path.toString(), node));
            say(event);
        });
    }

    public void onError(Registration of, String message, Exception error) {
        say(event("error", of).put("message", message + ": " + error));
    }

    public void onAwake(Registration of) {
        say(event("awake", of));
    }

    public void onSleeping(Registration of) {
        say(event("asleep", of));
    }

    static class Bootstraps implements BootstrapSessionListener {
        static void tell(String what, String endpoint, Object detail) {
            say(event("bootstrap-" + what, null).put("endpoint", endpoint).put("detail", String.valueOf(detail)));
        }

        public void sessionInitiated(BootstrapRequest request, LwM2mPeer client) {
            tell("asked", request.getEndpointName(), client.getIdentity());
        }

        public void unAuthorized(BootstrapRequest request, LwM2mPeer client) {
            tell("refused", request.getEndpointName(), client.getIdentity());
        }

        public void authorized(BootstrapSession session) {
        }

        public void noConfig(BootstrapSession session) {
            tell("unknown", session.getEndpoint(), null);
        }

        public void sendRequest(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request) {
        }

        public void onResponseSuccess(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            tell("done", session.getEndpoint(), request.getClass().getSimpleName() + " " + request.getPath());
        }

        public void onResponseError(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            tell("error", session.getEndpoint(), request + " " + response);
        }

        public void onRequestFailure(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, Throwable cause) {
            tell("error", session.getEndpoint(), request + " " + cause);
        }

        public void end(BootstrapSession session) {
            tell("end", session.getEndpoint(), null);
        }

        public void failed(BootstrapSession session, BootstrapFailureCause cause) {
            tell("failed", session.getEndpoint(), cause);
        }
    }
}
