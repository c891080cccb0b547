package dev.gatewright

import dev.gatewright.internal.JsonText
import dev.gatewright.internal.OpenReplayGuard
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Instant

/**
 * Remembers messages in memory: bounded, safe for use from any thread, gone with the process.
 *
 * When it is full, those done longest ago make room, but none within [replayWindow][MemoryReplayGuard]; if there are none, the answer is
 * [Reserved.Full].
 *
 * @param entries The most messages remembered, about 200 bytes each.
 * @param retention How long a handled message is remembered: at least the sender's whole span of retries.
 * @param lease How long a handler may take before it is taken for crashed.
 * @param replayWindow How long a handled message is never forgotten, however full it is: at least both tolerances of the webhook together.
 * @throws WebhookKeyException for a setting that cannot be used.
 */
public class MemoryReplayGuard(
    entries: Int = 100_000,
    retention: Duration = 4.days,
    lease: Duration = 5.minutes,
    replayWindow: Duration = 10.minutes,
) : ReplayGuard {
    private val open =
        OpenReplayGuard(
            JsonText()
                .beginObject()
                .name("entries")
                .number(entries)
                .name("retention")
                .whole(retention)
                .name("lease")
                .whole(lease)
                .name("replayWindow")
                .whole(replayWindow)
                .endObject()
                .toString(),
        )

    override suspend fun reserve(
        key: String,
        now: Instant,
    ): Reserved = open.reserve(key, now)

    override suspend fun commit(
        key: String,
        token: String,
        now: Instant,
    ): Boolean = open.commit(key, token, now)

    override suspend fun release(
        key: String,
        token: String,
        now: Instant,
    ): Boolean = open.release(key, token, now)
}
