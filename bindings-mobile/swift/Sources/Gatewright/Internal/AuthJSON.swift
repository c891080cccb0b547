// Credentials as JSON. What a value means is checked in Rust.

extension Auth {
    /// `{kind: "bearer", token}`, `{kind: "basic", user, password}`, `{kind: "apiKey", key, header | query | cookie}`, `{kind: "callback"}`,
    /// `{kind: "oauth", …}`, `{kind: "dpop", token, key}`, `{kind: "hmac", …}`, `{kind: "httpSignature", …}` or `{kind: "none"}`; `sign` beside them
    /// is one of the two before the last.
    var json: String {
        var json = JSONWriter()
        switch credential {
        case .none:
            json.member("kind", "none")
        case .bearer(let token):
            json.member("kind", "bearer")
            json.member("token", token)
        case .basic(let user, let password):
            json.member("kind", "basic")
            json.member("user", user)
            json.member("password", password)
        case .apiKey(let key, let place):
            json.member("kind", "apiKey")
            json.member("key", key)
            switch place {
            case .header(let name): json.member("header", name)
            case .query(let name): json.member("query", name)
            case .cookie(let name): json.member("cookie", name)
            }
        case .callback:
            json.member("kind", "callback")
        case .oauth(let oauth):
            oauth.write(into: &json)
        case .dpop(let token, let key):
            json.member("kind", "dpop")
            json.member("token", token)
            json.member("key", key)
        case .hmac(let signature):
            signature.write(into: &json)
        case .httpSignature(let signature):
            signature.write(into: &json)
        }
        if let signer {
            json.member("sign", raw: signer.json)
        }
        return json.object ?? "{}"
    }
}

extension Auth.Signer {
    fileprivate var json: String {
        var json = JSONWriter()
        switch self {
        case .hmac(let signature): signature.write(into: &json)
        case .http(let signature): signature.write(into: &json)
        }
        return json.object ?? "{}"
    }
}

extension Auth {
    /// The store of its tokens, where that is one of the program's own.
    var store: (any TokenStore)? {
        if case .oauth(let oauth) = credential, case .store(let store) = oauth.storage { store } else { nil }
    }
}
