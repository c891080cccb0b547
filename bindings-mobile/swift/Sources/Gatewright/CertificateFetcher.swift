import Foundation

/// Fetches the certificate that a message of SNS or PayPal names.
///
/// The URL was checked, host and path: it is one of the provider's own. Follow no redirects, take no status but 200 and no more than 64 KiB.
public protocol CertificateFetcher: Sendable {
    /// The certificate in PEM. What this throws, ``Webhook/receive(_:headers:now:url:method:)`` throws.
    func fetch(_ url: URL) async throws -> Data
}

/// Fetches by a ``Client`` of its own over HTTPS: no redirects, 64 KiB at most, 15 seconds at most.
public struct HTTPSCertificateFetcher: CertificateFetcher {
    /// A fetcher.
    public init() {}

    /// The certificate in PEM.
    ///
    /// - Throws: ``GatewrightError``; `URLError` for a URL that is none of HTTPS, and for an answer that is not 200.
    public func fetch(_ url: URL) async throws -> Data {
        guard url.scheme == "https" else { throw URLError(.unsupportedURL) }
        var configuration = Configuration()
        configuration.maxRedirects = 0
        configuration.maxResponseBytes = 64 * 1024
        configuration.timeout = .seconds(15)
        let response = try await Client(baseURL: url.absoluteString, configuration: configuration).get(url.absoluteString)
        guard response.status == 200 else { throw URLError(.badServerResponse) }
        return response.data
    }
}
