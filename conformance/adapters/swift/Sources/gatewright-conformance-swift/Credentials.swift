// A scenario's credentials as those of the SDK.

import Foundation
import Gatewright

/// A credential that needs no callback; `nil` for a kind that is none of these.
func credential(_ given: JSON) throws -> Auth? {
    switch given.member("kind")?.string {
    case "none": return Auth.none
    case "bearer": return .bearer(try text(given.member("token")))
    case "basic": return .basic(user: try text(given.member("user")), password: try text(given.member("password")))
    case "api_key":
        let key = try text(given.member("key"))
        if let name = given.member("query")?.string { return .apiKey(key, query: name) }
        if let name = given.member("cookie")?.string { return .apiKey(key, cookie: name) }
        if let name = given.member("header")?.string { return .apiKey(key, header: name) }
        return .apiKey(key)
    case "oauth": return .oauth(try oauth(given))
    case "hmac": return .hmac(try hmac(given))
    case "http_signature": return .httpSignature(try httpSignature(given))
    case "dpop": return .dpop(token: try text(given.member("token")), key: try key(given.member("key")))
    default: return nil
    }
}

/// Several credentials by name.
func credentials(_ given: JSON) throws -> [String: Auth] {
    try (given.object ?? [:]).mapValues { value in
        guard let auth = try credential(value) else { throw Unsupported("a named credential of that kind") }
        return auth
    }
}

/// A key in PEM; `new` makes one.
private func key(_ given: JSON?) throws -> String {
    let pem = try text(given)
    return pem == "new" ? try SigningKey.generateP256() : pem
}

private func texts(_ given: JSON) -> [String] { (given.array ?? []).compactMap(\.string) }

private func oauth(_ given: JSON) throws -> OAuth {
    var oauth = OAuth(clientID: try text(given.member("client_id")), issuer: "")
    oauth.issuer = nil
    for (name, value) in given.object ?? [:] {
        switch name {
        case "kind", "client_id": break
        case "issuer": oauth.issuer = try text(value)
        case "token_url": oauth.tokenURL = try text(value)
        case "authorization_url": oauth.authorizationURL = try text(value)
        case "device_authorization_url": oauth.deviceAuthorizationURL = try text(value)
        case "revocation_url": oauth.revocationURL = try text(value)
        case "client_secret": oauth.clientSecret = try text(value)
        case "client_auth": oauth.clientAuthentication = try clientAuthentication(value)
        case "client_key": oauth.clientKey = try key(value)
        case "client_key_id": oauth.clientKeyID = try text(value)
        case "grant": oauth.grant = value == "client_credentials" ? .clientCredentials : .login
        case "scopes": oauth.scopes = texts(value)
        case "audience": oauth.audience = try text(value)
        case "resources": oauth.resources = texts(value)
        case "refresh_token": oauth.refreshToken = try text(value)
        case "parameters": oauth.parameters = (value.object ?? [:]).compactMapValues(\.string)
        case "headers": oauth.headers = fields(value)
        case "allow_http": oauth.allowHTTP = try flag(value)
        case "timeout_ms": oauth.timeout = try duration(value)
        case "dpop_key": oauth.dpopKey = try key(value)
        default: throw Unsupported("auth.\(name)")
        }
    }
    return oauth
}

private func clientAuthentication(_ given: JSON) throws -> OAuth.ClientAuthentication {
    switch given.string {
    case "basic": .basic
    case "post": .post
    case "none": OAuth.ClientAuthentication.none
    case "private_key_jwt": .privateKeyJWT
    default: throw Unsupported("that client_auth")
    }
}

/// Templates have their places in angle brackets: braces are the harness's.
private func template(_ text: String) -> String {
    text.replacing("<", with: "{").replacing(">", with: "}")
}

private func hmac(_ given: JSON) throws -> HMACSignature {
    var scheme = HMACSignature(keyID: try text(given.member("key_id")), secret: try text(given.member("secret")))
    if given.member("algorithm") == "sha512" { scheme.algorithm = .sha512 }
    if let encoding = given.member("encoding")?.string.flatMap(HMACSignature.Encoding.init) { scheme.encoding = encoding }
    scheme.text = given.member("text")?.string.map(template)
    scheme.headers = Headers((given.member("headers")?.object ?? [:]).compactMapValues { $0.string.map(template) })
    scheme.unsignedStreams = given.member("unsigned_streams")?.string
    return scheme
}

private func httpSignature(_ given: JSON) throws -> HTTPSignature {
    let id = try text(given.member("key_id"))
    var signature =
        if let secret = given.member("secret") {
            HTTPSignature(keyID: id, secret: try bytes(base64: secret))
        } else {
            HTTPSignature(keyID: id, key: try key(given.member("key")))
        }
    signature.components = given.member("components").map(texts)
    signature.label = given.member("label")?.string
    signature.tag = given.member("tag")?.string
    signature.unsignedStreams = given.member("unsigned_streams")?.bool ?? false
    if given.member("digest") == "sha512" { signature.digest = .sha512 }
    return signature
}
