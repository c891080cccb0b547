package dev.gatewright

import dev.gatewright.internal.fetchCertificate

/**
 * Fetches the certificate that a message of SNS or PayPal names. The URL was checked, host and path: it is one of the provider's own. Follow no
 * redirects, take no status but 200 and no more than 64 KiB.
 */
public fun interface CertificateFetcher {
    /** The certificate in PEM, from this HTTPS [url]. What this throws, [Webhook.receive] throws. */
    public suspend fun fetch(url: String): ByteArray

    /** Fetchers that come along. */
    public companion object {
        /** Fetches by a [Client] of its own over HTTPS: no redirects, 64 KiB at most, 15 seconds at most. */
        public val https: CertificateFetcher = CertificateFetcher(::fetchCertificate)
    }
}
