package dev.gatewright

import dev.gatewright.internal.FORGIVING_JSON
import kotlinx.serialization.json.Json
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * The settings of a [Client], all with defaults. What is wrong with one is thrown by the client's constructor, as an [InvalidConfigException]
 * that names it.
 *
 * For time limits, `null` and [Duration.INFINITE] mean no limit.
 */
@GatewrightDsl
public class ClientConfig internal constructor() {
    internal val headers = mutableListOf<Pair<String, String>>()
    internal val credentials = linkedMapOf<String, Auth>()
    internal var before: (suspend (AttemptRequest) -> Unit)? = null
    internal var after: (suspend (AttemptResult) -> Unit)? = null
    internal var observer: ((ObservedCall) -> Unit)? = null

    /** How requests prove who they are. Default [Auth.none]. */
    public var auth: Auth = Auth.none

    /** For a whole call: queueing, connecting, every attempt, every wait and the body. Default 60 seconds. */
    public var timeout: Duration? = 60.seconds

    /** From sending an attempt to its response head. Default 20 seconds. */
    public var attemptTimeout: Duration? = 20.seconds

    /** For a connection to be made, TLS included. Default 5 seconds. */
    public var connectTimeout: Duration? = 5.seconds

    /** Between two pieces of a body. Default 20 seconds. */
    public var readTimeout: Duration? = 20.seconds

    /** How calls are retried. Default three attempts; [Retry.none] for one. */
    public var retry: Retry = Retry()

    /** Whether calls are held back so that the server's quota lasts. Default `true`. */
    public var pacing: Boolean = true

    /**
     * Calls that may wait for their turn, for each host and credential; one more fails at once with a [RateLimitedException]. Default `null`:
     * 10 000.
     */
    public var maxQueue: Int? = null

    /** A quota of one's own, such as `100/min, burst 20`. Default none. */
    public var quota: String? = null

    /**
     * The least that the bodies of all calls have to achieve, in both directions; [MinThroughput.off] for nothing. Default `null`: 1 KiB/s over
     * 20 seconds for downloads and uploads, nothing for other bodies, which the deadline covers.
     */
    public var minThroughput: MinThroughput? = null

    /** Attempts that may be under way at one host at once; more wait for their turn. Default `null`, any number. */
    public var maxConcurrency: Int? = null

    /** When a host that fails is left alone; `null` for never. Default: from 20 attempts in 30 seconds of which half failed, for 10 seconds. */
    public var breaker: Breaker? = Breaker()

    /** Other base URLs of the same API, nearest first, for when the first is out of reach. Default none. */
    public var regions: List<String> = emptyList()

    /** When a second copy of a slow request is sent. Default `null`, never. */
    public var hedge: Hedge? = null

    /** A private cache of answers. Default `null`, none. */
    public var cache: Cache? = null

    /** Whether POST and PATCH get an idempotency key by themselves. Default `true`. */
    public var idempotencyKeys: Boolean = true

    /** The header of the key. Default `idempotency-key`. */
    public var idempotencyHeader: String = "idempotency-key"

    /** Whether the key is quoted, as the IETF draft has it. Default `false`. */
    public var idempotencyQuoted: Boolean = false

    /** Redirects followed for one call, to the same origin; 0 hands them over as answers. Default 5. */
    public var maxRedirects: Int = 5

    /** Other origins to which requests may go, without credentials, such as `https://files.example.com`. Default none. */
    public var allowedOrigins: List<String> = emptyList()

    /** Allows plain http to other machines than this. Default `false`. */
    public var allowHttp: Boolean = false

    /** How connections leave. Default [Proxy.Environment]. */
    public var proxy: Proxy = Proxy.Environment

    /** Certificates (PEM) of authorities to trust beside the system's. Default none. */
    public var caCertificates: String? = null

    /**
     * Certificate pins, each `sha256/` and the base64 of the SHA-256 of a SubjectPublicKeyInfo: a connection is used only where some
     * certificate of the server's chain has one of them. Have one for a spare key too. Default none.
     */
    public var pins: List<String> = emptyList()

    /** The largest body that is read whole, in bytes. Default 100 MiB. */
    public var maxResponseBytes: Long = 100L * 1024 * 1024

    /** Whether an error status is thrown. With `false`, it is an answer like others. Default `true`. */
    public var throwOnError: Boolean = true

    /**
     * Encodes and decodes JSON. Default [Json] with `ignoreUnknownKeys`, so that a server may add fields, and without `exceptionsWithDebugInfo`,
     * so that no exception shows a piece of a body.
     */
    public var json: Json = FORGIVING_JSON

    /** Adds a header to every request. */
    public fun header(
        name: String,
        value: String,
    ) {
        headers += name to value
    }

    /**
     * Adds a further credential, for requests that ask for it by its [name]; see [CallConfig.credential]. It replaces one of the same name, and cannot be
     * a token callback.
     */
    public fun credential(
        name: String,
        auth: Auth,
    ) {
        credentials[name] = auth
    }

    /** Adds headers to every request. */
    public fun headers(vararg headers: Pair<String, String>) {
        this.headers += headers
    }

    /**
     * Calls [hook] before each attempt is sent; it may change the headers. What it throws ends the call with a [HookException], whose
     * `cause` it is.
     *
     * It runs on `Dispatchers.Default`, with the other elements of the caller's coroutine context, and is cancelled when the call is.
     */
    public fun beforeAttempt(hook: suspend (AttemptRequest) -> Unit) {
        before = hook
    }

    /**
     * Tells [observer] of each call that is over, on `Dispatchers.Default`: for traces and metrics of one's own. Calls that end at once are told of
     * at once. What it throws is nobody's: it goes to the thread's uncaught exception handler.
     */
    public fun observer(observer: (ObservedCall) -> Unit) {
        this.observer = observer
    }

    /** Calls [hook] after each attempt; otherwise as [beforeAttempt]. */
    public fun afterAttempt(hook: suspend (AttemptResult) -> Unit) {
        after = hook
    }
}
