package dev.gatewright

import dev.gatewright.internal.Native
import dev.gatewright.internal.OpenClient
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer

/**
 * A client of one API. All its calls share connections, limits and the retry budget: make one for each API, and keep it. It is safe for use
 * from any coroutine and any thread.
 *
 * ```
 * val client = Client("https://api.example.com/v1") { auth = Auth.bearer("sk_live_...") }
 * val contact: Contact = client.get("/contacts/ct_1").json()
 * ```
 *
 * Functions that make calls throw a [GatewrightException] for what failed, and [kotlin.coroutines.cancellation.CancellationException] when their
 * coroutine was cancelled; the request is ended then, in whatever it was doing.
 *
 * Paths are joined to the base URL. An absolute URL must be of the same origin, or of one of [ClientConfig.allowedOrigins].
 *
 * @param baseUrl Where paths are joined to, such as `https://api.example.com/v1`: https, or http to loopback.
 * @param configure Says the settings.
 * @throws InvalidConfigException for a setting that cannot be. Nothing is sent, and nothing is started.
 * @throws InsecureUrlException for http to another machine; see [ClientConfig.allowHttp].
 */
public class Client(
    baseUrl: String,
    configure: ClientConfig.() -> Unit = {},
) : AutoCloseable {
    private val config = ClientConfig().apply(configure)
    private val open = OpenClient(baseUrl, config)

    @PublishedApi
    internal val json: Json
        get() = config.json

    /** The base URL, without secrets. */
    public val baseUrl: String
        get() = open.baseUrl()

    /** Sends a GET. */
    public suspend fun get(
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): Response = request("GET", path, configure)

    /** Sends a HEAD. */
    public suspend fun head(
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): Response = request("HEAD", path, configure)

    /** Sends an OPTIONS. */
    public suspend fun options(
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): Response = request("OPTIONS", path, configure)

    /** Sends a POST, with an idempotency key. */
    public suspend fun post(
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): Response = request("POST", path, configure)

    /** Sends a PUT. */
    public suspend fun put(
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): Response = request("PUT", path, configure)

    /** Sends a PATCH, with an idempotency key. */
    public suspend fun patch(
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): Response = request("PATCH", path, configure)

    /** Sends a DELETE. */
    public suspend fun delete(
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): Response = request("DELETE", path, configure)

    /** Sends a request with any method. */
    public suspend fun request(
        method: String,
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): Response =
        if (configure === NOTHING) {
            open.whole(method, path, null)
        } else {
            open.whole(method, path, RequestConfig(config).apply(configure))
        }

    /**
     * Sends a request, and returns when the answer's head is there; its body comes in as it is read. Close the answer:
     *
     * ```
     * client.stream("GET", "/export").use { answer -> answer.body.collect { ... } }
     * ```
     */
    public suspend fun stream(
        method: String,
        path: String,
        configure: RequestConfig.() -> Unit = NOTHING,
    ): StreamResponse = open.stream(method, path, RequestConfig(config).apply(configure))

    /**
     * The pages of a list, by `Link: rel="next"` or by cursor. Each is a call of its own, made when the collector asks for it; a collector
     * that stops makes no more of them. Each collection begins with the first page.
     */
    public fun pages(
        path: String,
        configure: PageConfig.() -> Unit = {},
    ): Flow<Page> = flow { open.pages(path, PageConfig(config).apply(configure)) { emit(it) } }

    /**
     * The items of all pages of a list, decoded from JSON by the client's [ClientConfig.json]; otherwise as [pages].
     *
     * ```
     * client.items<Contact>("/v1/contacts") { query("limit", 100) }.take(250).collect { println(it.name) }
     * ```
     */
    public inline fun <reified T> items(
        path: String,
        noinline configure: PageConfig.() -> Unit = {},
    ): Flow<T> = items(path, json.serializersModule.serializer<T>(), configure)

    /** As the other [items], by a deserializer of one item. */
    public fun <T> items(
        path: String,
        deserializer: DeserializationStrategy<T>,
        configure: PageConfig.() -> Unit = {},
    ): Flow<T> = flow { pages(path, configure).collect { page -> page.items(deserializer).forEach { emit(it) } } }

    /**
     * The events of a stream of server-sent events, as they come in. A connection that breaks is made again by itself, after the last event that had
     * an id, so that no event is lost or comes twice. A collector that stops closes the connection. The flow ends where the server says that there
     * are no more; each collection begins anew.
     *
     * ```
     * client.events("/v1/events").collect { event -> show(event.json<Change>()) }
     * ```
     */
    public fun events(
        path: String,
        configure: EventConfig.() -> Unit = {},
    ): Flow<ServerEvent> = flow { open.events(path, EventConfig(config).apply(configure)) { emit(it) } }

    /** Budget, limits, breaker, slots, regions and cache, as they are now. */
    public fun state(): ClientState = open.state()

    /**
     * What would be done with an outcome of an attempt, as the client's budget, breaker and limits are now. Nothing is sent and nothing is changed.
     *
     * @throws InvalidRequestException for what cannot be supposed.
     */
    public fun explain(supposed: Supposition): Explanation = open.explain(supposed)

    /** Forgets every answer that the client's cache has stored. */
    public fun clearCache() {
        open.clearCache()
    }

    /**
     * Begins a login by a browser, for a credential of OAuth.
     *
     * @param redirectUri Where the server sends the user back to, as it is registered there: a URL that your app receives.
     * @param credential The name of one of [ClientConfig.credential]; `null` for the client's own.
     * @throws InvalidConfigException where the authorization endpoint is not known or has no PKCE.
     * @throws InvalidRequestException where the credential is not of OAuth.
     * @throws TokenException where the server's metadata cannot be read.
     */
    public suspend fun beginLogin(
        redirectUri: String,
        credential: String? = null,
    ): Login = Login.begin(open, redirectUri, credential)

    /**
     * Begins a login on another device, for a credential of OAuth.
     *
     * @param credential The name of one of [ClientConfig.credential]; `null` for the client's own.
     * @throws InvalidConfigException where the endpoint is not known.
     * @throws InvalidRequestException where the credential is not of OAuth.
     * @throws TokenException where the server refuses or cannot be asked.
     */
    public suspend fun beginDeviceLogin(credential: String? = null): DeviceLogin = DeviceLogin.begin(open, credential)

    /**
     * Logs out: the tokens of a credential of OAuth are revoked (RFC 7009) and forgotten. They are forgotten even where the server cannot be asked.
     *
     * @param credential The name of one of [ClientConfig.credential]; `null` for the client's own.
     * @throws TokenException where the server refuses or cannot be asked.
     * @throws InvalidConfigException where it has no revocation endpoint.
     */
    public suspend fun logOut(credential: String? = null) {
        open.login { client, call -> Native.logOut(client, call, credential) }
    }

    /** Refuses further calls, with a [ClosedException]. Those under way go on. */
    override fun close() {
        open.close()
    }

    /** Nothing but the URL: settings have secrets. */
    override fun toString(): String = "Client($baseUrl)"

    private companion object {
        /** Says nothing about a request. */
        val NOTHING: RequestConfig.() -> Unit = {}
    }
}
