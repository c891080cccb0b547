package com.example.contacts

import androidx.lifecycle.ViewModelStore
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.resetMain
import kotlinx.coroutines.test.setMain
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import java.util.concurrent.Executors
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

@OptIn(ExperimentalCoroutinesApi::class)
class ContactsViewModelTest {
    private val main = Executors.newSingleThreadExecutor().asCoroutineDispatcher()
    private val gateway = GatewaySession()
    private val client = gateway.client()
    private val store = ViewModelStore()

    @BeforeEach
    fun aThreadIsTheMainThread() = Dispatchers.setMain(main)

    @AfterEach
    fun everythingIsLeft() {
        runBlocking(Dispatchers.Main) { store.clear() }
        client.close()
        gateway.close()
        Dispatchers.resetMain()
        main.close()
    }

    @Test
    fun `the list grows page by page to its end`() =
        onMain {
            val screen = screen()
            assertEquals(20, screen.settled().contacts.size)
            screen.loadMore()
            assertEquals(40, screen.settled().contacts.size)
            screen.loadMore()
            val whole = screen.settled()
            assertEquals(45, whole.contacts.distinctBy { it.id }.size)
            assertFalse(whole.hasMore)
            screen.loadMore()
            assertEquals(whole, screen.state.value)
            assertEquals(3, gateway.requests("contacts.list"))
        }

    @Test
    fun `asking twice while a page is on its way loads it once`() =
        onMain {
            val screen = screen()
            screen.settled()
            screen.loadMore()
            screen.loadMore()
            assertEquals(40, screen.settled().contacts.size)
            assertEquals(2, gateway.requests("contacts.list"))
        }

    @Test
    fun `a refresh begins anew and leaves what was on its way`() =
        onMain {
            val screen = screen()
            screen.settled()
            gateway.script("contacts.list", "hang")
            screen.loadMore()
            until { gateway.requests("contacts.list") == 2 }
            screen.refresh()
            val anew = screen.settled()
            assertEquals(20, anew.contacts.size)
            assertNull(anew.problem)
            noCallIsUnderWay()
        }

    @Test
    fun `what is stopped changes nothing any more`() =
        onMain {
            val screen = screen()
            val before = screen.settled()
            screen.loadMore()
            screen.stopLoading()
            assertEquals(before, screen.state.value)
            noCallIsUnderWay()
            screen.loadMore()
            assertEquals(40, screen.settled().contacts.size)
        }

    @Test
    fun `what fails is told with advice, and trying again goes on where it was`() =
        onMain {
            val screen = screen()
            screen.settled()
            gateway.script("contacts.list", "503", "503", "503")
            screen.loadMore()
            val failed = screen.settled()
            val problem = checkNotNull(failed.problem)
            assertEquals(20, failed.contacts.size)
            assertTrue(problem.canRetry)
            assertTrue(problem.advice.isNotBlank() && problem.requestId != null)
            assertTrue("503" in problem.details && "3 attempts" in problem.details, problem.details)
            assertFalse(GatewaySession.KEY in problem.toString())
            screen.loadMore()
            val again = screen.settled()
            assertEquals(40, again.contacts.distinctBy { it.id }.size)
            assertNull(again.problem)
        }

    @Test
    fun `a contact is added once though the answer was lost`() =
        onMain {
            val screen = screen()
            screen.settled()
            gateway.script("contacts.create", "lost")
            screen.add("Ada Lovelace")
            val state = screen.state.first { it.contacts.size == 21 || it.problem != null }
            assertEquals("Ada Lovelace", state.contacts.first().name)
            assertEquals(2, gateway.requests("contacts.create"))
            assertEquals(1, gateway.effects("contacts.create"))
        }

    @Test
    fun `a screen that is left takes its calls with it`() =
        onMain {
            gateway.script("contacts.list", "hang")
            val screen = screen()
            until { gateway.requests("contacts.list") == 1 }
            store.clear()
            noCallIsUnderWay()
        }

    /** A view model as an activity has it. */
    private fun screen() = ContactsViewModel(client).also { store.put("contacts", it) }

    private fun onMain(test: suspend () -> Unit) = runBlocking(Dispatchers.Main) { withTimeout(DEADLINE) { test() } }

    /** What is shown when nothing is loaded any more. */
    private suspend fun ContactsViewModel.settled() = state.first { !it.isLoading }

    private suspend fun noCallIsUnderWay() = until { client.state().limits.all { it.inFlight == 0 && it.queued == 0 } }

    /** Waits until something is so. What never is so makes the test fail by its deadline. */
    private suspend fun until(condition: suspend () -> Boolean) {
        while (!condition()) delay(2.milliseconds)
    }

    private companion object {
        val DEADLINE = 60.seconds
    }
}
