package dev.gatewright

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import kotlin.time.Clock
import kotlin.time.Instant

/**
 * Remembers which messages were handled, so that each is handled once: reserve its key ([Verified.replayKey]), handle it, then commit, or release
 * where the handler failed; [once] does all three. A handler that crashes loses its reservation when the lease ends.
 *
 * [MemoryReplayGuard] is for one process. Where several receive, implement this over a store of your own; each function must be atomic among all
 * users of the store.
 */
public interface ReplayGuard {
    /** Asks for the message of this [key], 64 hexadecimal digits. What this throws, answer with 503: the sender tries again. */
    public suspend fun reserve(
        key: String,
        now: Instant,
    ): Reserved

    /** The handler succeeded: the message is done. `false` where the lease had ended, and another may have handled it. */
    public suspend fun commit(
        key: String,
        token: String,
        now: Instant,
    ): Boolean

    /** The handler failed: the message may be tried again at once. `false` where the lease had ended. */
    public suspend fun release(
        key: String,
        token: String,
        now: Instant,
    ): Boolean
}

/** The answer to [ReplayGuard.reserve]. */
public sealed interface Reserved {
    /**
     * Never seen, or its handler failed: handle it now, then commit or release.
     *
     * @property token What tells this reservation from every other of the same message.
     */
    public data class New(
        public val token: String,
    ) : Reserved

    /**
     * Another handler has it now. Answer 503: should that one fail, the sender tries again.
     *
     * @property until When that handler is taken for crashed.
     */
    public data class InProgress(
        public val until: Instant,
    ) : Reserved

    /** Already handled. Answer 200 and do nothing. */
    public data object AlreadyDone : Reserved

    /** The store has no room. Answer 503. */
    public data object Full : Reserved
}

/**
 * What became of a message; see [once].
 *
 * @property status What to answer the sender with.
 */
public enum class Once(
    public val status: Int,
) {
    /** The handler has handled it. */
    HANDLED(200),

    /** It was handled before; nothing was done. */
    ALREADY_DONE(200),

    /** Another handler has it; the sender shall try again. */
    IN_PROGRESS(503),

    /** There is no room to remember it; the sender shall try again. */
    FULL(503),
}

/**
 * Handles the message of this [key] if nobody has: reserves it, runs [handle], and commits; or releases it where [handle] throws or is cancelled,
 * and throws that on.
 *
 * ```
 * val status = guard.once(verified.replayKey("billing")) { handle(verified.json<Event>()) }.status
 * ```
 */
public suspend fun ReplayGuard.once(
    key: String,
    clock: Clock = Clock.System,
    handle: suspend () -> Unit,
): Once {
    val token =
        when (val reserved = reserve(key, clock.now())) {
            is Reserved.New -> reserved.token
            is Reserved.InProgress -> return Once.IN_PROGRESS
            Reserved.AlreadyDone -> return Once.ALREADY_DONE
            Reserved.Full -> return Once.FULL
        }
    try {
        handle()
    } catch (error: Throwable) {
        // Whoever gave up must not leave the message reserved; and its own error is the one to tell.
        withContext(NonCancellable) { runCatching { release(key, token, clock.now()) }.onFailure(error::addSuppressed) }
        throw error
    }
    withContext(NonCancellable) { commit(key, token, clock.now()) }
    return Once.HANDLED
}
