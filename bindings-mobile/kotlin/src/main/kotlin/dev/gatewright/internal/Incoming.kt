package dev.gatewright.internal

import kotlinx.coroutines.CancellationException

/**
 * The body of a streamed answer as it comes in, a piece each time one is asked for.
 *
 * | State | on | next |
 * |---|---|---|
 * | open | END | ended: reads give nothing |
 * | open | ERROR, `close`, cancellation | failed: reads throw |
 * | open | collected as garbage | the request is ended |
 */
internal class Incoming(
    private val call: Int,
    private val client: OpenClient,
) : AutoCloseable {
    private val watch = call.let { number -> Abandoned.watch(this) { Calls.giveUp(number) } }

    /** Guards the states. */
    private val lock = Any()
    private var ended = false
    private var failed: Throwable? = null

    /** What was told with the end; nothing before it, and nothing where it is not that of a download. */
    @Volatile
    var told: EndJson? = null
        private set

    /** The next piece; nothing at the end. */
    suspend fun next(): ByteArray? {
        synchronized(lock) {
            failed?.let { throw it }
            if (ended) {
                return null
            }
        }
        val came =
            try {
                Calls.await<Any?>(call, client) {
                    Native.pull(call)
                    closedMeanwhile()
                }
            } catch (
                @Suppress("TooGenericExceptionCaught") thrown: Throwable,
            ) {
                // Who was cancelled before it asked ends nothing by that: nobody waited for the call.
                if (fail(thrown) && thrown is CancellationException) {
                    Calls.giveUp(call)
                }
                throw thrown
            }
        if (came is ByteArray) {
            return came
        }
        told = came as? EndJson
        synchronized(lock) { ended = true }
        watch.forget()
        return null
    }

    /** All that is left of it. */
    suspend fun rest(): ByteArray {
        val pieces = ArrayList<ByteArray>()
        while (true) {
            pieces += next() ?: break
        }
        return concatenated(pieces)
    }

    /** Ends the request. */
    override fun close() {
        if (fail(closed("the stream was closed"))) {
            giveUp()
        }
    }

    /** Whoever closes while a read begins does not see it in the table yet. */
    private fun closedMeanwhile() {
        if (synchronized(lock) { failed != null }) {
            giveUp()
        }
    }

    private fun giveUp() {
        val waiting = Calls.take(call)
        Calls.giveUp(call)
        waiting?.fail(closed("the stream was closed"))
    }

    private fun fail(thrown: Throwable): Boolean {
        synchronized(lock) {
            if (ended || failed != null) {
                return false
            }
            failed = thrown
        }
        watch.forget()
        return true
    }
}
