// Every public symbol is documented, and the public API is what is recorded: it changes on purpose only.
//
// `GATEWRIGHT_RECORD_API=1 swift test --filter PublicAPITests` writes PublicAPI.txt anew.

import Foundation
import XCTest

final class PublicAPITests: XCTestCase {
    /// A public declaration: the types around it, its text in one line, and whether documentation stands above it.
    private struct Declaration {
        let place: String
        let text: String
        let isDocumented: Bool
    }

    private var package: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    private func declarations() throws -> [Declaration] {
        let folder = package.appendingPathComponent("Sources/Gatewright")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "swift" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .flatMap { try declarations(String(contentsOf: $0, encoding: .utf8)) }
    }

    /// Reads a file as it is formatted: a declaration begins a line, and a body ends with the brace that closes its line's.
    private func declarations(_ source: String) throws -> [Declaration] {
        var found: [Declaration] = []
        /// The names of what is open, `nil` for bodies and for what is not public.
        var open: [String?] = []
        var isDocumented = false
        var pending = ""
        for line in source.components(separatedBy: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line.hasPrefix("//") || line.isEmpty || line.hasPrefix("@") {
                isDocumented = line.hasPrefix("///") || (isDocumented && !line.isEmpty)
                continue
            }
            let text = pending.isEmpty ? line : "\(pending) \(line)"
            let depth = { (character: Character) in text.filter { $0 == character }.count }
            if depth("(") > depth(")") || text.hasSuffix(",") || (isType(text) && !text.contains("{")) {
                pending = text
                continue
            }
            pending = ""
            let signature = text.components(separatedBy: " {")[0]
            let isExtension = signature.hasPrefix("extension ")
            let isOpen = open.allSatisfy { $0 != nil }
            let isCase = signature.hasPrefix("case ") && !signature.contains(":") && open.last.flatMap { $0 } != nil
            let isMember = open.last.flatMap { $0 }?.hasPrefix("protocol ") ?? false && signature.hasPrefix("var ")
            if isOpen, signature.hasPrefix("public ") || isCase || isMember {
                let place = open.compactMap { $0 }.joined(separator: ".")
                found.append(Declaration(place: place, text: signature, isDocumented: isDocumented))
            }
            isDocumented = false
            for (index, character) in text.enumerated() where character == "{" || character == "}" {
                if character == "}" {
                    _ = open.popLast()
                } else {
                    let isFirst = text.prefix(index).firstIndex(of: "{") == nil
                    let isNamed = isFirst && (isExtension || (signature.hasPrefix("public ") && isType(signature)))
                    open.append(isNamed ? name(signature) : nil)
                }
            }
        }
        XCTAssertEqual(open.count, 0)
        return found
    }

    private func isType(_ text: String) -> Bool {
        ["struct ", "enum ", "class ", "protocol ", "extension "].contains { text.hasPrefix($0) || text.hasPrefix("public \($0)") }
            || text.hasPrefix("public final class ")
    }

    private func name(_ signature: String) -> String {
        let words = signature.components(separatedBy: " ").filter { $0 != "public" && $0 != "final" }
        let name = words.count > 1 ? words[1].trimmingCharacters(in: CharacterSet(charactersIn: ":")) : ""
        return words.first == "protocol" ? "protocol \(name)" : name.components(separatedBy: "<")[0]
    }

    func testEveryPublicSymbolIsDocumented() throws {
        let declarations = try declarations()
        XCTAssertGreaterThan(declarations.count, 250)
        for declaration in declarations where !declaration.text.hasPrefix("public extension") {
            XCTAssertTrue(declaration.isDocumented, "\(declaration.place): \(declaration.text)")
        }
    }

    func testThePublicAPIIsWhatIsRecorded() throws {
        let lines = try declarations().map { $0.place.isEmpty ? $0.text : "\($0.place): \($0.text)" }
        let api = lines.sorted().joined(separator: "\n") + "\n"
        let record = package.appendingPathComponent("PublicAPI.txt")
        if ProcessInfo.processInfo.environment["GATEWRIGHT_RECORD_API"] != nil {
            try api.write(to: record, atomically: true, encoding: .utf8)
        }
        let recorded = try String(contentsOf: record, encoding: .utf8)
        let (before, after) = (Set(recorded.components(separatedBy: "\n")), Set(api.components(separatedBy: "\n")))
        XCTAssertEqual(before.subtracting(after), [], "gone")
        XCTAssertEqual(after.subtracting(before), [], "new")
    }
}
