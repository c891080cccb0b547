package dev.gatewright.internal

/**
 * The native half: functions of the library `gatewright_mobile` (the crate's `src/jni.rs`). Any thread may call them; only [drive] blocks.
 *
 * Settings, options, errors and what else has members cross as JSON, described where it is read and written: [OpenClient], [Failure], [Meta],
 * [Questions]. What comes of calls crosses as frames: [readFrames]. Clients and webhooks go by numbers, which may be used when they are freed.
 *
 * Names and types are part of the library's ABI.
 */
internal object Native {
    init {
        loadLibrary()
    }

    @JvmStatic
    external fun version(): String

    /** The codes of all kinds of errors. */
    @JvmStatic
    external fun errorCodes(): Array<String>

    /** Puts a client's number into [number]; or gives the error as JSON. */
    @JvmStatic
    external fun openClient(
        baseUrl: String,
        settings: String,
        number: LongArray,
    ): String?

    /** Refuses further calls. */
    @JvmStatic
    external fun closeClient(client: Long)

    /** Closes a client and forgets it. Its calls under way go on. */
    @JvmStatic
    external fun freeClient(client: Long)

    @JvmStatic
    external fun baseUrl(client: Long): String

    /** `ClientState` as JSON. */
    @JvmStatic
    external fun state(client: Long): String

    /**
     * Begins a call; never throws. What comes of it comes as a frame: with [mode] 0 for an answer read whole, ANSWER or ERROR; with 1 for a
     * streamed one, HEAD or ERROR, then by [pull]; with 2 the same for a download that goes on where it breaks.
     */
    @JvmStatic
    external fun start(
        client: Long,
        call: Int,
        method: String,
        path: String,
        mode: Int,
        options: String?,
        body: ByteArray?,
    )

    /** Begins a list; its pages come by [nextPage]. */
    @JvmStatic
    external fun pages(
        client: Long,
        list: Int,
        path: String,
        options: String?,
        style: String,
    )

    /** Forgets every answer that the client's cache has stored. */
    @JvmStatic
    external fun clearCache(client: Long)

    /** What would be done with a supposition, as JSON; or the error as JSON. Empty where the client is gone. */
    @JvmStatic
    external fun explainOutcome(
        client: Long,
        supposed: String,
    ): String

    /** Begins a login as a call, `{kind, credential, redirectUri}`: CHUNK with JSON, or ERROR. */
    @JvmStatic
    external fun beginLogin(
        client: Long,
        call: Int,
        login: Int,
        options: String,
    )

    /** Ends a login as a call: CHUNK with JSON, or ERROR. Without [redirect], its user is waited for. */
    @JvmStatic
    external fun endLogin(
        client: Long,
        call: Int,
        login: Int,
        redirect: String?,
    )

    /** Forgets a login. */
    @JvmStatic
    external fun dropLogin(
        client: Long,
        login: Int,
    )

    /** Logs out as a call: END, or ERROR. */
    @JvmStatic
    external fun logOut(
        client: Long,
        call: Int,
        credential: String?,
    )

    /** A new P-256 key in PEM, or the error as JSON. */
    @JvmStatic
    external fun generateSigningKey(): String

    /** Gives up a call, its answer's stream included: its place is given back and nothing more comes for it. Unknown numbers are fine. */
    @JvmStatic
    external fun cancel(call: Int)

    /** Asks for the next piece of a streamed answer: CHUNK, END or ERROR. */
    @JvmStatic
    external fun pull(call: Int)

    /** Asks for the next page of a list: ANSWER, END or ERROR. */
    @JvmStatic
    external fun nextPage(
        call: Int,
        list: Int,
    )

    /** Forgets a list. */
    @JvmStatic
    external fun dropPages(list: Int)

    /** Begins a stream of events, as a list; they come by [nextEvents]. */
    @JvmStatic
    external fun events(
        client: Long,
        list: Int,
        method: String,
        path: String,
        options: String?,
        body: ByteArray?,
        style: String,
    )

    /** Asks for the next events: CHUNK, END or ERROR. The bytes of the CHUNK are JSON: `[{event, data, id}]`. */
    @JvmStatic
    external fun nextEvents(
        call: Int,
        list: Int,
    )

    /** Begins a stream of JSON lines, as a list; they come by [nextEvents], as the members of a JSON list. */
    @JvmStatic
    external fun jsonLines(
        client: Long,
        list: Int,
        method: String,
        path: String,
        options: String?,
        body: ByteArray?,
        style: String,
    )

    /** Downloads into a file: CHUNK or ERROR. The bytes of the CHUNK are JSON: `{length, resumedFrom, elapsedMs, headers, attempts}`. */
    @JvmStatic
    external fun downloadTo(
        client: Long,
        call: Int,
        path: String,
        file: String,
        options: String?,
    )

