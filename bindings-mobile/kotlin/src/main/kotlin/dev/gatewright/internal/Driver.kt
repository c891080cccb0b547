package dev.gatewright.internal

import java.util.concurrent.atomic.AtomicBoolean

/**
 * The one thread that drives what is under way: the native half has none of its own for that, and never calls this one.
 *
 * | State | Event | Next |
 * |---|---|---|
 * | none | [ensure] | running |
 * | running | frames | each does its own; running |
 * | running | `drive` gives nothing: no client, nobody waits | none, or running, where somebody waits since then |
 *
 * Whoever begins something calls [ensure] after it, and the thread that ends says so before it looks a last time: one of the two sees the other.
 */
internal object Driver : Runnable {
    private val running = AtomicBoolean()

    /** Makes sure that the thread runs. */
    fun ensure() {
        if (!running.get() && running.compareAndSet(false, true)) {
            begin()
        }
    }

    private fun begin() {
        val thread = Thread(this, "gatewright")
        thread.isDaemon = true
        // It is of no program within this process, and keeps none from being unloaded.
        thread.contextClassLoader = Native::class.java.classLoader
        try {
            thread.start()
        } catch (e: OutOfMemoryError) {
            // The system gives no more threads. The next call tries again.
            running.set(false)
            throw e
        }
    }

    override fun run() {
        try {
            drive()
        } catch (
            @Suppress("TooGenericExceptionCaught") e: Throwable,
        ) {
            // A fault of this library's, or no memory: nobody is to wait for ever, and the next call begins anew.
            running.set(false)
            Calls.failAll(e)
            throw e
        }
    }

    private fun drive() {
        while (true) {
            val delivery =
                try {
                    Native.drive()
                } catch (_: OutOfMemoryError) {
                    // What was to be handed over is kept there.
                    continue
                }
            if (delivery != null) {
                readFrames(delivery, Frames)
                Abandoned.release()
                continue
            }
            running.set(false)
            if (Native.waiting() == 0 || !running.compareAndSet(false, true)) {
                return
            }
        }
    }
}
