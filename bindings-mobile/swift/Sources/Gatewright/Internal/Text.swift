import Foundation

extension Data {
    /// The text of UTF-8 bytes: wrong ones become U+FFFD, a byte order mark is dropped.
    var text: String {
        let hasMark = count >= 3 && starts(with: [0xEF, 0xBB, 0xBF])
        return String(decoding: hasMark ? dropFirst(3) : self[...], as: UTF8.self)
    }
}

extension String {
    /// The lines moved to the right.
    var indented: String {
        split(separator: "\n", omittingEmptySubsequences: true).map { "  \($0)" }.joined(separator: "\n")
    }
}
