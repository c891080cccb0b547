package dev.gatewright.internal

import dev.gatewright.Client
import java.io.IOException
import kotlin.time.Duration.Companion.seconds

/** The bytes at a URL that the native half has checked. */
internal suspend fun fetchCertificate(url: String): ByteArray {
    if (!url.startsWith("https://")) {
        throw IOException("a certificate is fetched over HTTPS, not from $url")
    }
    val client =
        Client(url) {
            maxRedirects = 0
            maxResponseBytes = 64L * 1024
            timeout = 15.seconds
        }
    val response = client.use { it.get(url) }
    if (response.status != 200) {
        throw IOException("$url was answered ${response.status}, so there is no certificate")
    }
    return response.bytes()
}
