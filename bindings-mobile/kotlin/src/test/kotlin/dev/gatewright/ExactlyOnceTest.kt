package dev.gatewright

import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** 2 000 POSTs through 30 % faults of every kind are 2 000 side effects: none lost, none doubled. */
class ExactlyOnceTest {
    @Serializable
    class New(
        val name: String,
        val external_id: String,
    )

    @ParameterizedTest
    @ValueSource(ints = [1, 2])
    fun `exactly once`(seed: Int) =
        checked {
            val session = Session()
            // At most ten faults a call, so that twelve attempts are always enough.
            val kinds = listOf("reset", "commit_reset", "503", "429", "lost", "commit_fin", "fin", "reset@100", "short").joinToString { "\"$it\"" }
            session.faults("""{"match": {"op": "contacts.create"}, "random": {"p": 0.3, "seed": $seed, "kinds": [$kinds], "max_per_call": 10}}""")
            val client =
                session.client {
                    // Faults by design are no reason to leave the host alone.
                    breaker = null
                    retry = Retry(maxAttempts = 12, backoffBase = 1.milliseconds, backoffCap = 5.milliseconds, budget = 100_000)
                    timeout = 2.minutes
                }
            val next = AtomicInteger()
            val answers =
                together(AT_ONCE) {
                    buildList {
                        while (true) {
                            val number = next.getAndIncrement()
                            if (number >= CALLS) {
                                break
                            }
                            add(client.post("/v1/contacts") { json(New("Contact $number", "x-$number")) })
                        }
                    }
                }.flatten()
            assertEquals(CALLS, answers.map { it.json<JsonObject>().text("id") }.toSet().size)
            val effects = session.effects("contacts.create")
            assertEquals(CALLS, effects.number("count"))
            val byKey = effects.getValue("by_key").jsonObject
            assertEquals(listOf(CALLS, 0, 0), listOf("distinct", "duplicates", "without_key").map(byKey::number))
            assertEquals(CALLS, effects.number("distinct_external_ids"))
            val faults = session.journal().count { it["fault"] != JsonNull }
            assertEquals(answers.sumOf { it.attempts.size - 1 }, faults)
            assertTrue(faults > CALLS * 0.3, "$faults")
        }

    private companion object {
        const val CALLS = 2_000
        const val AT_ONCE = 64
    }
}
