// The line protocol on the standard streams: each line is handed over as it comes, each answer is written out at once.

import Foundation
import Synchronization

enum Lines {
    private static let writing = Mutex(FileHandle.standardOutput)

    /// Calls `take` with each line of the standard input, until the input ends.
    static func read(_ take: (Data) -> Void) {
        var begun = Data()
        while true {
            let chunk = FileHandle.standardInput.availableData
            guard !chunk.isEmpty else { return }
            var rest = chunk[...]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                begun.append(rest[..<end])
                take(begun)
                begun = Data()
                rest = rest[(end + 1)...]
            }
            begun.append(rest)
        }
    }

    /// Writes one line; several tasks may do so at once.
    static func write(_ answer: JSON) {
        guard var line = try? answer.line() else { return diagnose("an answer is no JSON") }
        line.append(UInt8(ascii: "\n"))
        writing.withLock { output in
            do { try output.write(contentsOf: line) } catch { diagnose("the harness does not read") }
        }
    }

    static func diagnose(_ text: String) {
        FileHandle.standardError.write(Data("gatewright-conformance-swift: \(text)\n".utf8))
    }
}