    /** Uploads so that a break costs no more than a piece: ANSWER or ERROR. The source is the body, or what the style names. */
    @JvmStatic
    external fun upload(
        client: Long,
        call: Int,
        method: String,
        path: String,
        options: String?,
        body: ByteArray?,
        style: String,
    )

    /** Answers a question. */
    @JvmStatic
    external fun answer(
        question: Int,
        text: String?,
        bytes: ByteArray?,
    )

    /** What was asked threw: [cause] is this half's number for it. */
    @JvmStatic
    external fun fail(
        question: Int,
        cause: Int,
        text: String,
    )

    /**
     * Drives everything that is under way, and blocks until there are frames: they are the first array, and the others are bodies beside them.
     * `null`: this thread may end. One thread at a time. A body for which there is no memory is `null`; where there is none for the frames, an
     * [OutOfMemoryError] is thrown, and they come the next time.
     */
    @JvmStatic
    external fun drive(): Array<ByteArray?>?

    /** How many calls, pieces and pages are waited for. */
    @JvmStatic
    external fun waiting(): Int

    /** The error, as JSON, of an answer that was delivered and cannot be decoded; [meta] is the answer's own. */
    @JvmStatic
    external fun answerError(
        meta: String,
        code: String,
        what: String,
    ): String

    /** Attempts (JSON) as a picture in text. */
    @JvmStatic
    external fun timeline(attempts: String): String

    /** A new `whsec_` secret. */
    @JvmStatic
    external fun generateSecret(): String

    /** Puts a webhook's number into [number]; or gives the error as JSON, `{"code", "message"}`. */
    @JvmStatic
    external fun openWebhook(
        settings: String,
        number: LongArray,
    ): String?

    @JvmStatic
    external fun freeWebhook(webhook: Long)

    /**
     * What was proven, a line each: scheme, algorithm, key index, timestamp and message id (empty where there is none), what is bound of the
     * body, and a digit for each of timestamp signed, id signed, URL bound; and one line more for [replayKey]. Or the error as JSON, `{"code",
     * "message", "url"}`. [headers] are lines, a name and a value in turns, which may begin with `:url` and `:method`.
     */
    @JvmStatic
    external fun verify(
        webhook: Long,
        body: ByteArray,
        headers: String,
        nowSeconds: Double,
    ): String

    /** Puts the number of a verification in pieces into [number]; or gives the error, as [verify] does. */
    @JvmStatic
    external fun openVerifier(
        webhook: Long,
        headers: String,
        nowSeconds: Double,
        number: LongArray,
    ): String?

    /** `null`, or the error as JSON. */
    @JvmStatic
    external fun updateVerifier(
        verifier: Long,
        piece: ByteArray,
    ): String?

    /** As [verify], once. */
    @JvmStatic
    external fun finishVerifier(verifier: Long): String

    @JvmStatic
    external fun freeVerifier(verifier: Long)

    /** Why a request does not verify: a code in a line of its own, then words; or the error as JSON. */
    @JvmStatic
    external fun diagnose(
        webhook: Long,
        body: ByteArray,
        headers: String,
        nowSeconds: Double,
    ): String

    /** The answer to a challenge as JSON, empty for what is none. [verdict] is what [verify] gave. */
    @JvmStatic
    external fun challenge(
        webhook: Long,
        verdict: String,
        body: ByteArray,
    ): String

    /** Empty, or the error as JSON. */
    @JvmStatic
    external fun addCertificate(
        webhook: Long,
        url: String,
        pem: ByteArray,
        nowSeconds: Double,
    ): String

    /** `{"headers": [[name, value]], "body", "url"}`, or the error as `{"code", "message"}`. An empty id or URL is none. */
    @JvmStatic
    external fun signRequest(
        webhook: Long,
        body: ByteArray,
        id: String,
        url: String,
        timestampSeconds: Double,
    ): String

    /** 64 hexadecimal digits, or nothing for what is no verdict. */
    @JvmStatic
    external fun replayKey(
        sender: String,
        verdict: String,
    ): String

    /** Puts a guard's number into [number]; or gives the error as JSON. */
    @JvmStatic
    external fun openReplayGuard(
        settings: String,
        number: LongArray,
    ): String?

    @JvmStatic
    external fun freeReplayGuard(guard: Long)

    /** `new` and a token, `in_progress` and unix seconds, each in a line of its own, `already_done` or `full`; or the error as JSON. */
    @JvmStatic
    external fun reserve(
        guard: Long,
        key: String,
        nowSeconds: Double,
    ): String

    /** `settled` or `lost`; or the error as JSON. */
    @JvmStatic
    external fun commit(
        guard: Long,
        key: String,
        token: String,
        nowSeconds: Double,
    ): String

    /** As [commit]. */
    @JvmStatic
    external fun release(
        guard: Long,
        key: String,
        token: String,
        nowSeconds: Double,
    ): String
}
