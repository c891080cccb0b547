package dev.gatewright.internal

import dev.gatewright.Response
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/**
 * The calls that somebody waits for, by their numbers.
 *
 * | A call is in the table | until |
 * |---|---|
 * | an answer is awaited that is read whole | ANSWER, ERROR |
 * | the head of a streamed answer | HEAD, ERROR |
 * | the next piece of one | CHUNK, END, ERROR |
 * | the next page of a list | ANSWER, END, ERROR |
 * | the next events of a stream of them | CHUNK, END, ERROR |
 *
 * or until its coroutine is cancelled: then the native half is told to give it up, in whatever it was doing. A frame that comes for a number that
 * is not in the table is of a call that was given up while the frame was on its way: nothing is done with it.
 */
internal object Calls {
    private val table = ConcurrentHashMap<Int, Waiting<*>>()
    private val last = AtomicInteger()

    /** A number for a call, or for a list. It is never 0, and comes again after 2^31. */
    fun nextNumber(): Int = Math.floorMod(last.getAndIncrement(), Int.MAX_VALUE) + 1

    /** How many calls are waited for. */
    val size: Int
        get() = table.size

    /**
     * Waits for what comes of a call; [begin] makes it come.
     *
     * @param keep What must not be collected as garbage meanwhile.
     * @param dropped Is given what came when the coroutine was cancelled before it could have it.
     */
    suspend inline fun <T> await(
        call: Int,
        keep: OpenClient,
        noinline dropped: ((T) -> Unit)? = null,
        crossinline begin: () -> Unit,
    ): T =
        suspendCancellableCoroutine { continuation ->
            // Else it was cancelled before: nothing is sent.
            if (continuation.isActive) {
                val waiting = Waiting(call, continuation, keep, dropped)
                put(waiting)
                try {
                    begin()
                    Driver.ensure()
                } catch (e: OutOfMemoryError) {
                    take(call)
                    Native.cancel(call)
                    throw e
                }
                continuation.invokeOnCancellation(waiting)
            }
        }

    fun put(waiting: Waiting<*>) {
        table[waiting.call] = waiting
    }

    /** Takes a call from the table: what it waited for has come. */
    fun take(call: Int): Waiting<*>? = table.remove(call)

    /** Nothing comes any more: all calls fail. */
    fun failAll(thrown: Throwable) {
        for (call in table.keys.toList()) {
            take(call)?.fail(thrown)
            finish(call)
        }
    }

    /** The context of the coroutine that waits for a call. */
    fun contextOf(call: Int): CoroutineContext = table[call]?.context ?: EmptyCoroutineContext

    /** A call is over: nothing more is done for it. */
    fun finish(call: Int) {
        Uploads.close(call)
        Causes.forget(call)
    }

    /** Ends a call on the native side. */
    fun giveUp(call: Int) {
        Native.cancel(call)
        finish(call)
        // Where nobody drives, as with the last client closed, the call would be there for ever.
        Driver.ensure()
    }
}

/** A coroutine that waits for something. As a function, it is what happens when that is cancelled. */
internal class Waiting<T>(
    val call: Int,
    private val continuation: CancellableContinuation<T>,
    /** The client, which is not to be freed. */
    @Suppress("unused") private val keep: OpenClient,
    private val dropped: ((T) -> Unit)?,
) : (Throwable?) -> Unit {
    val client: OpenClient
        get() = keep

    val context: CoroutineContext
        get() = continuation.context

    override fun invoke(cause: Throwable?) {
        Calls.take(call)
        Calls.giveUp(call)
    }

    @Suppress("UNCHECKED_CAST")
    fun resume(value: Any?) {
        onItsThread {
            if (dropped == null) {
                continuation.resume(value as T)
            } else {
                continuation.resume(value as T) { _, lost, _ -> dropped.invoke(lost) }
            }
        }
    }

    fun fail(text: String) {
        val failure = Failure(text)
        val exception = exceptionOf(failure, Causes.of(call, failure.told.cause))
        showCaller(exception, continuation)
        onItsThread { continuation.resumeWithException(exception) }
    }

    fun fail(exception: Throwable) {
        showCaller(exception, continuation)
        onItsThread { continuation.resumeWithException(exception) }
    }

    /**
     * Resumes. A coroutine without a dispatcher of its own, as that of `suspend fun main`, would go on in the thread that drives all calls, and
     * might block it: it goes on in [Dispatchers.Default].
     */
    private inline fun onItsThread(crossinline resume: () -> Unit) {
        val dispatcher = continuation.context[ContinuationInterceptor] as? CoroutineDispatcher
        if (dispatcher != null && dispatcher.isDispatchNeeded(continuation.context)) {
            resume()
        } else {
            Dispatchers.Default.dispatch(EmptyCoroutineContext) { resume() }
        }
    }
}

/** What each kind of frame does. */
internal object Frames {
    fun answer(
        call: Int,
        status: Int,
        meta: Meta,
        body: ByteArray,
        start: Int,
        end: Int,
    ) {
        val waiting = Calls.take(call) ?: return
        Calls.finish(call)
        waiting.resume(Response(status, meta, body, start, end, waiting.client.json))
    }

    fun head(
        call: Int,
        status: Int,
        meta: Meta,
    ) {
        // The call goes on: its upload stays.
        Calls.take(call)?.resume(Head(status, meta))
    }

    fun chunk(
        call: Int,
        piece: ByteArray,
    ) {
        Calls.take(call)?.resume(piece)
    }

    fun end(
        call: Int,
        batch: ByteArray,
        start: Int,
        end: Int,
    ) {
        val waiting = Calls.take(call) ?: return
        Calls.finish(call)
        // Only that of a download tells something.
        waiting.resume(if (end > start) INTERNAL_JSON.decodeFromString<EndJson>(batch.decodeToString(start, end)) else null)
    }

    fun error(
        call: Int,
        text: String,
    ) {
        val waiting = Calls.take(call) ?: return
        waiting.fail(text)
        Calls.finish(call)
    }

    fun ask(text: String) {
        Questions.ask(text)
    }

    /** What came of a call could not be handed over. */
    fun broken(
        call: Int,
        thrown: Throwable,
    ) {
        val waiting = Calls.take(call)
        Calls.giveUp(call)
        waiting?.fail(thrown)
    }
}

/** The head of a streamed answer. */
internal class Head(
    val status: Int,
    val meta: Meta,
)
