package dev.gatewright.bench

import dev.gatewright.Auth
import dev.gatewright.Client
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.bearerAuth
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.serialization.json.Json
import okhttp3.Call
import okhttp3.Callback
import okhttp3.ConnectionPool
import okhttp3.Dispatcher
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.Response
import java.io.IOException
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/** A client that is measured. [version] is of the package it is of; [open] makes it, once for a process. */
internal class Candidate(
    val name: String,
    val version: String,
    val open: (url: String) -> Workload,
)

/**
 * All of them. Each is made once and kept, as its documentation shows, with its defaults but for what keeps 64 calls at
 * once from waiting or from opening connections anew; each decodes with kotlinx.serialization.
 */
internal val candidates =
    listOf(
        Candidate("gatewright", versionOf(Client::class.java)) { gatewright(it, PATH) },
        Candidate("gatewright, RateLimit headers read", "") { gatewright(it, "/limited$PATH") },
        Candidate("okhttp execute()", versionOf(OkHttpClient::class.java), ::okhttpExecute),
        Candidate("okhttp enqueue(), suspending", versionOf(OkHttpClient::class.java), ::okhttpEnqueue),
        Candidate("ktor CIO, kept alive", versionOf(CIO::class.java)) { ktor(it, keepAlive = true) },
        Candidate("ktor CIO", versionOf(CIO::class.java)) { ktor(it, keepAlive = false) },
    )

/** Of all but Gatewright, whose own default is the same. */
private val json = Json { ignoreUnknownKeys = true }

private fun gatewright(
    url: String,
    path: String,
): Workload {
    val client = Client(url) { auth = Auth.bearer(KEY) }
    return coroutines { check(client.get(path).json<Contact>()) }
}

private fun okhttpExecute(url: String): Workload {
    val client = okhttp()
    return threads { check(decode(client.newCall(contact(url)).execute())) }
}

private fun okhttpEnqueue(url: String): Workload {
    val client = okhttp()
    return coroutines { check(decode(client.newCall(contact(url)).await())) }
}

/** Of its defaults, 5 calls at once to a host and 5 idle connections are too few for 64 at once. */
private fun okhttp() =
    OkHttpClient
        .Builder()
        .dispatcher(Dispatcher().apply { maxRequestsPerHost = 64 })
        .connectionPool(ConnectionPool(64, 5, TimeUnit.MINUTES))
        .build()

private fun contact(url: String) =
    Request
        .Builder()
        .url(url + PATH)
        .header("Authorization", "Bearer $KEY")
        .build()

private fun decode(response: Response): Contact =
    response.use {
        if (!it.isSuccessful) throw IOException("unexpected status ${it.code}")
        json.decodeFromString<Contact>(it.body.string())
    }

/** As OkHttp's own module for coroutines does it. */
private suspend fun Call.await(): Response =
    suspendCancellableCoroutine { waiting ->
        waiting.invokeOnCancellation { cancel() }
        enqueue(
            object : Callback {
                override fun onResponse(
                    call: Call,
                    response: Response,
                ) = waiting.resume(response) { _, unused, _ -> unused.close() }

                override fun onFailure(
                    call: Call,
                    e: IOException,
                ) = waiting.resumeWithException(e)
            },
        )
    }

/** Its default is a connection for each request; what it calls pipelining keeps them, up to 100 for a host. */
private fun ktor(
    url: String,
    keepAlive: Boolean,
): Workload {
    val client =
        HttpClient(CIO) {
            expectSuccess = true
            engine { pipelining = keepAlive }
        }
    return coroutines {
        val text = client.get(url + PATH) { bearerAuth(KEY) }.bodyAsText()
        check(json.decodeFromString<Contact>(text))
    }
}

/** The version in the name of the jar that the class is from. */
private fun versionOf(type: Class<*>): String {
    val jar = type.protectionDomain.codeSource.location.path
    return Regex("""-(\d[\w.-]*)\.jar$""")
        .find(jar)
        ?.groupValues
        ?.get(1)
        .orEmpty()
}
