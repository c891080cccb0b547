// Run its tests: GATEWRIGHT_GATEWAY=path/to/gatewright-gateway mvn -q test

package com.example.contacts

import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import dev.gatewright.Client
import dev.gatewright.GatewrightException
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlin.time.Duration.Companion.seconds

@Serializable
data class Contact(
    val id: String,
    val name: String,
    val email: String? = null,
)

@Serializable
data class NewContact(
    val name: String,
)

@Serializable
private class ContactPage(
    val data: List<Contact>,
    @SerialName("next_cursor") val next: String?,
)

/** What the screen shows. */
data class ContactsUiState(
    val contacts: List<Contact> = emptyList(),
    val isLoading: Boolean = false,
    /** Whether the end of the list was not reached yet. */
    val hasMore: Boolean = true,
    val problem: Problem? = null,
)

/**
 * A list of contacts that grows as it is scrolled. All functions are called on the main thread, and none waits.
 *
 * Retries, rate limits and idempotency keys are the client's affair; what arrives here is worth telling. The [client] is the app's one and
 * only, made in its `Application`. When the screen is left for good `viewModelScope` ends, and with it every call that is under way.
 */
class ContactsViewModel(
    private val client: Client,
) : ViewModel() {
    private val mutableState = MutableStateFlow(ContactsUiState())
    private var loading: Job? = null
    private var next: String? = null

    val state: StateFlow<ContactsUiState> = mutableState.asStateFlow()

    init {
        refresh()
    }

    /** Begins anew, as when the list is pulled down. What is shown stays until the first page is there. */
    fun refresh() = load(fresh = true)

    /** Appends the next page, as when the list is scrolled to its end. Also what "Try again" calls: it goes on where it failed. */
    fun loadMore() {
        val now = state.value
        if (!now.isLoading && now.hasMore) load(fresh = now.contacts.isEmpty())
    }

    /** Leaves what is being loaded. */
    fun stopLoading() {
        loading?.cancel()
        mutableState.update { it.copy(isLoading = false) }
    }

    /** Adds a contact: once, however often the connection breaks on the way. */
    fun add(name: String) {
        viewModelScope.launch {
            attempt {
                val added = client.post("/v1/contacts") { json(NewContact(name)) }.json<Contact>()
                mutableState.update { it.copy(contacts = listOf(added) + it.contacts) }
            }
        }
    }

    private fun load(fresh: Boolean) {
        loading?.cancel() // from here on it changes nothing any more
        mutableState.update { it.copy(isLoading = true) }
        loading =
            viewModelScope.launch {
                attempt { loadPage(fresh) }
                mutableState.update { it.copy(isLoading = false) }
            }
    }

    private suspend fun loadPage(fresh: Boolean) {
        val page =
            client
                .get("/v1/contacts") {
                    query("limit", 20)
                    query("cursor", if (fresh) null else next)
                    timeout = 20.seconds // nobody looks at a spinner for longer
                }.json<ContactPage>()
        next = page.next
        mutableState.update {
            it.copy(contacts = if (fresh) page.data else it.contacts + page.data, hasMore = page.next != null)
        }
    }

    /** Does something; what goes wrong is shown. A cancellation is no `GatewrightException`, and passes. */
    private suspend fun attempt(what: suspend () -> Unit) {
        mutableState.update { it.copy(problem = null) }
        try {
            what()
        } catch (error: GatewrightException) {
            mutableState.update { it.copy(problem = Problem(error)) }
        }
    }
}
