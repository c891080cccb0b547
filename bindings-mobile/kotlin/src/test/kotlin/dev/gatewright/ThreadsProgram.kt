package dev.gatewright

import kotlinx.coroutines.runBlocking

/** Prints which threads of the library's there are, step by step. */
fun main(arguments: Array<String>) {
    val url = arguments.single()
    val client = Client(url) { auth = Auth.bearer(KEY) }
    println("client: ${ownThreads()}")
    runBlocking { client.get("/v1/whoami") }
    println("call: ${ownThreads()}")
    val named = Client(url.replace("127.0.0.1", "localhost")) { auth = Auth.bearer(KEY) }
    runBlocking { repeat(20) { named.get("/v1/whoami") } }
    println("name: ${ownThreads().sorted()}")
    client.close()
    named.close()
    runBlocking { until { "gatewright" !in ownThreads() } }
    // The one that looks up names has nothing to do, and ends by itself.
    println("closed: ${ownThreads().filter { it == "gatewright" }}")
    val again = Client(url) { auth = Auth.bearer(KEY) }
    runBlocking { again.get("/v1/whoami") }
    println("again: ${ownThreads().filter { it == "gatewright" }}")
}
