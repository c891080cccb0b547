package dev.gatewright.internal

import dev.gatewright.TokenStore
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.util.concurrent.ConcurrentHashMap

/**
 * Questions to the token stores that a program gave; see [Questions] for their form.
 *
 * A lock that is taken for nobody is given back: by the native half where the answer came too late to be read, here where the question was
 * abandoned while it was being answered.
 */
internal object StoreQuestions {
    private data class Credential(
        val client: Int,
        val name: String?,
    )

    /** The stores whose locks are held: they are given back even where the client is gone by then. */
    private val locked = ConcurrentHashMap<Credential, TokenStore>()

    /** Asks a store; the text of its answer. */
    suspend fun answer(question: Question): String? {
        val store = Callbacks.of(question.client).store(question.credential)
        return when (question.what) {
            "storeLoad" -> store.load()
            "storeSave" -> store.save(question.tokens.orEmpty()).let { null }
            "storeClear" -> store.clear().let { null }
            else -> lock(question, store).toString()
        }
    }

    private suspend fun lock(
        question: Question,
        store: TokenStore,
    ): Boolean {
        val isOurs = store.lock()
        if (isOurs && !currentCoroutineContext().isActive) {
            withContext(NonCancellable) { store.unlock() }
            currentCoroutineContext().ensureActive()
        }
        if (isOurs) {
            locked[Credential(question.client, question.credential)] = store
        }
        return isOurs
    }

    /** Gives a store's lock back. What that throws is nobody's. */
    fun unlock(
        question: Question,
        scope: CoroutineScope,
    ) {
        val store = locked.remove(Credential(question.client, question.credential)) ?: return
        scope.launch { runCatching { store.unlock() } }
    }
}
