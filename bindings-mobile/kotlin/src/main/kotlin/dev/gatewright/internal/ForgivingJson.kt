package dev.gatewright.internal

import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.json.Json

/**
 * How JSON is read where a program says nothing else: whoever sends it may add members, and what an exception says of it has no piece of it,
 * which may be a secret.
 */
@PublishedApi
@OptIn(ExperimentalSerializationApi::class)
internal val FORGIVING_JSON: Json =
    Json {
        ignoreUnknownKeys = true
        exceptionsWithDebugInfo = false
    }
