package dev.gatewright.bench

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.util.concurrent.Executors
import java.util.concurrent.Future

/** How calls are made: [each] calls one after the other, that [atOnce] times beside one another. */
internal fun interface Workload {
    fun run(
        each: Int,
        atOnce: Int,
    )
}

/** For clients whose calls suspend: coroutines on the default dispatcher. */
internal fun coroutines(call: suspend () -> Unit) =
    Workload { each, atOnce ->
        runBlocking(Dispatchers.Default) {
            coroutineScope {
                repeat(atOnce) { launch { repeat(each) { call() } } }
            }
        }
    }

/** For clients whose calls block: a thread each, kept from round to round. A single one needs no other thread. */
internal fun threads(call: () -> Unit): Workload {
    val pool = Executors.newCachedThreadPool { work -> Thread(work).apply { isDaemon = true } }
    return Workload { each, atOnce ->
        val share = { repeat(each) { call() } }
        if (atOnce == 1) share() else List(atOnce) { pool.submit(share) }.forEach(Future<*>::get)
    }
}
