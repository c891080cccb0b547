package dev.gatewright

import dev.gatewright.internal.JsonText

/** Which of a client's credentials a request carries; see [CallConfig.credential]. */
public sealed class RequestCredential {
    /**
     * One of [ClientConfig.credential]. A name that is not there is refused before anything is sent.
     *
     * @property name Its name.
     */
    public data class Named(
        public val name: String,
    ) : RequestCredential()

    /** No credential, not the client's own either. */
    public data object Anonymous : RequestCredential()

    internal fun write(json: JsonText) {
        when (this) {
            is Named -> json.string(name)
            Anonymous -> json.boolean(false)
        }
    }
}
