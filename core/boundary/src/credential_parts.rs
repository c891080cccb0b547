//! OAuth and signatures from their parts, however a language hands them over: as JSON (`auth.rs`) or as Python's objects (`bindings-python`).
//!
//! Names and words are in snake case here; a language has a spelling of its own, and says in its own words what is wrong. Feature `credentials`,
//! which brings nothing of the client's calls along.

use std::borrow::Cow;
use std::time::Duration;

use gatewright::oauth::{ClientAuth, Grant};
use gatewright::signing::{
    Dpop, HashAlgorithm, HmacScheme, HttpSignature, SignatureText, SigningKey,
};
use gatewright::{Error, OAuth};
use http::HeaderName;

/// The parts of a credential, by name. A part that is not there, or is null, is `None`. Nothing of their values is ever shown.
pub trait Parts {
    /// What is wrong with a part, as the language says it.
    type Wrong;

    /// A text.
    ///
    /// # Errors
    /// The part is of another type; so for all of these.
    fn text(&self, name: &'static str) -> Result<Option<String>, Self::Wrong>;
    /// A list of texts.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, Self::Wrong>;
    /// Names and values.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn pairs(&self, name: &'static str) -> Result<Option<Vec<(String, String)>>, Self::Wrong>;
    /// Whether or not.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn flag(&self, name: &'static str) -> Result<Option<bool>, Self::Wrong>;
    /// A length of time, in the language's unit.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn time(&self, name: &'static str) -> Result<Option<Duration>, Self::Wrong>;
    /// Bytes.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn bytes(&self, name: &'static str) -> Result<Option<Vec<u8>>, Self::Wrong>;

    /// Whether tokens are kept by something that outlives the client.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn keeps_tokens(&self) -> Result<bool, Self::Wrong>;
    /// Keeps tokens where the parts say.
    ///
    /// # Errors
    /// There is no such place here.
    fn with_store(&self, oauth: OAuth) -> Result<OAuth, Self::Wrong>;

    /// How the language writes a name or a word.
    fn spelled(&self, word: &'static str) -> Cow<'static, str>;
    /// A part is missing.
    fn missing(&self, name: &'static str) -> Self::Wrong;
    /// A part is none of these words, which are spelled and joined by commas.
    fn no_such_word(&self, name: &'static str, words: &str) -> Self::Wrong;
    /// A part cannot be used; `what` follows its name.
    fn unusable(&self, name: &'static str, what: &str) -> Self::Wrong;
    /// There is no key, or there are two.
    fn not_one_key(&self) -> Self::Wrong;
}

const HASHES: [(&str, HashAlgorithm); 2] = [
    ("sha256", HashAlgorithm::Sha256),
    ("sha512", HashAlgorithm::Sha512),
];
const ENCODINGS: [(&str, SignatureText); 3] = [
    ("base64", SignatureText::Base64),
    ("base64url", SignatureText::Base64Url),
    ("hex", SignatureText::Hex),
];
const GRANTS: [(&str, Grant); 2] = [
    ("client_credentials", Grant::ClientCredentials),
    ("login", Grant::Login),
];
const PROOFS: [(&str, ClientAuth); 4] = [
    ("basic", ClientAuth::Basic),
    ("post", ClientAuth::Post),
    ("none", ClientAuth::None),
    ("private_key_jwt", ClientAuth::PrivateKeyJwt),
];

type SetUrl = fn(OAuth, String) -> OAuth;

fn required<P: Parts>(parts: &P, name: &'static str) -> Result<String, P::Wrong> {
    parts.text(name)?.ok_or_else(|| parts.missing(name))
}

/// One of several words.
fn word<P: Parts, T: Copy>(
    parts: &P,
    name: &'static str,
    words: &[(&'static str, T)],
) -> Result<Option<T>, P::Wrong> {
    let Some(text) = parts.text(name)? else {
        return Ok(None);
    };
    match words.iter().find(|(word, _)| parts.spelled(word) == text) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let known: Vec<_> = words.iter().map(|(word, _)| parts.spelled(word)).collect();
            Err(parts.no_such_word(name, &known.join(", ")))
        }
    }
}

/// A private key in PEM.
///
/// # Errors
/// It is none that can be used.
pub fn key<P: Parts>(parts: &P, name: &'static str) -> Result<Option<SigningKey>, P::Wrong> {
    let Some(pem) = parts.text(name)? else {
        return Ok(None);
    };
    SigningKey::from_pem(&pem)
        .map(Some)
        .map_err(|why| parts.unusable(name, &format!(": {}", why.what())))
}

/// OAuth's settings. The grant, where none is given, is client credentials for a client that has a secret or a key, and neither a refresh token
/// nor a place where tokens are kept; else a login.
///
/// # Errors
/// A part is missing or wrong.
pub fn oauth<P: Parts>(parts: &P) -> Result<OAuth, P::Wrong> {
    let mut oauth = OAuth::new(required(parts, "client_id")?)
        .scopes(parts.texts("scopes")?.unwrap_or_default());
    let (secret, client_key) = (parts.text("client_secret")?, key(parts, "client_key")?);
    let seed = parts.text("refresh_token")?;
    let speaks_for_itself =
        (secret.is_some() || client_key.is_some()) && seed.is_none() && !parts.keeps_tokens()?;
    let grant = word(parts, "grant", &GRANTS)?;
    oauth = oauth.grant(grant.unwrap_or(if speaks_for_itself {
        Grant::ClientCredentials
    } else {
        Grant::Login
    }));
    let set: [(_, SetUrl); 5] = [
        ("issuer", OAuth::issuer),
        ("token_url", OAuth::token_url),
        ("authorization_url", OAuth::authorization_url),
        ("device_authorization_url", OAuth::device_authorization_url),
        ("revocation_url", OAuth::revocation_url),
    ];
    for (name, set) in set {
        if let Some(url) = parts.text(name)? {
            oauth = set(oauth, url);
        }
    }
    if let Some(secret) = secret {
        oauth = oauth.client_secret(secret);
    }
    if let Some(client_key) = client_key {
        oauth = oauth.client_key(client_key, parts.text("client_key_id")?.as_deref());
    }
    if let Some(how) = word(parts, "client_auth", &PROOFS)? {
        oauth = oauth.client_auth(how);
    }
    if let Some(audience) = parts.text("audience")? {
        oauth = oauth.audience(audience);
    }
    for resource in parts.texts("resources")?.unwrap_or_default() {
        oauth = oauth.resource(resource);
    }
    for (name, value) in parts.pairs("parameters")?.unwrap_or_default() {
        oauth = oauth.parameter(name, value);
    }
    for (name, value) in parts.pairs("headers")?.unwrap_or_default() {
        oauth = oauth.header(name, value);
    }
    if let Some(seed) = seed {
        oauth = oauth.refresh_token(seed);
    }
    oauth = parts.with_store(oauth)?;
    if let Some(yes) = parts.flag("allow_http")? {
        oauth = oauth.allow_http(yes);
    }
    if let Some(timeout) = parts.time("timeout")? {
        oauth = oauth.timeout(timeout);
    }
    if let Some(key) = key(parts, "dpop_key")? {
        oauth = oauth.dpop(Dpop::new(key));
    }
    Ok(oauth)
}

/// A signature of a scheme of a provider's own.
///
/// # Errors
/// A part is missing or wrong.
pub fn hmac<P: Parts>(parts: &P) -> Result<HmacScheme, P::Wrong> {
    let mut scheme = HmacScheme::new(required(parts, "key_id")?, required(parts, "secret")?);
    if let Some(algorithm) = word(parts, "algorithm", &HASHES)? {
        scheme = scheme.algorithm(algorithm);
    }
    if let Some(encoding) = word(parts, "encoding", &ENCODINGS)? {
        scheme = scheme.encoding(encoding);
    }
    if let Some(text) = parts.text("text")? {
        scheme = scheme
            .text(&text)
            .map_err(|why| parts.unusable("text", &format!(" {why}")))?;
    }
    if let Some(headers) = parts.pairs("headers")? {
        let mut named = Vec::with_capacity(headers.len());
        for (name, value) in &headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| parts.unusable("headers", " has a name that is none"))?;
            named.push((name, value.as_str()));
        }
        scheme = scheme
            .headers(named)
            .map_err(|why| parts.unusable("headers", &format!(": a value {why}")))?;
    }
    if let Some(text) = parts.text("unsigned_streams")? {
        scheme = scheme.unsigned_streams(text);
    }
    Ok(scheme)
}

/// An HTTP Message Signature (RFC 9421).
///
/// # Errors
/// A part is missing or wrong.
pub fn http_signature<P: Parts>(parts: &P) -> Result<HttpSignature, P::Wrong> {
    let key = match (key(parts, "key")?, parts.bytes("secret")?) {
        (Some(key), None) => key,
        (None, Some(secret)) => SigningKey::hmac(secret),
        _ => return Err(parts.not_one_key()),
    };
    let mut signature = HttpSignature::new(required(parts, "key_id")?, key);
    if let Some(components) = parts.texts("components")? {
        signature = signature
            .components(components.iter().map(String::as_str))
            .map_err(|why: Error| parts.unusable("components", &format!(": {}", why.what())))?;
    }
    if let Some(label) = parts.text("label")? {
        signature = signature.label(label);
    }
    if let Some(tag) = parts.text("tag")? {
        signature = signature.tag(tag);
    }
    if let Some(lifetime) = parts.time("expires")? {
        signature = signature.expires_after(lifetime);
    }
    if let Some(yes) = parts.flag("nonce")? {
        signature = signature.nonce(yes);
    }
    if let Some(yes) = parts.flag("name_algorithm")? {
        signature = signature.name_algorithm(yes);
    }
    if let Some(digest) = word(parts, "digest", &HASHES)? {
        signature = signature.digest(digest);
    }
    if let Some(yes) = parts.flag("unsigned_streams")? {
        signature = signature.unsigned_streams(yes);
    }
    Ok(signature)
}
