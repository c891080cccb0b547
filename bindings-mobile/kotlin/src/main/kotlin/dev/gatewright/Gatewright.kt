package dev.gatewright

/** Facts about this library. */
public object Gatewright {
    /** The version of this library, such as `0.1.0`. */
    public const val VERSION: String = "0.1.0"
}

/** Marks the receivers of configuration blocks, so that a block inside of another cannot reach the outer one by accident. */
@DslMarker
@Target(AnnotationTarget.CLASS)
public annotation class GatewrightDsl
