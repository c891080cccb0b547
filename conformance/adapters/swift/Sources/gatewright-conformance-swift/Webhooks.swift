// Verifies and signs webhooks as a scenario says.

import Foundation
import Gatewright

func webhook(_ request: JSON) throws -> JSON {
    do {
        return request["op"]?.string == "webhook.sign" ? try sign(request) : try verify(request)
    } catch let error as WebhookError {
        return ["ok": false, "error": ["code": .string(error.code), "message": .string(inProtocolNames(error.details.message))]]
    }
}

private func sign(_ request: JSON) throws -> JSON {
    let headers = try Webhook(secrets: secrets(request)).sign(
        body(request), messageID: text(request["message_id"]), timestamp: date(request["timestamp"]))
    let members = headers.map { ($0.name, JSON.string($0.value)) }
    return ["ok": true, "headers": .object(Dictionary(members) { first, _ in first })]
}

private func verify(_ request: JSON) throws -> JSON {
    let verified = try verifier(request).verify(body(request), headers: pairs(request), now: date(request["now"]))
    return [
        "ok": true,
        "verified": [
            "scheme": .string(verified.scheme), "algorithm": .string(verified.algorithm.rawValue),
            "key_index": JSON(verified.keyIndex), "timestamp": JSON(verified.timestamp.map { Int($0.timeIntervalSince1970) }),
            "message_id": JSON(verified.messageID), "body_bound": .string(verified.bodyBound),
            "timestamp_signed": .bool(verified.isTimestampSigned), "id_signed": .bool(verified.isIDSigned),
            "url_bound": .bool(verified.isURLBound),
        ],
    ]
}

/// What a scenario leaves out has the SDK's own default.
private func verifier(_ request: JSON) throws -> Webhook {
    let secrets = secrets(request)
    return switch (try request.member("tolerance_s").map(seconds), try request.member("max_body").map(number)) {
    case (nil, nil): try Webhook(secrets: secrets)
    case (let tolerance?, nil): try Webhook(secrets: secrets, tolerance: tolerance)
    case (nil, let maxBody?): try Webhook(secrets: secrets, maxBody: maxBody)
    case (let tolerance?, let maxBody?): try Webhook(secrets: secrets, tolerance: tolerance, maxBody: maxBody)
    }
}

private func secrets(_ request: JSON) -> [String] {
    (request["secrets"]?.array ?? []).compactMap(\.string)
}

private func body(_ request: JSON) throws -> Data {
    try request.member("base64").map(bytes) ?? Data(text(request["text"]).utf8)
}

private func pairs(_ request: JSON) throws -> Headers {
    Headers(try (request["headers"]?.array ?? []).map { (try text($0[0]), try text($0[1])) })
}

private func date(_ value: JSON?) throws -> Date {
    guard let seconds = value?.double else { throw Unsupported("a time that is no number") }
    return Date(timeIntervalSince1970: seconds)
}

private func seconds(_ value: JSON) throws -> Duration {
    guard let seconds = value.double else { throw Unsupported("a tolerance that is no number") }
    return .seconds(seconds)
}
