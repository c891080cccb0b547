package dev.gatewright.internal

import dev.gatewright.AttemptRequest
import dev.gatewright.AttemptResult
import dev.gatewright.MutableHeaders
import dev.gatewright.Token
import dev.gatewright.UploadPosition
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.serialization.Serializable
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.milliseconds

/**
 * Questions of the native half, and the answers of what the program gave: token callbacks, hooks, flows as bodies.
 *
 * Question JSON: `{question, client, call, what, ...}`, where `what` is
 *
 * | what | with | answer |
 * |---|---|---|
 * | `token` | | text `{token, expiresInMs}` |
 * | `before` | `attempt` | text with the headers, where they changed |
 * | `after` | `attempt` | nothing |
 * | `bodyOpen` | `stream` | nothing |
 * | `bodyNext` | `stream` | bytes, or nothing at the end |
 * | `bodyClose` | `stream` | not answered |
 * | `storeLoad` | `credential` | text with the tokens, or nothing |
 * | `storeSave` | `credential`, `tokens` | nothing |
 * | `storeClear` | `credential` | nothing |
 * | `storeLock` | `credential` | text `true` or `false` |
 * | `storeUnlock` | `credential` | not answered |
 * | `observed` | `observed`, a call that is over | not answered |
 * | `progress` | `location, offset, length` of an upload | not answered |
 * | `abandon` | | not answered: nobody waits for that question any more |
 *
 * Each is a coroutine of its own on [Dispatchers.Default], with the other elements of the context of whoever made the call, and is cancelled when it
 * is abandoned. What is thrown stays here under a number, and becomes the cause of the exception that comes of it.
 */
internal object Questions {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val asked = ConcurrentHashMap<Int, Job>()

    /** How many are being answered. */
    val size: Int
        get() = asked.size

    fun ask(text: String) {
        val question = INTERNAL_JSON.decodeFromString<Question>(text)
        when (question.what) {
            "abandon" -> asked.remove(question.question)?.cancel()
            "bodyClose" -> Uploads.close(question.call, question.stream)
            "storeUnlock" -> StoreQuestions.unlock(question, scope)
            "observed" -> question.observed?.let { tell(question.client, it) }
            "progress" -> Progress.note(question.call, UploadPosition(question.location, question.offset, question.length))
            else -> begin(question)
        }
    }

    /** Not in the thread that drives all calls, which an observer may block. */
    private fun tell(
        client: Int,
        observed: ObservedJson,
    ) {
        val observer = Callbacks.orNull(client)?.observer ?: return
        scope.launch { observer(observed.call()) }
    }

    private fun begin(question: Question) {
        val context = Calls.contextOf(question.call).minusKey(Job) + Dispatchers.Default
        val job = scope.launch(context, CoroutineStart.LAZY) { answer(question) }
        asked[question.question] = job
        job.start()
    }

    private suspend fun answer(question: Question) {
        val number = question.question
        try {
            val answer = answerTo(question)
            Native.answer(number, answer as? String, answer as? ByteArray)
        } catch (
            @Suppress("TooGenericExceptionCaught") thrown: Throwable,
        ) {
            if (currentCoroutineContext().isActive) {
                // A timeout within a hook is a CancellationException, too; but it is the hook's own.
                Native.fail(number, Causes.keep(if (question.isOfClient) 0 else question.call, thrown), textOf(thrown))
            } else if (thrown is CancellationException) {
                // It was abandoned: nobody waits for an answer.
                throw thrown
            }
        } finally {
            asked.remove(number)
        }
        Driver.ensure()
    }

    /** A text, bytes or nothing. */
    private suspend fun answerTo(question: Question): Any? =
        when (question.what) {
            "bodyOpen" -> Uploads.open(question.call, question.stream)
            "bodyNext" -> Uploads.next(question.call, question.stream)
            "storeLoad", "storeSave", "storeClear", "storeLock" -> StoreQuestions.answer(question)
            else -> Callbacks.of(question.client).answer(question)
        }

    /** What was thrown, in one line. */
    private fun textOf(thrown: Throwable): String = thrown.toString().lineSequence().first()
}

/** A question of the native half. */
@Serializable
internal class Question(
    val question: Int,
    val client: Int = 0,
    val call: Int = 0,
    val what: String,
    val stream: Int = 0,
    val attempt: Told? = null,
    val credential: String? = null,
    val tokens: String? = null,
    val observed: ObservedJson? = null,
    val location: String? = null,
    val offset: Long = 0,
    val length: Long? = null,
) {
    /** Whether several calls may wait for it. */
    val isOfClient: Boolean
        get() = what == "token" || what.startsWith("store")

    /** An attempt, for hooks. */
    @Serializable
    class Told(
        val number: Int,
        val method: String,
        val url: String,
        val headers: List<List<String>>? = null,
        val status: Int? = null,
        val error: String? = null,
        val tookMs: Double = 0.0,
    )
}

private suspend fun Callbacks.answer(question: Question): String? {
    val told = question.attempt
    return when (question.what) {
        "token" -> token?.let { tokenJson(it()) }
        "before" -> told?.let { runBefore(it) }
        "after" -> told?.let { runAfter(it) }
        else -> error("nothing answers ${question.what}")
    }
}

private fun tokenJson(token: Token): String {
    val json = JsonText().beginObject()
    json.name("token").string(token.value)
    json.name("expiresInMs").limit(token.expiresIn)
    return json.endObject().toString()
}

private suspend fun Callbacks.runBefore(told: Question.Told): String? {
    val before = told.headers.orEmpty().map { (name, value) -> name to value }
    val headers = MutableHeaders(before.toMutableList())
    this.before?.invoke(AttemptRequest(told.number, told.method, told.url, headers))
    return if (headers.pairs == before) null else JsonText().pairs(headers.pairs).toString()
}

private suspend fun Callbacks.runAfter(told: Question.Told): String? {
    after?.invoke(
        AttemptResult(
            number = told.number,
            method = told.method,
            url = told.url,
            status = told.status,
            headers = told.headers?.let(::headersOf),
            error = told.error,
            took = told.tookMs.milliseconds,
        ),
    )
    return null
}
