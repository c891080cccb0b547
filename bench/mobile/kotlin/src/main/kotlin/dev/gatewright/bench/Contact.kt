package dev.gatewright.bench

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

/** Where bench-server has a contact. */
internal const val PATH = "/v1/contacts/ct_000001"

/** The credential that every client sends. */
internal const val KEY = "sk_test_unlimited_bench"

/** The document that every client decodes, all of its fields. */
@Serializable
internal data class Contact(
    val id: String,
    val `object`: String,
    val email: String,
    val name: String,
    val tags: List<String>,
    val score: Double,
    val active: Boolean,
    val company: String?,
    @SerialName("created_at") val createdAt: String,
    @SerialName("updated_at") val updatedAt: String,
    val version: Int,
)

/** Every answer must be there and decoded. */
internal fun check(contact: Contact) {
    check(contact.id == "ct_000001" && contact.version == 17) { "not what was asked for: $contact" }
}
