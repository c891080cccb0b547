// Takes one webhook on loopback. A server has a framework for that; Foundation on Linux has nothing, so here it is done by hand.

import Foundation
import Gatewright

#if canImport(Darwin)
    import Darwin
    private let stream = SOCK_STREAM
#else
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
#endif

struct Receiver: Sendable {
    struct Failed: Error {
        let what: String
    }

    let port: UInt16
    private let listener: Int32

    init() throws {
        let listener = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Nothing here waits for ever: a call on the socket takes ten seconds at most.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                [bind(listener, address, length), listen(listener, 1), getsockname(listener, address, &length)]
            }
        }
        guard listener >= 0, bound == [0, 0, 0] else { throw Failed(what: "no port to listen on") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
    }

    /// The next request: its headers, and its body as it came. Answers 204, and listens no more.
    func request() async throws -> (headers: [(String, String)], body: Data) {
        try await withCheckedThrowingContinuation { continuation in
            // It blocks, so it has a thread of its own.
            Thread.detachNewThread { continuation.resume(with: Result { try receive() }) }
        }
    }

    private func receive() throws -> (headers: [(String, String)], body: Data) {
        let connection = accept(listener, nil, nil)
        close(listener)
        guard connection >= 0 else { throw Failed(what: "no webhook came") }
        defer { close(connection) }
        var received = Data()
        var headers: [(String, String)] = []
        while true {
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { throw Failed(what: "a webhook broke off") }
            received.append(contentsOf: buffer[..<count])
            guard let end = received.range(of: Data("\r\n\r\n".utf8)) else { continue }
            headers = String(decoding: received[..<end.lowerBound], as: UTF8.self)
                .split(separator: "\r\n").dropFirst()
                .map { line in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    return (String(parts[0]), parts.last?.trimmingCharacters(in: .whitespaces) ?? "")
                }
            let length = headers.first { $0.0.lowercased() == "content-length" }.flatMap { Int($0.1) } ?? 0
            let body = received[end.upperBound...]
            guard body.count >= length else { continue }
            let answer = Array("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".utf8)
            guard write(connection, answer, answer.count) == answer.count else { throw Failed(what: "the gateway went away") }
            return (headers, Data(body))
        }
    }
}
