//! Requests to the token endpoint as forms, and how a client proves who it is there (RFC 6749, section 2.3; RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::redact::Secret;

/// The assertion type of `private_key_jwt` (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a client proves who it is at the token endpoint.
#[derive(Clone, Debug)]
pub enum ClientProof {
    /// A public client: its id alone.
    None,
    /// `client_secret_basic`: the header `Authorization: Basic`.
    Basic(Secret),
    /// `client_secret_post`: the secret in the form.
    Post(Secret),
    /// `private_key_jwt`: an assertion that was signed for this request.
    Assertion(Secret),
}

/// The fields of a request to the token endpoint. Values are zeroed on drop and not shown.
#[derive(Clone, Default)]
pub struct Form(Vec<(String, Zeroizing<String>)>);

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Form {
    /// An empty form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A form of this grant.
    #[must_use]
    pub fn of_grant(grant_type: &str) -> Self {
        Self::new().with("grant_type", grant_type)
    }

    /// The same with one field more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0
            .push((name.to_owned(), Zeroizing::new(value.to_owned())));
        self
    }

    /// The same with one field more where it has a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) if !value.is_empty() => self.with(name, value),
            _ => self,
        }
    }

    /// The same with one field for each value: `resource` may be there several times (RFC 8707, section 2).
    #[must_use]
    pub fn with_each<'a>(self, name: &str, values: impl IntoIterator<Item = &'a String>) -> Self {
        values
            .into_iter()
            .fold(self, |form, value| form.with(name, value))
    }

    /// The same with what the form has to say of the client. With `Basic` that is nothing: its id is in the header.
    #[must_use]
    pub fn with_client(self, client_id: &str, proof: &ClientProof) -> Self {
        match proof {
            ClientProof::Basic(_) => self,
            ClientProof::None => self.with("client_id", client_id),
            ClientProof::Post(secret) => self
                .with("client_id", client_id)
                .with("client_secret", secret.expose()),
            ClientProof::Assertion(assertion) => self
                .with("client_id", client_id)
                .with("client_assertion_type", JWT_BEARER)
                .with("client_assertion", assertion.expose()),
        }
    }

    /// `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.0 {
            text.append_pair(name, value);
        }
        Zeroizing::new(text.finish())
    }
}

/// The value of `Authorization` for `client_secret_basic`: id and secret are form-encoded first (RFC 6749, section 2.3.1).
#[must_use]
pub fn basic_header(client_id: &str, secret: &Secret) -> Secret {
    let encoded = |text: &str| -> Zeroizing<String> {
        Zeroizing::new(form_urlencoded::byte_serialize(text.as_bytes()).collect())
    };
    let (id, secret) = (encoded(client_id), encoded(secret.expose()));
    let pair = Zeroizing::new(format!("{}:{}", *id, *secret));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_encodes_id_and_secret_first() {
        assert_eq!(
            basic_header("s6BhdRkqt3", &"7Fjfp0ZBr1KtDRbnfVdmIw".into()).expose(),
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"
        );
        let odd = basic_header("a:b", &"p w+".into());
        let decoded = STANDARD
            .decode(odd.expose().trim_start_matches("Basic "))
            .unwrap();
        assert_eq!(decoded, b"a%3Ab:p+w%2B");
    }

    #[test]
    fn each_proof_says_what_it_should() {
        let form = |proof| {
            Form::of_grant("client_credentials")
                .with_client("id", &proof)
                .encode()
                .to_string()
        };
        assert_eq!(
            form(ClientProof::Basic("s".into())),
            "grant_type=client_credentials"
        );
        assert_eq!(
            form(ClientProof::None),
            "grant_type=client_credentials&client_id=id"
        );
        assert_eq!(
            form(ClientProof::Post("s&".into())),
            "grant_type=client_credentials&client_id=id&client_secret=s%26"
        );
        assert!(form(ClientProof::Assertion("jwt".into())).contains(
            "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=jwt"
        ));
    }

    #[test]
    fn a_form_shows_names_alone() {
        let form = Form::of_grant("refresh_token").with("refresh_token", "canary");
        assert_eq!(format!("{form:?}"), r#"["grant_type", "refresh_token"]"#);
    }
}
