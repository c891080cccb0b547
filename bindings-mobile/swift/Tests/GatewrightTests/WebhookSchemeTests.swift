// The schemes of webhooks beside the default one, and what goes with a verified request. The verdicts are in the conformance corpus.

import Foundation
import Gatewright
import XCTest

final class WebhookSchemeTests: XCTestCase {
    private let now = Date(timeIntervalSince1970: 1_700_000_000)
    private let plain = "5f3c2b1a09f8e7d65f3c2b1a09f8e7d6"
    private let standard = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private func webhook(
        _ scheme: WebhookScheme, _ secret: String, configure: (inout WebhookOptions) -> Void = { _ in }
    ) throws -> Webhook {
        let now = now
        return try Webhook(scheme, secrets: [secret]) {
            $0.clock = { now }
            configure(&$0)
        }
    }

    private func assertCode(_ code: String, _ run: () throws -> Void, line: UInt = #line) {
        XCTAssertThrowsError(try run(), line: line) { XCTAssertEqual(($0 as? WebhookError)?.code, code, "\($0)", line: line) }
    }

    func testWhatASchemeSignsHereVerifiesHereWholeAndInPiecesAtTheInjectedTime() throws {
        var template = WebhookTemplate(signatureHeader: "acme-signature", signed: "{timestamp}.{body}")
        template.timestampItem = "t="
        template.prefix = "v1="
        template.separator = ","
        let cases: [(WebhookScheme, String)] = [
            (.standardWebhooks, standard), (.svix, standard), (.stripe, "whsec_5f3c2b1a09f8e7d6"), (.github, plain), (.slack, plain),
            (.zoom, plain), (.shopify, plain), (.square, plain), (.twilio, plain), (.paddle, "pdl_ntfset_\(plain)"),
            (.httpSignature, standard), (.custom, plain),
        ]
        let url = "https://example.com/hooks?x=1"
        for (scheme, secret) in cases {
            let webhook = try webhook(scheme, secret) { $0.template = scheme == .custom ? template : nil }
            let body = scheme == .twilio ? "A=1&B=2" : "{\"type\":\"ping\",\"number\":1}"
            let signed = try webhook.signRequest(Data(body.utf8), messageID: "msg_1", url: url)
            let verified = try webhook.verify(signed.body, headers: signed.headers, url: signed.url)
            XCTAssertEqual(verified.scheme, scheme)
            XCTAssertEqual(verified.bodyBound, scheme == .twilio ? .fields : .full)
            XCTAssertEqual(verified.body, Data(body.utf8))
            let verifier = try webhook.verifier(headers: signed.headers, url: signed.url)
            for byte in signed.body {
                try verifier.update(Data([byte]))
            }
            let streamed = try verifier.finish()
            XCTAssertEqual(streamed.replayKey(sender: "a"), verified.replayKey(sender: "a"))
            XCTAssertEqual(streamed.timestamp, verified.timestamp)
            XCTAssertTrue(streamed.body.isEmpty)
            assertCode("verifier_finished") { _ = try verifier.finish() }
            let tampered = body.replacingOccurrences(of: "1", with: "3")
            assertCode("bad_signature") { _ = try webhook.verify(tampered, headers: signed.headers, url: signed.url) }
        }
        XCTAssertEqual(WebhookScheme.allCases.count, 18)
    }

    func testAURLThatIsSignedCanBeConfigured() throws {
        let signed = try webhook(.square, "square-key").signRequest(Data("{}".utf8), url: "https://example.com/hook")
        let behindProxy = try webhook(.square, "square-key") { $0.url = "https://example.com" }
        XCTAssertTrue(try behindProxy.verify("{}", headers: signed.headers, url: "http://10.0.0.1:8080/hook").isURLBound)
        let other = try webhook(.square, "square-key")
        assertCode("missing_url") { _ = try other.verify("{}", headers: signed.headers) }
        let diagnosis = other.diagnose(Data("{}".utf8), headers: signed.headers, url: "http://example.com/hook")
        XCTAssertEqual(diagnosis.code, "url_changed")
        XCTAssertEqual(other.explain("{}", headers: signed.headers, url: "http://example.com/hook"), diagnosis.message)
    }

