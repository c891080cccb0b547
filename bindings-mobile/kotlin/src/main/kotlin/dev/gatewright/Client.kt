package dev.gatewright

import dev.gatewright.internal.Native
import dev.gatewright.internal.OpenClient
import dev.gatewright.internal.decodeLines
import dev.gatewright.internal.download
import dev.gatewright.internal.downloadTo
import dev.gatewright.internal.lines
import dev.gatewright.internal.textsOf
import dev.gatewright.internal.upload
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer
import java.io.File
import java.nio.file.Path

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

    /**
     * The values of a stream of JSON lines (`application/jsonl`, `application/x-ndjson`) as they come in, decoded by the client's
     * [ClientConfig.json]; `jsonLines<JsonElement>` for whatever they are. A stream that breaks off throws: what came of an unfinished line is no
     * value. A line that is no JSON, or JSON of another shape, throws a [DecodeException]. A collector that stops closes the connection; each
     * collection begins anew.
     *
     * ```
     * client.jsonLines<Contact>("/v1/exports").collect { println(it.name) }
     * ```
     */
    public inline fun <reified T> jsonLines(
        path: String,
        noinline configure: JsonLinesConfig.() -> Unit = {},
    ): Flow<T> = jsonLines(path, json.serializersModule.serializer<T>(), configure)

    /** As the other [jsonLines], by a deserializer of one value. */
    public fun <T> jsonLines(
        path: String,
        deserializer: DeserializationStrategy<T>,
        configure: JsonLinesConfig.() -> Unit = {},
    ): Flow<T> =
        flow {
            var count = 0L
            open.lines(path, JsonLinesConfig(config).apply(configure), asText = false) { batch ->
                count += decodeLines(open.json, deserializer, batch, count) { emit(it) }
            }
        }

    /**
     * The lines of a stream of JSON lines as they are, for those that are not all JSON, such as `[DONE]`. Blank lines are passed over; otherwise as
     * [jsonLines].
     */
    public fun textLines(
        path: String,
        configure: JsonLinesConfig.() -> Unit = {},
    ): Flow<String> =
        flow {
            open.lines(path, JsonLinesConfig(config).apply(configure), asText = true) { batch -> textsOf(batch).forEach { emit(it) } }
        }

    /**
     * Downloads what is there, as a stream that goes on where it breaks: with `Range` and `If-Range`, where the answer has a strong ETag. Two
     * versions are never mixed; where the server names a SHA-256 (`Repr-Digest`), it is checked. Returns when the first answer's head is there.
     *
     * It may take as long as it needs, as long as it is not slower than [CallConfig.minThroughput]. An error status is always thrown. A `Range` of
     * one's own is an [InvalidRequestException].
     */
    public suspend fun download(
        path: String,
        configure: DownloadConfig.() -> Unit = {},
    ): Download = open.download(path, DownloadConfig(config).apply(configure))

    /**
     * Downloads into a file. The bytes come into `FILE.part` beside it, which takes the file's place once it is whole, so that nobody sees half a
     * file. A part that an earlier run left is gone on with where the server still has that version; else it begins anew. Otherwise as [download].
     * Cancelling the coroutine leaves the part.
     *
     * @throws InvalidRequestException where the file cannot be written, or where another download into it is under way.
     */
    public suspend fun downloadTo(
        path: String,
        file: File,
        configure: DownloadConfig.() -> Unit = {},
    ): Downloaded = open.downloadTo(path, file, DownloadConfig(config).apply(configure))

    /** As the other [downloadTo]. Android has paths since level 26. */
    public suspend fun downloadTo(
        path: String,
        file: Path,
        configure: DownloadConfig.() -> Unit = {},
    ): Downloaded = downloadTo(path, file.toFile(), configure)

    /**
     * Uploads [body] so that a break costs no more than a piece (draft-ietf-httpbis-resumable-upload-12); in one request where the server does not
     * speak that. A stream that can be read once can be uploaded so, too, as long as the server does not ask for what was before the last piece.
     * A file must not change meanwhile.
     *
     * ```
     * client.upload("/v1/files", Body.file(video, "video/mp4")) { onProgress { show(it.offset, it.length) } }
     * ```
     *
     * After an error that may pass, [GatewrightException.upload] says where another upload of the same body can go on, by [UploadConfig.resume].
     */
    public suspend fun upload(
        path: String,
        body: Body,
        configure: UploadConfig.() -> Unit = {},
    ): Uploaded = open.upload(path, body, UploadConfig(config).apply(configure))

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
