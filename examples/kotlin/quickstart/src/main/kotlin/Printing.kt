// How the quickstart prints what it did.

import dev.gatewright.Attempt
import dev.gatewright.Decision
import java.io.FileDescriptor
import java.io.FileOutputStream
import java.io.PrintStream
import kotlin.math.max
import kotlin.math.roundToInt
import kotlin.time.Duration
import kotlin.time.DurationUnit.MILLISECONDS
import kotlin.time.DurationUnit.SECONDS

private val colours = System.console() != null && System.getenv("NO_COLOR") == null
private const val WIDTH = 48

/** Whatever the terminal's locale says: blocks and dots are wanted. */
fun printInUtf8() = System.setOut(PrintStream(FileOutputStream(FileDescriptor.out), true, "UTF-8"))

/** What was not as it should be. */
val failed = mutableListOf<String>()

private fun paint(
    code: Int,
    text: String,
) = if (colours) "\u001b[${code}m$text\u001b[0m" else text

fun good(text: String) = paint(32, text)

fun bad(text: String) = paint(31, text)

fun dim(text: String) = paint(2, text)

fun headline(
    title: String,
    what: String,
) = println("\n${paint(1, title)}  ${dim(what)}")

fun check(
    isSo: Boolean,
    what: String,
) {
    println("   ${if (isSo) good("✓") else bad("✗")} $what")
    if (!isSo) failed += what
}

fun Duration.shown() = toString(SECONDS, decimals = 2)

/** When a call was sent. */
fun sentAt(
    number: Int,
    sent: Duration,
    took: Duration,
) {
    val waits = (sent / took * WIDTH).roundToInt()
    val picture = dim("·".repeat(waits)) + good("█") + " ".repeat(WIDTH - waits)
    println("   ${"$number".padStart(2)} $picture sent at ${sent.shown()}")
}

/** A line for each attempt: dots are waits, blocks are requests. */
fun timeline(attempts: List<Attempt>) {
    val whole = attempts.last().run { started + took }

    fun columns(time: Duration) = (time / whole * WIDTH).roundToInt()

    var idleFrom = Duration.ZERO
    for (attempt in attempts) {
        val before = columns(idleFrom)
        val waits = columns(attempt.started - idleFrom)
        val busy = max(1, columns(attempt.took))
        val bar = "█".repeat(busy).let { if (attempt.decision == Decision.RETURN) good(it) else bad(it) }
        val rest = " ".repeat(max(0, WIDTH + 2 - before - waits - busy))
        val picture = " ".repeat(before) + dim("·".repeat(waits)) + bar + rest
        val outcome = attempt.status?.toString() ?: attempt.error?.substringBefore(":")
        val next = attempt.wait?.let { "retry in ${it.toString(MILLISECONDS)}" } ?: attempt.decision.name.lowercase()
        println("   ${attempt.number} $picture ${attempt.started.shown()}  $outcome  ${dim("→ $next")}")
        idleFrom = attempt.started + attempt.took
    }
}
