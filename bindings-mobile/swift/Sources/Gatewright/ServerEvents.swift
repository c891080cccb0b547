import Foundation

/// An event of a stream of server-sent events.
public struct ServerEvent: Sendable {
    /// The event's type; `message` where the server names none.
    public let event: String
    /// The event's data, lines joined by line feeds.
    public let data: String
    /// The id of the last event that had one, this one included; empty where none had.
    public let id: String
    let decoder: JSONDecoder

    init(json: JSONValue, decoder: JSONDecoder) {
        event = json["event"]?.string ?? "message"
        data = json["data"]?.string ?? ""
        id = json["id"]?.string ?? ""
        self.decoder = decoder
    }

    /// Decodes the data from JSON, by the client's ``Configuration/decoder``.
    ///
    /// - Throws: ``GatewrightError/decode(_:)`` with the `DecodingError` as its ``Failure/cause``.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        do {
            return try decoder.decode(type, from: Data(data.utf8))
        } catch {
            let what = "the data of an event cannot be decoded: \(DecodingFailure.text(error))"
            throw GatewrightError.decode(Failure(code: "decode", what: what, advice: "look at the event's `data`", cause: error))
        }
    }
}

/// Where a stream of events begins and when it counts as broken, and what else may be said of its requests. What is `nil` is as the client
/// has it.
public struct EventOptions: Sendable, Hashable {
    /// Begins after this event, where the server knows it. Default: wherever the server begins.
    public var lastEventID: String?
    /// How long nothing may come, not even a comment, before the connection counts as broken. Default 60 s.
    public var idleTimeout: Timeout?
    /// From the start of a request to its response head; the stream itself may last for ever.
    public var timeout: Timeout?
    /// From sending an attempt to its response head.
    public var attemptTimeout: Timeout?
    /// Attempts in all, for each connection.
    public var maxAttempts: Int?
    /// Which of the client's credentials the requests carry.
    public var credential: RequestCredential?

    /// Options of a stream of events; what is left out has its default.
    public init(
        lastEventID: String? = nil,
        idleTimeout: Timeout? = nil,
        timeout: Timeout? = nil,
        attemptTimeout: Timeout? = nil,
        maxAttempts: Int? = nil,
        credential: RequestCredential? = nil
    ) {
        self.lastEventID = lastEventID
        self.idleTimeout = idleTimeout
        self.timeout = timeout
        self.attemptTimeout = attemptTimeout
        self.maxAttempts = maxAttempts
        self.credential = credential
    }
}

/// The events of a stream of server-sent events, as they come in.
///
/// A connection that breaks is made again by itself, after the last event that had an id, so that no event is lost or comes twice. Leaving the
/// loop closes the connection; each loop begins anew. When the task is cancelled, the loop throws `CancellationError`.
public struct ServerEvents: AsyncSequence, Sendable {
    /// An event.
    public typealias Element = ServerEvent

    let request: EventRequest

    /// Gives the events, one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let request: EventRequest
        let list: List
        var events: [ServerEvent].Iterator = [].makeIterator()

        /// The next event, `nil` where the server says that there are no more.
        ///
        /// - Throws: `GatewrightError` where the connection cannot be made again, `CancellationError` where the task was cancelled.
        public mutating func next() async throws -> ServerEvent? {
            while true {
                if let event = events.next() {
                    return event
                }
                guard let more = try await request.events(of: list) else { return nil }
                events = more.makeIterator()
            }
        }
    }

    /// Begins to listen.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(request: request, list: request.walk())
    }
}

extension ServerEvent: CustomReflectable {
    /// Type, data and id.
    public var customMirror: Mirror {
        Mirror(self, children: ["event": event, "data": data, "id": id])
    }
}

extension ServerEvents: CustomStringConvertible, CustomReflectable {
    /// The type's name.
    public var description: String { "ServerEvents" }

    /// Nothing beside the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
