//! OAuth and signatures, from the parts of the classes in `_oauth.py`. Nothing of their values is ever shown.

use std::path::PathBuf;
use std::time::Duration;

use gatewright::oauth::{ClientAuth, Grant};
use gatewright::signing::{
    Dpop, HashAlgorithm, HmacScheme, HttpSignature, SignatureText, SigningKey,
};
use gatewright::token_store::FileStore;
use gatewright::{Auth, Error, ErrorKind, OAuth};
use http::HeaderName;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::error::to_exception;

/// The parts that were given, by name.
pub(crate) struct Parts<'a, 'py> {
    /// The class, as errors call it.
    of: &'static str,
    given: &'a Bound<'py, PyDict>,
}

impl<'a, 'py> Parts<'a, 'py> {
    pub(crate) const fn new(of: &'static str, given: &'a Bound<'py, PyDict>) -> Self {
        Self { of, given }
    }

    fn invalid(&self, what: String) -> PyErr {
        to_exception(self.given.py(), Error::new(ErrorKind::InvalidConfig, what))
    }

    fn any(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.given.get_item(name)
    }

    /// A part of this type. Errors of Python would name neither class nor part.
    fn get<T>(&self, name: &str, what: &str) -> PyResult<Option<T>>
    where
        T: for<'b> FromPyObject<'b, 'py>,
    {
        let Some(value) = self.any(name)? else {
            return Ok(None);
        };
        let kind = value.get_type().name()?;
        match value.extract::<T>() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(PyTypeError::new_err(format!(
                "{}: {name}= takes {what}, not this {kind}",
                self.of
            ))),
        }
    }

    fn text(&self, name: &str) -> PyResult<Option<String>> {
        self.get(name, "a str")
    }

    fn required(&self, name: &str) -> PyResult<String> {
        self.text(name)?
            .ok_or_else(|| PyTypeError::new_err(format!("{}: {name}= is missing", self.of)))
    }

    fn texts(&self, name: &str) -> PyResult<Option<Vec<String>>> {
        const WHAT: &str = "a list of str";
        if self
            .any(name)?
            .is_some_and(|value| value.is_instance_of::<PyString>())
        {
            return Err(PyTypeError::new_err(format!(
                "{}: {name}= takes {WHAT}, not one str",
                self.of
            )));
        }
        self.get(name, WHAT)
    }

    fn pairs(&self, name: &str) -> PyResult<Option<Vec<(String, String)>>> {
        self.get(name, "a mapping of str to str, or pairs")
    }

    fn flag(&self, name: &str) -> PyResult<Option<bool>> {
        self.get(name, "True or False")
    }

    fn seconds(&self, name: &str) -> PyResult<Option<Duration>> {
        let Some(seconds) = self.get::<f64>(name, "a number of seconds")? else {
            return Ok(None);
        };
        Duration::try_from_secs_f64(seconds).map(Some).map_err(|_| {
            self.invalid(format!(
                "`{name}` of {} is {seconds}; it must be a number of seconds, zero or more",
                self.of
            ))
        })
    }

    /// One of several words.
    fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> PyResult<Option<T>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                Err(PyValueError::new_err(format!(
                    "{}: {name}= must be one of {}",
                    self.of,
                    known.join(", ")
                )))
            }
        }
    }

    /// A private key in PEM.
    fn key(&self, name: &str) -> PyResult<Option<SigningKey>> {
        let Some(pem) = self.text(name)? else {
            return Ok(None);
        };
        SigningKey::from_pem(&pem)
            .map(Some)
            .map_err(|why| self.invalid(format!("`{name}` of {}: {}", self.of, why.what())))
    }

    pub(crate) fn oauth(&self) -> PyResult<OAuth> {
        let mut oauth = OAuth::new(self.required("client_id")?);
        let (secret, key) = (self.text("client_secret")?, self.key("client_key")?);
        let seed = self.text("refresh_token")?;
        let file = self.get::<PathBuf>("token_file", "a path")?;
        let speaks_for_itself =
            (secret.is_some() || key.is_some()) && seed.is_none() && file.is_none();
        let grants = [
            ("client_credentials", Grant::ClientCredentials),
            ("login", Grant::Login),
        ];
        oauth = oauth.grant(
            self.word("grant", &grants)?
                .unwrap_or(if speaks_for_itself {
                    Grant::ClientCredentials
                } else {
                    Grant::Login
                }),
        );
        oauth = oauth.scopes(self.texts("scopes")?.unwrap_or_default());
        if let Some(issuer) = self.text("issuer")? {
            oauth = oauth.issuer(issuer);
        }
        if let Some(url) = self.text("token_url")? {
            oauth = oauth.token_url(url);
        }
        if let Some(url) = self.text("authorization_url")? {
            oauth = oauth.authorization_url(url);
        }
        if let Some(url) = self.text("device_authorization_url")? {
            oauth = oauth.device_authorization_url(url);
        }
        if let Some(url) = self.text("revocation_url")? {
            oauth = oauth.revocation_url(url);
        }
        if let Some(secret) = secret {
            oauth = oauth.client_secret(secret);
        }
        if let Some(key) = key {
            oauth = oauth.client_key(key, self.text("client_key_id")?.as_deref());
        }
        let how = [
            ("basic", ClientAuth::Basic),
            ("post", ClientAuth::Post),
            ("none", ClientAuth::None),
            ("private_key_jwt", ClientAuth::PrivateKeyJwt),
        ];
        if let Some(how) = self.word("client_auth", &how)? {
            oauth = oauth.client_auth(how);
        }
        if let Some(audience) = self.text("audience")? {
            oauth = oauth.audience(audience);
        }
        for resource in self.texts("resources")?.unwrap_or_default() {
            oauth = oauth.resource(resource);
        }
        for (name, value) in self.pairs("parameters")?.unwrap_or_default() {
            oauth = oauth.parameter(name, value);
        }
        for (name, value) in self.pairs("headers")?.unwrap_or_default() {
            oauth = oauth.header(name, value);
        }
        if let Some(seed) = seed {
            oauth = oauth.refresh_token(seed);
        }
        if let Some(path) = file {
            oauth = oauth.store(FileStore::new(path));
        }
        if let Some(yes) = self.flag("allow_http")? {
            oauth = oauth.allow_http(yes);
        }
        if let Some(timeout) = self.seconds("timeout")? {
            oauth = oauth.timeout(timeout);
        }
        if let Some(key) = self.key("dpop_key")? {
            if self.any("sign")?.is_some() {
                let what = "OAuth has both `sign` and `dpop_key`".to_owned();
                return Err(self.invalid(what));
            }
            oauth = oauth.dpop(Dpop::new(key));
        }
        Ok(oauth)
    }

    pub(crate) fn dpop(&self) -> PyResult<Auth> {
        let token = self.required("token")?;
        match self.key("key")? {
            Some(key) => Ok(Auth::bearer(token).dpop(&Dpop::new(key))),
            None => Err(PyTypeError::new_err("Dpop: key= is missing")),
        }
    }

    pub(crate) fn hmac(&self) -> PyResult<HmacScheme> {
        let mut scheme = HmacScheme::new(self.required("key_id")?, self.required("secret")?);
        if let Some(algorithm) = self.word("algorithm", &HASHES)? {
            scheme = scheme.algorithm(algorithm);
        }
        let encodings = [
            ("base64", SignatureText::Base64),
            ("base64url", SignatureText::Base64Url),
            ("hex", SignatureText::Hex),
        ];
        if let Some(encoding) = self.word("encoding", &encodings)? {
            scheme = scheme.encoding(encoding);
        }
        if let Some(text) = self.text("text")? {
            scheme = scheme
                .text(&text)
                .map_err(|why| self.invalid(format!("`text` of HmacSignature {why}")))?;
        }
        if let Some(headers) = self.pairs("headers")? {
            let mut named = Vec::with_capacity(headers.len());
            for (name, value) in &headers {
                let name = HeaderName::try_from(name.as_str()).map_err(|_| {
                    self.invalid("`headers` of HmacSignature has a name that is none".to_owned())
                })?;
                named.push((name, value.as_str()));
            }
            scheme = scheme.headers(named).map_err(|why| {
                self.invalid(format!("`headers` of HmacSignature: a value {why}"))
            })?;
        }
        if let Some(text) = self.text("unsigned_streams")? {
            scheme = scheme.unsigned_streams(text);
        }
        Ok(scheme)
    }

    pub(crate) fn http_signature(&self) -> PyResult<HttpSignature> {
        let secret = self.get::<Vec<u8>>("secret", "bytes")?;
        let key = match (self.key("key")?, secret) {
            (Some(key), None) => key,
            (None, Some(secret)) => SigningKey::hmac(secret),
            _ => {
                return Err(PyTypeError::new_err(
                    "an HttpSignature has one key: key= or secret=",
                ));
            }
        };
        let mut signature = HttpSignature::new(self.required("key_id")?, key);
        if let Some(components) = self.texts("components")? {
            signature = signature
                .components(components.iter().map(String::as_str))
                .map_err(|error| to_exception(self.given.py(), error))?;
        }
        if let Some(label) = self.text("label")? {
            signature = signature.label(label);
        }
        if let Some(tag) = self.text("tag")? {
            signature = signature.tag(tag);
        }
        if let Some(lifetime) = self.seconds("expires")? {
            signature = signature.expires_after(lifetime);
        }
        if let Some(yes) = self.flag("nonce")? {
            signature = signature.nonce(yes);
        }
        if let Some(yes) = self.flag("name_algorithm")? {
            signature = signature.name_algorithm(yes);
        }
        if let Some(digest) = self.word("digest", &HASHES)? {
            signature = signature.digest(digest);
        }
        if let Some(yes) = self.flag("unsigned_streams")? {
            signature = signature.unsigned_streams(yes);
        }
        Ok(signature)
    }
}

