package dev.gatewright.internal

import dev.gatewright.Reserved
import kotlin.time.Instant

/** The native half's replay guard in memory. */
internal class OpenReplayGuard(
    settings: String,
) {
    private val number: Long

    init {
        Abandoned.release()
        val opened = LongArray(1)
        Native.openReplayGuard(settings, opened)?.let { throw keyException(it) }
        val guard = opened[0]
        number = guard
        Abandoned.watch(this) { Native.freeReplayGuard(guard) }
    }

    fun reserve(
        key: String,
        now: Instant,
    ): Reserved {
        val told = Native.reserve(number, key, secondsOf(now))
        return when (told.substringBefore('\n')) {
            "new" -> Reserved.New(told.substringAfter('\n'))
            "in_progress" -> Reserved.InProgress(Instant.fromEpochSeconds(told.substringAfter('\n').toLong()))
            "already_done" -> Reserved.AlreadyDone
            "full" -> Reserved.Full
            else -> throw keyException(told)
        }
    }

    fun commit(
        key: String,
        token: String,
        now: Instant,
    ): Boolean = settled(Native.commit(number, key, token, secondsOf(now)))

    fun release(
        key: String,
        token: String,
        now: Instant,
    ): Boolean = settled(Native.release(number, key, token, secondsOf(now)))
}

private fun settled(told: String): Boolean =
    when (told) {
        "settled" -> true
        "lost" -> false
        else -> throw keyException(told)
    }
