// One client in a process of its own: told how many calls to make, it says what they took. What it is run as, and what
// goes over its standard streams, is described in bench/src/peer.rs.

import Foundation

let arguments = CommandLine.arguments.dropFirst()
switch (arguments.first, arguments.count) {
case ("list", 1):
    for candidate in candidates { print(candidate.name) }
case ("peer", 4):
    try await peer(name: arguments[2], url: arguments[3], atOnce: Int(arguments[4]) ?? 1)
default:
    FileHandle.standardError.write(Data("usage: list | peer NAME URL AT_ONCE\n".utf8))
    exit(2)
}
// Connections end with the process: how a client is closed is not measured, and each is closed in another way.
exit(0)

struct Ready: Encodable {
    let title: String
}

/// What a number of calls took. CPU is that of the whole process, all its threads.
struct Round: Encodable {
    let calls: Int
    let seconds: Double
    let cpuSeconds: Double
    let peakMb: Double
}

func peer(name: String, url: String, atOnce: Int) async throws {
    guard let candidate = candidates.first(where: { $0.name == name }) else { exit(2) }
    let call = try candidate.open(url)
    try say(Ready(title: candidate.title))
    while let line = readLine(), let calls = Int(line) {
        let each = max(1, (calls + atOnce / 2) / atOnce)
        let cpuBefore = cpuSeconds()
        let begun = ContinuousClock.now
        try await run(call, each: each, atOnce: atOnce)
        let took = begun.duration(to: .now)
        let round = Round(
            calls: each * atOnce,
            seconds: took / .seconds(1),
            cpuSeconds: cpuSeconds() - cpuBefore,
            peakMb: peakMb()
        )
        try say(round)
    }
}

/// `each` calls one after the other, that `atOnce` times beside one another.
func run(_ call: @escaping @Sendable () async throws -> Void, each: Int, atOnce: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<atOnce {
            group.addTask {
                for _ in 0..<each { try await call() }
            }
        }
        try await group.waitForAll()
    }
}

func say(_ line: some Encodable) throws {
    FileHandle.standardOutput.write(try JSONEncoder().encode(line) + Data("\n".utf8))
}

func cpuSeconds() -> Double {
    var usage = rusage()
    #if canImport(Darwin)
        getrusage(RUSAGE_SELF, &usage)
    #else
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #endif
    let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Peak resident memory; 0 where there is no /proc.
func peakMb() -> Double {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return 0 }
    return (Double(line.filter(\.isNumber)) ?? 0) / 1024
}
