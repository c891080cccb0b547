//! Credentials as a scenario describes them, and the logins of OAuth with the adapter as the user's browser.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright::oauth::{ClientAuth, Grant};
use gatewright::signing::{
    Dpop, HashAlgorithm, HmacScheme, HttpSignature, SignatureText, SigningKey,
};
use gatewright::{Auth, Client, Error, OAuth};
use http::HeaderName;
use serde_json::{Value, json};

use crate::open::Counts;
use crate::{Answer, Unsupported, outcome};

type Read<T> = Result<Result<T, Error>, Unsupported>;

struct Parts<'a>(&'a Value);

impl Parts<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    fn required(&self, name: &str) -> Result<String, Unsupported> {
        self.text(name)
            .ok_or_else(|| Unsupported(format!("auth without {name}")))
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }

    fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let object = self.0.get(name).and_then(Value::as_object);
        object
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }
}

/// A credential of one of the kinds that `open.rs` does not read itself.
pub(crate) fn read(value: &Value, counts: &Counts) -> Read<Auth> {
    let parts = Parts(value);
    Ok(match parts.required("kind")?.as_str() {
        "oauth" => {
            let oauth = match oauth(&parts)? {
                Ok(oauth) => oauth,
                Err(error) => return Ok(Err(error)),
            };
            counts.keep(oauth.clone());
            Ok(Auth::oauth(oauth))
        }
        "hmac" => hmac(&parts)?.map(Auth::signed),
        "http_signature" => http_signature(&parts)?.map(Auth::signed),
        "dpop" => key(&parts, "key")?
            .map(|key| -> Result<Auth, Unsupported> {
                Ok(Auth::bearer(parts.required("token")?).dpop(&Dpop::new(key)))
            })
            .map(|auth| auth.unwrap_or_else(|_| Auth::none())),
        _ => return Err(Unsupported(format!("auth {value}"))),
    })
}

/// A key in PEM; `new` makes one.
fn key(parts: &Parts<'_>, name: &str) -> Read<SigningKey> {
    let pem = parts.required(name)?;
    if pem == "new" {
        return Ok(SigningKey::generate_p256().map(|(key, _)| key));
    }
    Ok(SigningKey::from_pem(&pem))
}

fn oauth(parts: &Parts<'_>) -> Read<OAuth> {
    let mut oauth = OAuth::new(parts.required("client_id")?).scopes(parts.texts("scopes"));
    for (name, value) in parts.0.as_object().into_iter().flatten() {
        let text = || parts.required(name);
        oauth = match name.as_str() {
            "kind" | "client_id" | "scopes" => oauth,
            "issuer" => oauth.issuer(text()?),
            "token_url" => oauth.token_url(text()?),
            "authorization_url" => oauth.authorization_url(text()?),
            "device_authorization_url" => oauth.device_authorization_url(text()?),
            "revocation_url" => oauth.revocation_url(text()?),
            "client_secret" => oauth.client_secret(text()?),
            "refresh_token" => oauth.refresh_token(text()?),
            "audience" => oauth.audience(text()?),
            "resources" => parts.texts(name).into_iter().fold(oauth, OAuth::resource),
            "parameters" => parts
                .pairs(name)
                .into_iter()
                .fold(oauth, |oauth, (name, value)| oauth.parameter(name, value)),
            "headers" => parts
                .pairs(name)
                .into_iter()
                .fold(oauth, |oauth, (name, value)| oauth.header(name, value)),
            "allow_http" => oauth.allow_http(parts.flag(name).unwrap_or_default()),
            "timeout_ms" => {
                oauth.timeout(Duration::from_millis(value.as_u64().unwrap_or_default()))
            }
            "grant" => oauth.grant(match text()?.as_str() {
                "client_credentials" => Grant::ClientCredentials,
                "login" => Grant::Login,
                other => return Err(Unsupported(format!("the grant {other}"))),
            }),
            "client_auth" => oauth.client_auth(match text()?.as_str() {
                "basic" => ClientAuth::Basic,
                "post" => ClientAuth::Post,
                "none" => ClientAuth::None,
                "private_key_jwt" => ClientAuth::PrivateKeyJwt,
                other => return Err(Unsupported(format!("the client_auth {other}"))),
            }),
            "client_key" => match key(parts, name)? {
                Ok(key) => oauth.client_key(key, parts.text("client_key_id").as_deref()),
                Err(error) => return Ok(Err(error)),
            },
            "client_key_id" => oauth,
            "dpop_key" => match key(parts, name)? {
                Ok(key) => oauth.dpop(Dpop::new(key)),
                Err(error) => return Ok(Err(error)),
            },
            other => return Err(Unsupported(format!("auth.{other}"))),
        };
    }
    Ok(Ok(oauth))
}

/// Templates have their places in angle brackets: braces are the harness's.
fn template(text: &str) -> String {
    text.replace('<', "{").replace('>', "}")
}

