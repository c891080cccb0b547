package dev.gatewright.conformance

// The conformance adapter of the Kotlin SDK: reads requests line by line, carries them out, answers line by line.
//
//     java -jar target/gatewright-conformance-kotlin.jar
//
// The protocol is in conformance/PROTOCOL.md; what is done is in Adapter.

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject
import java.io.FileDescriptor
import java.io.FileOutputStream
import java.util.concurrent.ConcurrentHashMap
import kotlin.system.exitProcess

/** The standard output, a whole line at a time. */
private object Answers {
    private val out = FileOutputStream(FileDescriptor.out)

    @Synchronized
    fun write(answer: JsonObject) = out.write("$answer\n".encodeToByteArray())
}

fun main() {
    val adapter = Adapter()
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    val underWay = ConcurrentHashMap<JsonPrimitive, Job>()
    System.`in`.bufferedReader().forEachLine { line ->
        val request = Json.parseToJsonElement(line).jsonObject
        val id = request.getValue("id") as JsonPrimitive
        if (request.text("op") == "cancel") {
            // It may just have ended by itself.
            underWay[request.getValue("target")]?.cancel()
            Answers.write(json("ok" to true, "id" to id))
            return@forEachLine
        }
        // Begun here: one that is cancelled before its dispatcher comes to it would never answer.
        val job = scope.launch(start = CoroutineStart.UNDISPATCHED) { Answers.write(JsonObject(adapter.answer(request) + ("id" to id))) }
        underWay[id] = job
        job.invokeOnCompletion { underWay.remove(id) }
    }
    // Calls under way end with the process.
    exitProcess(0)
}
