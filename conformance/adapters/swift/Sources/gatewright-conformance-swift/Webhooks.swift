// Verifies and signs webhooks as a scenario says.

import Foundation
import Gatewright

/// The pieces in which a body is verified once more.
private let piece = 7

func webhook(_ request: JSON) throws -> JSON {
    do {
        return request["op"]?.string == "webhook.sign" ? try sign(request) : try verify(request)
    } catch let error as WebhookError {
        return refused(error)
    }
}

private func refused(_ error: WebhookError) -> JSON {
    ["ok": false, "error": ["code": .string(error.code), "message": .string(inProtocolNames(error.details.message))]]
}

private func sign(_ request: JSON) throws -> JSON {
    let headers = try Webhook(secrets: texts(request["secrets"])).sign(
        body(request), messageID: text(request["message_id"]), timestamp: date(request["timestamp"]))
    let members = headers.map { ($0.name, JSON.string($0.value)) }
    return ["ok": true, "headers": .object(Dictionary(members) { first, _ in first })]
}

private func verify(_ request: JSON) throws -> JSON {
    let name = request["scheme"]?.string ?? "standard-webhooks"
    guard let scheme = WebhookScheme(rawValue: name) else { throw Unsupported("the scheme \(name)") }
    var options = WebhookOptions()
    try take(request, into: &options)
    let webhook = try Webhook(scheme, secrets: texts(request["secrets"])) { $0 = options }
    let certificate = try request["settings"]?.member("certificate").map { Data(try text($0).utf8) }
    let (body, headers, now) = (try body(request), try pairs(request), try date(request["now"]))
    let (url, method) = (request["url"]?.string, request["method"]?.string)

    var hasNoCertificate = false
    let whole = try verdict {
        do {
            return try webhook.verify(body, headers: headers, now: now, url: url, method: method)
        } catch let error as WebhookError {
            guard case .missingCertificate(_, let place) = error else { throw error }
            hasNoCertificate = true
            guard let certificate else { throw error }
            try webhook.addCertificate(certificate, from: place, now: now)
            hasNoCertificate = false
            return try webhook.verify(body, headers: headers, now: now, url: url, method: method)
        }
    }
    if hasNoCertificate {
        return whole
    }
    let streamed = try verdict {
        let verifier = try webhook.verifier(headers: headers, now: now, url: url, method: method)
        var rest = body[...]
        while !rest.isEmpty {
            try verifier.update(rest.prefix(piece))
            rest = rest.dropFirst(piece)
        }
        return try verifier.finish()
    }
    guard whole.description == streamed.description else {
        throw Unsupported("two verdicts: whole \(whole), in pieces \(streamed)")
    }
    return whole
}

private func verdict(_ verify: () throws -> Verified) throws -> JSON {
    do {
        return ["ok": true, "verified": shown(try verify())]
    } catch let error as WebhookError {
        return refused(error)
    }
}

private func shown(_ verified: Verified) -> JSON {
    [
        "scheme": .string(verified.scheme.rawValue), "algorithm": .string(verified.algorithm.rawValue),
        "key_index": JSON(verified.keyIndex), "timestamp": JSON(verified.timestamp.map { Int($0.timeIntervalSince1970) }),
        "message_id": JSON(verified.messageID), "body_bound": .string(verified.bodyBound.rawValue),
        "timestamp_signed": .bool(verified.isTimestampSigned), "id_signed": .bool(verified.isIDSigned),
        "url_bound": .bool(verified.isURLBound),
    ]
}

/// What a scenario leaves out has the SDK's own default.
private func take(_ request: JSON, into options: inout WebhookOptions) throws {
    options.tolerance = try request.member("tolerance_s").map(seconds)
    options.maxBody = try request.member("max_body").map(number)
    for (name, value) in request["settings"]?.object ?? [:] {
        switch name {
        case "tolerance": options.tolerance = try seconds(value)
        case "max_body": options.maxBody = try number(value)
        case "url": options.url = try text(value)
        case "webhook_id": options.webhookID = try text(value)
        case "topic_arn": options.topicARN = try text(value)
        case "key_ids": options.keyIDs = texts(value)
        case "components": options.components = texts(value)
        case "template": options.template = try template(value)
        case "certificate": break
        default: throw Unsupported("the setting \(name)")
        }
    }
}

private func template(_ given: JSON) throws -> WebhookTemplate {
    var template = WebhookTemplate(signatureHeader: try text(given["signature_header"]), signed: try text(given["signed"]))
    template.timestampHeader = given["timestamp_header"]?.string
    template.timestampItem = given["timestamp_item"]?.string
    template.idHeader = given["id_header"]?.string
    template.algorithm = try named(given["algorithm"]) ?? template.algorithm
    template.encoding = try named(given["encoding"]) ?? template.encoding
    template.prefix = given["prefix"]?.string ?? template.prefix
    template.separator = given["separator"]?.string?.first
    template.secretEncoding = try named(given["secret_encoding"]) ?? template.secretEncoding
    return template
}

/// A value by its name; nothing where none is given.
private func named<Value: RawRepresentable<String>>(_ name: JSON?) throws -> Value? {
    guard let name = name?.string else { return nil }
    guard let value = Value(rawValue: name) else { throw Unsupported("the value \(name)") }
    return value
}

private func texts(_ list: JSON?) -> [String] {
    (list?.array ?? []).compactMap(\.string)
}

private func body(_ request: JSON) throws -> Data {
    try request.member("base64").map(bytes) ?? Data(text(request["text"]).utf8)
}

private func pairs(_ request: JSON) throws -> Headers {
    Headers(try (request["headers"]?.array ?? []).map { (try text($0[0]), try value($0[1])) })
}

/// A header's value; what is no text has a character for each byte, as HTTP libraries read it.
private func value(_ value: JSON?) throws -> String {
    guard let base64 = value?["base64"] else { return try text(value) }
    var text = ""
    text.unicodeScalars.append(contentsOf: try bytes(base64: base64).map { Unicode.Scalar($0) })
    return text
}

private func date(_ value: JSON?) throws -> Date {
    guard let seconds = value?.double else { throw Unsupported("a time that is no number") }
    return Date(timeIntervalSince1970: seconds)
}

private func seconds(_ value: JSON) throws -> Duration {
    guard let seconds = value.double else { throw Unsupported("a tolerance that is no number") }
    return .seconds(seconds)
}
