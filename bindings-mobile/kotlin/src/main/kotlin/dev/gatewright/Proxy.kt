package dev.gatewright

/** How connections leave; see [ClientConfig.proxy]. */
public sealed class Proxy {
    /** As the environment has it: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. The default. */
    public object Environment : Proxy() {
        override fun toString(): String = "Proxy.Environment"
    }

    /** No proxy, whatever the environment says. */
    public object None : Proxy() {
        override fun toString(): String = "Proxy.None"
    }

    /**
     * This proxy, such as `http://proxy.example.com:3128`. A user and a password may be in it: [toString] does not show it.
     *
     * @property url Where the proxy is.
     */
    public class Url(
        public val url: String,
    ) : Proxy() {
        override fun equals(other: Any?): Boolean = other is Url && other.url == url

        override fun hashCode(): Int = url.hashCode()

        override fun toString(): String = "Proxy.Url"
    }
}