    func testWhatWasDoneToABodyIsNamed() throws {
        let github = try webhook(.github, "It's a Secret to Everybody")
        let headers: Headers = ["X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"]
        XCTAssertFalse(try github.verify("Hello, World!", headers: headers).isIDSigned)
        XCTAssertEqual(github.diagnose(Data("Hello, World!\n".utf8), headers: headers).code, "body_changed")
        XCTAssertEqual(github.diagnose(Data("Hello, World!".utf8), headers: headers).code, "valid")
    }

    func testASettingThatCannotBeUsedIsRefused() throws {
        for make in [
            { try Webhook(.custom, secrets: ["a secret that is long"]) }, { try Webhook(.sns) }, { try Webhook(.payPal) },
            { try Webhook(.github) }, { try Webhook(.github, secrets: ["a secret"]) { $0.tolerance = .seconds(-1) } },
        ] {
            XCTAssertThrowsError(try make()) { error in
                guard case WebhookError.invalidSecret = error else { return XCTFail("\(error)") }
            }
        }
        XCTAssertThrowsError(try MemoryReplayGuard(entries: 0))
    }

    func testABodyThatIsTooLargeIsRefusedWhileItComes() throws {
        let webhook = try webhook(.github, "a secret") { $0.maxBody = 10 }
        let verifier = try webhook.verifier(headers: webhook.signRequest(Data(count: 10)).headers)
        try verifier.update(Data(count: 10))
        assertCode("body_too_large") { try verifier.update(Data(count: 1)) }
        assertCode("missing_header") { _ = try webhook.verifier(headers: [:]) }
    }

