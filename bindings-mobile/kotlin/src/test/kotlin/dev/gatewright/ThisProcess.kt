package dev.gatewright

import java.io.File
import java.lang.management.ManagementFactory

/** Bytes of memory that this process has, as the system counts them. */
fun resident(): Long = File("/proc/self/statm").readText().split(' ')[1].toLong() * 4096

/** Bytes of the heap that are in use after everything that nobody holds is gone. */
fun heap(): Long {
    repeat(3) {
        System.gc()
        Thread.sleep(20)
    }
    return ManagementFactory.getMemoryMXBean().heapMemoryUsage.used
}

/** Threads of the system's that are this library's: its JVM thread has the same name there. */
fun ownThreads(): List<String> =
    File("/proc/self/task")
        .listFiles()
        .orEmpty()
        .mapNotNull { runCatching { File(it, "comm").readText().trim() }.getOrNull() }
        .filter { it.startsWith("gatewright") }

/** Open files and sockets. */
fun openFiles(): Int = File("/proc/self/fd").list()?.size ?: 0
