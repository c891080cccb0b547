package dev.gatewright.internal

import dev.gatewright.AttemptRequest
import dev.gatewright.AttemptResult
import dev.gatewright.ObservedCall
import dev.gatewright.Token
import dev.gatewright.TokenStore
import java.lang.ref.WeakReference
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger

/** What a client calls back. The client keeps it, and each of its calls does. */
internal class Callbacks(
    val token: (suspend () -> Token)?,
    val before: (suspend (AttemptRequest) -> Unit)?,
    val after: (suspend (AttemptResult) -> Unit)?,
    private val stores: Map<String?, TokenStore>,
    val observer: ((ObservedCall) -> Unit)?,
) {
    /** The token store of a credential; `null` is the client's own. */
    fun store(credential: String?): TokenStore = checkNotNull(stores[credential]) { "the credential has no store" }

    companion object {
        private val byClient = ConcurrentHashMap<Int, WeakReference<Callbacks>>()
        private val last = AtomicInteger()

        /** Gives a client's callbacks a number, under which questions name them. */
        fun register(callbacks: Callbacks): Int {
            val number = last.incrementAndGet() and Int.MAX_VALUE
            byClient[number] = WeakReference(callbacks)
            return number
        }

        /** The client is gone. */
        fun forget(number: Int) {
            byClient.remove(number)
        }

        fun of(number: Int): Callbacks = checkNotNull(orNull(number)) { "the client is gone" }

        fun orNull(number: Int): Callbacks? = byClient[number]?.get()
    }
}
