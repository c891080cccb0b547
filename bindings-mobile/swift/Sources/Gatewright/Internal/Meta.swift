import Foundation

/// What came with an answer beside its body, read when it is asked for.
///
/// Meta JSON: `{method, url, shownUrl, requestId, elapsedMs, headers: [[name, value]], attempts, cache}`; of a download also `total`, of an upload
/// `resumable` and `answerLost`.
final class Meta: Sendable {
    struct Facts: Sendable {
        let method: String
        let url: String
        let requestID: String?
        let elapsed: Duration
        let headers: Headers
        let attempts: [Attempt]
        let cacheStatus: CacheStatus?
    }

    private let json: [UInt8]
    private let read = Locked<Facts?>(nil)

    init(_ json: [UInt8]) {
        self.json = json
    }

    var facts: Facts {
        read.withLock { read in
            if let read {
                return read
            }
            let facts = Facts(JSONReader.read(json))
            read = facts
            return facts
        }
    }

    /// All that was told, for what only some answers have.
    var value: JSONValue { JSONReader.read(json) }

    var timeline: String {
        Native.timeline(JSONReader.raw("attempts", of: json))
    }

    /// The error of an answer whose body cannot be decoded.
    func undecodable(_ error: any Error) -> GatewrightError {
        let what = "with a body that cannot be decoded: \(DecodingFailure.text(error))"
        let told = Native.answerError(meta: String(decoding: json, as: UTF8.self), code: "decode", what: what)
        return GatewrightError(Failure(json: Array(told.utf8), thrown: error))
    }
}

extension Meta.Facts {
    init(_ json: JSONValue) {
        method = json["method"]?.string ?? ""
        url = json["url"]?.string ?? ""
        requestID = json["requestId"]?.string
        elapsed = json["elapsedMs"]?.duration ?? .zero
        headers = json["headers"]?.array.map(Headers.init(json:)) ?? [:]
        attempts = json["attempts"]?.array?.map(Attempt.init(json:)) ?? []
        cacheStatus = json["cache"]?.string.flatMap(CacheStatus.init)
    }
}