const HASHES: [(&str, HashAlgorithm); 2] = [
    ("sha256", HashAlgorithm::Sha256),
    ("sha512", HashAlgorithm::Sha512),
];

/// The signature that goes along with a credential, where it has one.
pub(crate) fn and_signed(auth: Auth, credential: &Bound<'_, PyAny>) -> PyResult<Auth> {
    let Some(sign) = credential
        .getattr_opt("sign")?
        .filter(|sign| !sign.is_none())
    else {
        return Ok(auth);
    };
    let Some(parts) = sign.getattr_opt(crate::credentials::PARTS)? else {
        return Err(no_signature(&sign));
    };
    let parts = parts.call0()?.cast_into::<PyTuple>()?;
    let given = parts.get_item(1)?;
    match parts.get_item(0)?.extract::<String>()?.as_str() {
        "hmac" => Ok(auth.and_signed(Parts::new("HmacSignature", given.cast()?).hmac()?)),
        "http_signature" => {
            Ok(auth.and_signed(Parts::new("HttpSignature", given.cast()?).http_signature()?))
        }
        _ => Err(no_signature(&sign)),
    }
}

fn no_signature(sign: &Bound<'_, PyAny>) -> PyErr {
    let kind = sign
        .get_type()
        .name()
        .map_or_else(|_| String::new(), |name| name.to_string());
    PyTypeError::new_err(format!(
        "sign= takes an HmacSignature or an HttpSignature, not this {kind}"
    ))
}
