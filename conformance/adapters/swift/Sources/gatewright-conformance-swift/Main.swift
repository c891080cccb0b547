// The conformance adapter of the Swift package: reads requests line by line, carries them out, answers line by line.
// The protocol is in conformance/PROTOCOL.md.

import Foundation

@main
struct Main {
    static func main() {
        let adapter = Adapter()
        Lines.read { line in
            do {
                adapter.begin(try JSON.read(line))
            } catch {
                Lines.diagnose("a line is no JSON: \(error)")
            }
        }
        // Calls under way end with the process.
        exit(0)
    }
}
