// A server of one's own, for what the gateway does not do.

import Foundation

/// Listens on loopback and answers each request by a function; one connection at a time, one request for each connection.
final class StubServer: Sendable {
    let port: UInt16
    private let socket: Int32
    private let isServed: Bool
    private let ended = Counter()

    var url: String { "http://127.0.0.1:\(port)" }

    /// A request: its first line, headers and body as text.
    struct Request: Sendable {
        let target: String
        let text: String

        var headers: [(name: String, value: String)] {
            let head = text.components(separatedBy: "\r\n\r\n")[0]
            return head.components(separatedBy: "\r\n").dropFirst().compactMap { line in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                return (String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
            }
        }

        var body: String { text.components(separatedBy: "\r\n\r\n").dropFirst().joined(separator: "\r\n\r\n") }
    }

    /// Without an answer connections are never accepted: a backlog of one fills up.
    init(_ answer: (@Sendable (Request) -> String)? = nil) throws {
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        let socket = Foundation.socket(AF_INET, kind, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, size) == 0 && listen(socket, answer == nil ? 0 : 16) == 0 && getsockname(socket, pointer, &size) == 0
            }
        }
        guard socket >= 0, bound else { throw Broken("no socket to listen on") }
        self.socket = socket
        isServed = answer != nil
        port = UInt16(bigEndian: address.sin_port)
        if let answer {
            let thread = Thread { [ended] in StubServer.serve(socket, ended, answer) }
            thread.name = "stub-server"
            thread.start()
        }
    }

    deinit {
        ended.add()
        shutdown(socket, Int32(SHUT_RDWR))
        if !isServed {
            close(socket)
        }
    }

    /// Serves until nobody has the server any more, and closes the socket itself: its number may be another one's as soon as it is closed.
    private static func serve(_ socket: Int32, _ ended: Counter, _ answer: @Sendable (Request) -> String) {
        defer { close(socket) }
        while ended.count == 0 {
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if poll(&ready, 1, 100) == 0 {
                continue
            }
            let connection = accept(socket, nil, nil)
            if connection < 0 {
                return
            }
            var request = ""
            var buffer = [UInt8](repeating: 0, count: 65536)
            while !isWhole(request) {
                let count = recv(connection, &buffer, buffer.count, 0)
                if count <= 0 {
                    break
                }
                request += String(decoding: buffer[..<count], as: UTF8.self)
            }
            let parts = request.split(separator: " ", maxSplits: 2)
            let text = answer(Request(target: parts.count > 1 ? String(parts[1]) : "", text: request))
            _ = text.withCString { send(connection, $0, strlen($0), 0) }
            shutdown(connection, Int32(SHUT_WR))
            while recv(connection, &buffer, buffer.count, 0) > 0 {}
            close(connection)
        }
    }

    private static func isWhole(_ request: String) -> Bool {
        guard let end = request.range(of: "\r\n\r\n") else { return false }
        let head = request[..<end.lowerBound].lowercased()
        let length = head.components(separatedBy: "content-length: ").dropFirst().first?.prefix { $0.isNumber }
        return request[end.upperBound...].utf8.count >= length.flatMap { Int($0) } ?? 0
    }

    /// An answer with a JSON body.
    static func json(_ body: String, status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\nconnection: close\r\n\r\n\(body)"
    }
}
