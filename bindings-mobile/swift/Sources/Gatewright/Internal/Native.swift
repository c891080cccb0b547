import Foundation
internal import GatewrightNative

/// The Rust half: one port for the process, made with the first client. JSON and frames are described where they are made and read.
enum Native {
    static let port = Port(language: .swift)

    static func openClient(baseURL: String, settings: String) throws -> NativeClient {
        do {
            return try port.openClient(baseUrl: baseURL, settings: settings)
        } catch let error as NativeError {
            throw GatewrightError(Failure(json: Array(error.json.utf8), cause: { _ in nil }))
        }
    }

    /// The error, as JSON, of an answer that was delivered and cannot be decoded.
    static func answerError(meta: String, code: String, what: String) -> String {
        GatewrightNative.answerError(meta: meta, code: code, what: what)
    }

    static func explain(_ client: NativeClient, _ supposed: String) throws -> String {
        do {
            return try client.explain(supposed: supposed)
        } catch let error as NativeError {
            throw GatewrightError(Failure(json: Array(error.json.utf8), cause: { _ in nil }))
        }
    }

    static func generateSigningKey() throws -> String {
        do {
            return try GatewrightNative.generateSigningKey(language: .swift)
        } catch let error as NativeError {
            throw GatewrightError(Failure(json: Array(error.json.utf8), cause: { _ in nil }))
        }
    }

    static func timeline(_ attempts: String) -> String {
        GatewrightNative.timeline(attempts: attempts)
    }

    static func errorCodes() -> [String] {
        GatewrightNative.errorCodes()
    }
}

extension NativeError {
    /// What is wrong, as JSON.
    var json: String {
        switch self {
        case .Failed(let msg): msg
        }
    }
}
