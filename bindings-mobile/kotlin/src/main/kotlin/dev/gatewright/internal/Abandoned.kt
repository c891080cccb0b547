package dev.gatewright.internal

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.concurrent.ConcurrentHashMap

/**
 * Gives back what belongs to objects that were collected as garbage: clients and webhooks, which need no closing, and streams that nobody closed.
 * It is looked at when calls begin and end, and has no thread.
 */
internal object Abandoned {
    private val queue = ReferenceQueue<Any>()
    private val watched: MutableSet<Watch> = ConcurrentHashMap.newKeySet()

    /** An object that is watched. */
    class Watch(
        owner: Any,
        private val release: Runnable,
    ) : PhantomReference<Any>(owner, queue) {
        fun release() {
            if (watched.remove(this)) {
                release.run()
            }
        }

        /** There is nothing more to give back. */
        fun forget() {
            watched.remove(this)
            clear()
        }
    }

    /** Runs [release] once [owner] is collected; it must not refer to the owner. */
    fun watch(
        owner: Any,
        release: Runnable,
    ): Watch = Watch(owner, release).also(watched::add)

    /** Gives back what belongs to those that were collected since the last time. */
    fun release() {
        while (true) {
            val watch = queue.poll() ?: return
            (watch as Watch).release()
        }
    }
}
