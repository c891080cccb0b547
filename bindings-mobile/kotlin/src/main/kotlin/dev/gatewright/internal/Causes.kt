package dev.gatewright.internal

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger

/**
 * What hooks, token callbacks and flows threw, under numbers: the native half gives the number back with the error that comes of it, and the
 * exception gets what was thrown as its cause.
 */
internal object Causes {
    private class Kept(
        val number: Int,
        val thrown: Throwable,
    )

    private val byCall = ConcurrentHashMap<Int, List<Kept>>()
    private val last = AtomicInteger()

    /** What token callbacks threw, on which several calls may wait. */
    private const val SHARED = 0
    private const val MOST = 256

    /** Keeps what was thrown for a [call]; 0 for all. */
    fun keep(
        call: Int,
        thrown: Throwable,
    ): Int {
        val number = last.incrementAndGet() and Int.MAX_VALUE
        byCall.compute(call) { _, kept -> (kept.orEmpty() + Kept(number, thrown)).takeLast(MOST) }
        return number
    }

    /** Finds what was thrown. */
    fun of(
        call: Int,
        number: Int?,
    ): Throwable? {
        if (number == null) {
            return null
        }
        val kept = byCall[call].orEmpty() + byCall[SHARED].orEmpty()
        return kept.find { it.number == number }?.thrown
    }

    /** A call is over. */
    fun forget(call: Int) {
        if (byCall.isNotEmpty()) {
            byCall.remove(call)
        }
    }
}