fn hmac(parts: &Parts<'_>) -> Read<HmacScheme> {
    let mut scheme = HmacScheme::new(parts.required("key_id")?, parts.required("secret")?);
    if parts.text("algorithm").as_deref() == Some("sha512") {
        scheme = scheme.algorithm(HashAlgorithm::Sha512);
    }
    match parts.text("encoding").as_deref() {
        Some("hex") => scheme = scheme.encoding(SignatureText::Hex),
        Some("base64url") => scheme = scheme.encoding(SignatureText::Base64Url),
        _ => {}
    }
    if let Some(text) = parts.text("unsigned_streams") {
        scheme = scheme.unsigned_streams(text);
    }
    let wrong = |why: gatewright::engine::signing::TemplateError| {
        Error::new(gatewright::ErrorKind::InvalidConfig, why.to_string())
    };
    if let Some(text) = parts.text("text") {
        match scheme.text(&template(&text)) {
            Ok(with) => scheme = with,
            Err(why) => return Ok(Err(wrong(why))),
        }
    }
    let headers: Vec<_> = parts
        .pairs("headers")
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, template(&value))))
        .collect();
    if headers.is_empty() {
        return Ok(Ok(scheme));
    }
    let named = headers
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str()));
    Ok(scheme.headers(named).map_err(wrong))
}

fn http_signature(parts: &Parts<'_>) -> Read<HttpSignature> {
    let key = match parts.text("secret") {
        Some(secret) => SigningKey::hmac(
            STANDARD
                .decode(secret)
                .map_err(|_| Unsupported("that secret".to_owned()))?,
        ),
        None => match key(parts, "key")? {
            Ok(key) => key,
            Err(error) => return Ok(Err(error)),
        },
    };
    let mut signature = HttpSignature::new(parts.required("key_id")?, key);
    if let Some(label) = parts.text("label") {
        signature = signature.label(label);
    }
    if let Some(tag) = parts.text("tag") {
        signature = signature.tag(tag);
    }
    if let Some(yes) = parts.flag("unsigned_streams") {
        signature = signature.unsigned_streams(yes);
    }
    if parts.text("digest").as_deref() == Some("sha512") {
        signature = signature.digest(HashAlgorithm::Sha512);
    }
    if parts.0.get("components").is_none() {
        return Ok(Ok(signature));
    }
    let components = parts.texts("components");
    Ok(signature.components(components.iter().map(String::as_str)))
}

/// `{"mode": "login", "login": "authorization" | "device" | "revoke", "decision": "approve" | "deny"}`.
pub(crate) async fn login(client: &Client, counts: &Arc<Counts>, request: &Value) -> Answer {
    let parts = Parts(request);
    let oauth = counts
        .oauth()
        .ok_or_else(|| Unsupported("a login without OAuth".to_owned()))?;
    let flow = oauth.over(client);
    let tokens = match parts.required("login")?.as_str() {
        "authorization" => match flow.authorization("https://app.example/callback").await {
            Err(error) => Err(error),
            Ok(login) => {
                let tampered = parts.text("redirect");
                let redirect = match tampered {
                    Some(redirect) => redirect,
                    None => browse(login.url()).await?,
                };
                login.finish(&redirect).await
            }
        },
        "device" => match flow.device().await {
            Err(error) => Err(error),
            Ok(login) => {
                let decision = parts
                    .text("decision")
                    .unwrap_or_else(|| "approve".to_owned());
                decide(login.verification_uri(), login.user_code(), &decision).await?;
                login.wait().await
            }
        },
        "revoke" => {
            return Ok(match flow.revoke().await {
                Ok(()) => json!({ "ok": true }),
                Err(error) => outcome::error(&error),
            });
        }
        other => return Err(Unsupported(format!("the login {other}"))),
    };
    Ok(match tokens {
        Ok(tokens) => json!({
            "ok": true,
            "login": {
                "token_type": tokens.token_type,
                "scope": tokens.scope,
                "refresh_token": tokens.refresh_token.is_some(),
            },
        }),
        Err(error) => outcome::error(&error),
    })
}

/// A client that does what a browser does with a page, but for redirects.
fn browser(url: &url::Url) -> Result<Client, Unsupported> {
    Client::builder(url.origin().ascii_serialization())
        .max_redirects(0)
        .idempotency_keys(false)
        .build()
        .map_err(|error| Unsupported(error.to_string()))
}

/// Where the server sends the browser that goes to `url`.
async fn browse(url: &url::Url) -> Result<String, Unsupported> {
    let answer = browser(url)?
        .get(url.as_str())
        .send()
        .await
        .map_err(|error| Unsupported(error.to_string()))?;
    answer
        .headers()
        .get("location")
        .and_then(|value| value.to_str().ok().map(str::to_owned))
        .ok_or_else(|| Unsupported("an authorization endpoint that sends nobody back".to_owned()))
}

/// The user's decision on the page of a device login.
async fn decide(page: &url::Url, code: &str, decision: &str) -> Result<(), Unsupported> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("user_code", code)
        .append_pair("decision", decision)
        .finish();
    browser(page)?
        .post(page.as_str())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .map(drop)
        .map_err(|error| Unsupported(error.to_string()))
}
