package dev.gatewright.internal

import kotlin.coroutines.Continuation
import kotlin.coroutines.jvm.internal.CoroutineStackFrame

/**
 * Gives an exception the stack trace of the coroutine that waits for it: the suspending functions that led to the call, with their lines. What the
 * thread that makes the exception has on its own stack is of no use to anybody.
 */
internal fun showCaller(
    exception: Throwable,
    waiting: Continuation<*>,
) {
    val frames = ArrayList<StackTraceElement>()
    var frame = waiting as? CoroutineStackFrame
    while (frame != null && frames.size < MOST) {
        frame.getStackTraceElement()?.let(frames::add)
        frame = frame.callerFrame
    }
    // Where an app's shrinker took the names away, there is nothing.
    if (frames.isNotEmpty()) {
        exception.stackTrace = frames.toTypedArray()
        beginOutside(exception)
    }
}

/** Takes what is on top of a stack trace and of no use to a program: how this library came to make the exception. */
internal fun beginOutside(exception: Throwable) {
    val frames = exception.stackTrace
    val outside = frames.indexOfFirst { !it.className.startsWith("dev.gatewright.internal.") }
    if (outside > 0) {
        exception.stackTrace = frames.copyOfRange(outside, frames.size)
    }
}

/** Endless recursion is no reason for an endless trace. */
private const val MOST = 1024