    func testQuestionsToTheEndpointAreAnsweredEventsAreNot() throws {
        let zoom = try webhook(.zoom, "zoom-secret")
        let asked = "{\"event\":\"endpoint.url_validation\",\"payload\":{\"plainToken\":\"qgg8vlvZRS6UYooatFL8Aw\"}}"
        let verified = try zoom.verify(asked, headers: zoom.signRequest(Data(asked.utf8)).headers)
        let answer = try XCTUnwrap(zoom.challenge(verified))
        XCTAssertEqual(answer.status, 200)
        XCTAssertEqual(answer.contentType, "application/json")
        XCTAssertTrue(try fits(answer.body, #"^\{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"[0-9a-f]{64}"\}$"#))
        let event = "{\"event\":\"meeting.started\"}"
        XCTAssertNil(zoom.challenge(try zoom.verify(event, headers: zoom.signRequest(Data(event.utf8)).headers)))
    }

    func testAMissingCertificateIsFetchedOnceAndKept() async throws {
        // A message of nobody's topic whose certificate is checked before its signature is.
        let place = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0000.pem"
        let message = """
            {"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:us-east-1:1:t","Message":"m",\
            "Timestamp":"2023-11-14T22:13:20.000Z","SignatureVersion":"2","Signature":"AAAA","SigningCertURL":"\(place)"}
            """
        let fetched = Collected<URL>()
        struct Fetcher: CertificateFetcher {
            let fetched: Collected<URL>
            func fetch(_ url: URL) -> Data {
                fetched.add(url)
                return Data("no PEM".utf8)
            }
        }
        let now = now
        let sns = try Webhook(.sns) {
            $0.clock = { now }
            $0.topicARN = "arn:aws:sns:us-east-1:1:t"
            $0.certificates = Fetcher(fetched: fetched)
        }
        do {
            _ = try await sns.receive(Data(message.utf8), headers: [:])
            XCTFail("a certificate that is none")
        } catch let error as WebhookError {
            XCTAssertEqual(error.code, "bad_certificate")
        }
        XCTAssertEqual(fetched.all.map(\.absoluteString), [place])
        XCTAssertThrowsError(try sns.verify(message, headers: [:])) { error in
            guard case WebhookError.missingCertificate(let details, url: place) = error else { return XCTFail("\(error)") }
            XCTAssertEqual(details.code, "missing_certificate")
        }
        assertCode("bad_certificate_url") { try sns.addCertificate(Data(), from: "https://example.com/a.pem") }
        do {
            _ = try await HTTPSCertificateFetcher().fetch(URL(string: "http://127.0.0.1/a.pem")!)
            XCTFail("fetched without TLS")
        } catch let error as URLError {
            XCTAssertEqual(error.code, .unsupportedURL)
        }
    }

    func testAMessageIsHandledOnce() async throws {
        let webhook = try webhook(.standardWebhooks, standard)
        let verified = try webhook.verify("{}", headers: webhook.sign("{}", messageID: "msg_1"))
        let key = verified.replayKey(sender: "billing")
        XCTAssertTrue(try fits(key, "^[0-9a-f]{64}$"))
        XCTAssertNotEqual(key, verified.replayKey(sender: "other"))
        let again = try webhook.verify("{}", headers: webhook.sign("{}", messageID: "msg_1", timestamp: now + 60))
        XCTAssertEqual(again.replayKey(sender: "billing"), key)
        XCTAssertEqual(try verified.replayKey(sender: "billing", messageID: "msg_1"), key)
        XCTAssertNotEqual(try verified.replayKey(sender: "billing", messageID: "msg_2"), key)
        assertCode("bad_message_id") { _ = try verified.replayKey(sender: "billing", messageID: "a\nb") }

        let replays = try MemoryReplayGuard()
        let now = now
        var handled = 0
        do {
            _ = try await replays.once(key, now: { now }) { throw CancellationError() }
            XCTFail("the handler's error is thrown on")
        } catch is CancellationError {}
        let outcome = try await replays.once(key, now: { now }) {
            handled += 1
            let meanwhile = try await replays.once(key, now: { now }) { handled += 1 }
            XCTAssertEqual(meanwhile, .inProgress)
        }
        XCTAssertEqual(outcome, .handled)
        let second = try await replays.once(key, now: { now }) { handled += 1 }
        XCTAssertEqual(second, .alreadyDone)
        XCTAssertEqual(handled, 1)
        XCTAssertEqual([Once.handled, .alreadyDone, .inProgress, .full].map(\.status), [200, 200, 503, 503])
    }

    func testALeaseEndsAndAStoreThatIsFullSaysSo() throws {
        let replays = try MemoryReplayGuard(entries: 1, lease: .seconds(60))
        let (a, b) = (String(repeating: "a", count: 64), String(repeating: "b", count: 64))
        guard case .new(let first) = try replays.reserve(a, now: now) else { return XCTFail("not new") }
        XCTAssertEqual(try replays.reserve(a, now: now), .inProgress(until: now + 60))
        XCTAssertEqual(try replays.reserve(b, now: now), .full)
        guard case .new(let second) = try replays.reserve(a, now: now + 61) else { return XCTFail("not new") }
        XCTAssertFalse(try replays.commit(a, token: first, now: now + 61))
        XCTAssertTrue(try replays.release(a, token: second, now: now + 61))
        assertCode("bad_replay_key") { _ = try replays.reserve("x", now: now) }
    }

    func testEventsGoToTheHandlerOfTheirTypeAsTheModelItTakes() async throws {
        struct Created: Decodable, Equatable { let name: String }
        let webhook = try webhook(.github, "a secret")
        func verified(_ body: String) throws -> Verified {
            try webhook.verify(body, headers: webhook.signRequest(Data(body.utf8)).headers)
        }
        let came = Collected<Created>()
        let events = WebhookEvents().on("user.created", Created.self) { came.add($0) }
        let dispatched = try await events.dispatch(verified("{\"type\":\"user.created\",\"name\":\"Ada\"}"))
        XCTAssertTrue(dispatched)
        XCTAssertEqual(came.all, [Created(name: "Ada")])
        for body in ["{\"type\":\"user.deleted\"}", "{\"type\":1}", "[]", "no json"] {
            let dispatched = try await events.dispatch(verified(body))
            XCTAssertFalse(dispatched, body)
        }
        do {
            _ = try await events.dispatch(verified("{\"type\":\"user.created\"}"))
            XCTFail("another shape")
        } catch is DecodingError {}
    }
}
