package dev.gatewright

import kotlinx.coroutines.runBlocking

/** A `main` without a dispatcher; its client stays open. */
suspend fun main(arguments: Array<String>) {
    val client = Client(arguments.single()) { auth = Auth.bearer(KEY) }
    println(client.get("/v1/whoami").status)
    println(runBlocking { client.get("/v1/whoami").status })
    println(Thread.currentThread().name.startsWith("gatewright"))
    println(runCatching { client.get("/v1/contacts/nope") }.exceptionOrNull() is NotFoundException)
}
