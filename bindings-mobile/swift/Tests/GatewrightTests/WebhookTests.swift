// Verification and signing of webhooks.

import Foundation
import Gatewright
import XCTest

final class WebhookTests: XCTestCase {
    // The vector of the Standard Webhooks specification.
    private let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private let body = "{\"test\": 2432232314}"
    private let seconds = 1_614_265_330.0
    private let headers: Headers = [
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ]

    private func at(_ seconds: Double) -> Date { Date(timeIntervalSince1970: seconds) }

    func testWhatWasSignedVerifies() throws {
        struct Event: Decodable, Equatable { let test: Int }
        let webhook = try Webhook(secret: secret)
        let capital = Headers(headers.map { (name: $0.name.uppercased(), value: $0.value) })
        let dictionary = Headers(Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) }))
        var among = headers
        among.append("cookie", "ü\n")
        for headers in [headers, capital, dictionary, among] {
            for verified in [
                try webhook.verify(body, headers: headers, now: at(seconds)),
                try webhook.verify(Data("..\(body)".utf8).dropFirst(2), headers: headers, now: at(seconds)),
            ] {
                XCTAssertEqual(verified.scheme, .standardWebhooks)
                XCTAssertEqual(verified.algorithm, .hmacSHA256)
                XCTAssertEqual(verified.keyIndex, 0)
                XCTAssertEqual(verified.timestamp, at(seconds))
                XCTAssertEqual(verified.messageID, "msg_p5jXN8AQM9LWM0D4loKWxJek")
                XCTAssertEqual(verified.bodyBound, .full)
                XCTAssertTrue(verified.isTimestampSigned)
                XCTAssertTrue(verified.isIDSigned)
                XCTAssertFalse(verified.isURLBound)
                XCTAssertEqual(try verified.decode(Event.self), Event(test: 2_432_232_314))
            }
        }
    }

    func testWhatWasTamperedWithIsRefused() throws {
        let webhook = try Webhook(secret: secret)
        func changed(_ name: String, _ value: String?) -> Headers {
            var changed = headers
            changed["webhook-\(name)"] = value
            return changed
        }
        var repeated = headers
        repeated.append("Webhook-Id", "x")
        let refused: [(String, String, Headers, Date)] = [
            ("bad_signature", "\(body) ", headers, at(seconds)), ("bad_signature", "", headers, at(seconds)),
            ("bad_signature", body, changed("signature", "v1,AAAA"), at(seconds)),
            ("bad_signature", body, changed("id", "msg_other"), at(seconds)),
            ("bad_signature", body, changed("timestamp", "1614265331"), at(seconds)),
            ("too_old", body, headers, at(seconds + 301)), ("too_new", body, headers, at(seconds - 301)),
            ("bad_timestamp", body, changed("timestamp", "yesterday"), at(seconds)),
            ("missing_header", body, changed("signature", nil), at(seconds)),
            ("empty_header", body, changed("id", ""), at(seconds)),
            ("repeated_header", body, repeated, at(seconds)),
            ("body_too_large", String(repeating: "x", count: 1024 * 1024 + 1), headers, at(seconds)),
        ]
        for (code, body, headers, now) in refused {
            XCTAssertThrowsError(try webhook.verify(body, headers: headers, now: now), code) { error in
                guard case WebhookError.notVerified(let details) = error else { return XCTFail("\(error)") }
                XCTAssertEqual(details.code, code)
                XCTAssertGreaterThan(details.message.count, 10)
                XCTAssertEqual(error.localizedDescription, details.message)
                XCTAssertTrue("\(error)".contains(code), "\(error)")
            }
            XCTAssertGreaterThan(webhook.explain(body, headers: headers, now: now).count, 10)
        }
    }

    func testASecretThatCannotBeUsedIsRefused() {
        for secrets in [[""], ["whsec_"], ["whsec_AAAA"], ["whsec_%%%%"], ["plain"], []] {
            XCTAssertThrowsError(try Webhook(secrets: secrets)) { error in
                guard case WebhookError.invalidSecret = error else { return XCTFail("\(error)") }
            }
        }
        XCTAssertThrowsError(try Webhook(secrets: [secret], tolerance: .seconds(-1)))
        XCTAssertThrowsError(try Webhook(secrets: [secret], maxBody: -1))
    }

    func testTheToleranceAndTheLargestBodyCanBeSet() throws {
        let patient = try Webhook(secrets: [secret], tolerance: .seconds(1000))
        XCTAssertNoThrow(try patient.verify(body, headers: headers, now: at(seconds + 1000)))
        let strict = try Webhook(secrets: [secret], tolerance: .seconds(5))
        XCTAssertThrowsError(try strict.verify(body, headers: headers, now: at(seconds + 6))) {
            XCTAssertEqual(($0 as? WebhookError)?.code, "too_old")
        }
        let small = try Webhook(secrets: [secret], maxBody: 10)
        let ten = String(repeating: "x", count: 10)
        let signed = try small.sign(ten, messageID: "m")
        XCTAssertEqual(try small.verify(ten, headers: signed).messageID, "m")
        XCTAssertThrowsError(try small.verify(ten + "x", headers: signed)) {
            XCTAssertEqual(($0 as? WebhookError)?.code, "body_too_large")
        }
    }

    func testWhileSecretsAreRotatedBothFit() throws {
        let (old, fresh) = (try Webhook.generateSecret(), try Webhook.generateSecret())
        XCTAssertTrue(try fits(fresh, #"^whsec_[A-Za-z0-9+/]{43}=$"#))
        XCTAssertNotEqual(old, fresh)
        let webhook = try Webhook(secrets: [fresh, old])
        XCTAssertEqual(try webhook.verify(body, headers: Webhook(secret: old).sign(body, messageID: "m")).keyIndex, 1)
        XCTAssertEqual(try webhook.verify(body, headers: webhook.sign(body, messageID: "m")).keyIndex, 0)
    }

    func testSigningGivesWhatTheSpecificationSays() throws {
        let signed = try Webhook(secret: secret).sign(body, messageID: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: at(seconds + 0.999))
        for (name, value) in headers {
            XCTAssertEqual(signed[name], value)
        }
        XCTAssertEqual(signed.count, 3)
        XCTAssertThrowsError(try Webhook(secret: secret).sign(body, messageID: "")) { XCTAssertTrue($0 is WebhookError, "\($0)") }
    }

    func testWithoutATimeItIsTheClocks() throws {
        let webhook = try Webhook(secret: secret)
        let verified = try webhook.verify("{}", headers: webhook.sign("{}", messageID: "m"))
        XCTAssertLessThan(abs(verified.timestamp?.timeIntervalSinceNow ?? .infinity), 60)
        XCTAssertThrowsError(try verified.decode(Int.self)) { XCTAssertTrue($0 is DecodingError) }
    }

    func testWhatTheGatewaySendsVerifiesByBothAlgorithms() async throws {
        struct Event: Decodable { let type: String }
        let session = try Session()
        let received = Collected<StubServer.Request>()
        let server = try StubServer { request in
            received.add(request)
            return "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
        }
        let endpoints: [(JSONValue, Verified.Algorithm)] = [
            (["url": .string("\(server.url)/hook"), "secret": .string(secret)], .hmacSHA256),
            (["url": .string("\(server.url)/hook"), "key_pair": true], .ed25519),
        ]
        for (index, (endpoint, algorithm)) in endpoints.enumerated() {
            let made = try await session.admin("POST", "webhooks/endpoints", endpoint)
            let webhook = try Webhook(secret: made["public_key"]?.string ?? made["secret"]?.string ?? "")
            try await session.admin("POST", "webhooks/send", ["endpoint": made["id"] ?? .null, "type": "ping", "data": [:]])
            try await until("the webhook") { received.all.count > index }
            let request = received.all[index]
            let headers = Headers(request.headers)
            let now = at(Double(headers["webhook-timestamp"] ?? "") ?? 0)
            let verified = try webhook.verify(request.body, headers: headers, now: now)
            XCTAssertEqual(verified.algorithm, algorithm)
            XCTAssertEqual(try verified.decode(Event.self).type, "ping")
        }
    }
}
