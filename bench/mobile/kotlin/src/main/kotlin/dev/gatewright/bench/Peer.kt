/*
 * One client in a process of its own: told how many calls to make, it says what they took. What it is run as, and what
 * goes over its standard streams, is described in bench/src/peer.rs.
 */
package dev.gatewright.bench

import com.sun.management.OperatingSystemMXBean
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import java.io.File
import java.lang.management.ManagementFactory
import kotlin.math.roundToInt
import kotlin.system.exitProcess

@Serializable
private class Ready(
    @Suppress("unused") val title: String,
)

/** What a number of calls took. CPU is that of the whole process, all its threads. */
@Serializable
@Suppress("unused")
private class Round(
    val calls: Int,
    val seconds: Double,
    val cpuSeconds: Double,
    val peakMb: Double,
)

private val system = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean

fun main(arguments: Array<String>) {
    when (arguments.firstOrNull()) {
        "list" -> candidates.forEach { println(it.name) }
        "peer" -> peer(name = arguments[1], url = arguments[2], atOnce = arguments[3].toInt())
        else -> System.err.println("usage: list | peer NAME URL AT_ONCE").also { exitProcess(2) }
    }
    // Connections end with the process: how a client is closed is not measured, and each is closed in another way.
    exitProcess(0)
}

private fun peer(
    name: String,
    url: String,
    atOnce: Int,
) {
    val candidate = candidates.first { it.name == name }
    val client = candidate.open(url)
    println(Json.encodeToString(Ready(titleOf(candidate))))
    while (true) {
        val calls = readlnOrNull()?.toInt() ?: return
        println(Json.encodeToString(client.measure(each = maxOf(1, (calls.toDouble() / atOnce).roundToInt()), atOnce)))
    }
}

/** The version stands after the package's name. */
private fun titleOf(candidate: Candidate): String {
    if (candidate.version.isEmpty()) return candidate.name
    val words = candidate.name.split(" ")
    return (words.take(1) + candidate.version + words.drop(1)).joinToString(" ")
}

private fun Workload.measure(
    each: Int,
    atOnce: Int,
): Round {
    val cpuBefore = system.processCpuTime
    val begun = System.nanoTime()
    run(each, atOnce)
    val seconds = (System.nanoTime() - begun) / 1e9
    return Round(each * atOnce, seconds, (system.processCpuTime - cpuBefore) / 1e9, peakMb())
}

/** Peak resident memory; 0 where there is no /proc. */
private fun peakMb(): Double {
    val status = File("/proc/self/status").takeIf(File::exists) ?: return 0.0
    val line = status.useLines { lines -> lines.firstOrNull { it.startsWith("VmHWM:") } }.orEmpty()
    return line.filter(Char::isDigit).toDoubleOrNull().let { (it ?: 0.0) / 1024 }
}
