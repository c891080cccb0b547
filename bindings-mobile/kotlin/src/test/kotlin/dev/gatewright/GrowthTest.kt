package dev.gatewright

import dev.gatewright.internal.Calls
import dev.gatewright.internal.Questions
import dev.gatewright.internal.Uploads
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds

/** Calls that come and go leave nothing behind. */
class GrowthTest {
    /** Calls of all sorts, so many of them together. */
    private suspend fun calls(
        client: Client,
        count: Int,
    ) {
        repeat(count / BATCH) {
            together(BATCH) { number ->
                when (number % 5) {
                    0 -> client.post("/v1/sink") { body = Body.replayable { flowOf(ByteArray(100)) } }
                    1 -> client.stream("GET", "/v1/bytes/30000").use { it.bytes() }
                    2 -> thrown<NotFoundException> { client.get("/v1/contacts/nope") }
                    else -> client.get("/v1/whoami") { query("n", number) }
                }
            }
        }
    }

    private suspend fun cancelled(
        client: Client,
        count: Int,
    ) {
        repeat(count / BATCH) {
            val jobs = kotlinx.coroutines.coroutineScope { List(BATCH) { launch { client.get("/v1/delay/60000") }.also { job -> job.cancel() } } }
            assertTrue(jobs.all { it.isCompleted })
        }
        idle(client)
    }

    @Test
    fun `10 000 calls leave no memory, thread, file or entry behind`() =
        checked {
            // A token callback of another test may still be asked.
            val asked = Questions.size
            val session = Session()
            session.set("""{"journal_entries": 100}""")
            val (threads, files) = Thread.activeCount() to openFiles()
            val client =
                session.client {
                    beforeAttempt { it.headers["x-hook"] = "1" }
                    timeout = 60_000.milliseconds
                }
            calls(client, 3_000)
            cancelled(client, 1_000)
            val heapBefore = heap()
            // Compilers and allocators set memory aside in some rounds; what leaks grows in each of them.
            val growth = mutableListOf<Long>()
            while (growth.size < 4 || (growth.min() > 5_000_000 && growth.size < 8)) {
                heap()
                val before = resident()
                calls(client, 2_000)
                cancelled(client, 500)
                heap()
                growth += resident() - before
            }
            assertTrue(growth.min() <= 5_000_000, "resident memory grew by $growth")
            until { heap() - heapBefore < 2_000_000 }
            until { Questions.size <= asked && Calls.size == 0 && Uploads.size == 0 }
            client.close()
            until { Thread.activeCount() <= threads + 4 }
            until { openFiles() <= files + 30 }
        }

    @Test
    fun `clients that nobody holds leave no memory behind`() =
        checked {
            val session = Session()

            suspend fun clients(count: Int) {
                repeat(count) { session.client { auth = Auth.token { Token(KEY) } }.get("/v1/whoami") }
            }
            clients(200)
            heap()
            val before = openFiles()
            val heapBefore = heap()
            clients(400)
            until {
                Client(session.url).close()
                heap() - heapBefore < 2_000_000
            }
            until {
                System.gc()
                Client(session.url).close()
                openFiles() < before + 50
            }
        }

    private companion object {
        const val BATCH = 100
    }
}
