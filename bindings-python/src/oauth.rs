//! OAuth and signatures, from the parts of the classes in `_oauth.py`. Nothing of their values is ever shown.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use gatewright::signing::{Dpop, HmacScheme, HttpSignature};
use gatewright::token_store::FileStore;
use gatewright::{Auth, Error, ErrorKind, OAuth};
use gatewright_boundary::credential_parts::{self, Parts as _};
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

    pub(crate) fn oauth(&self) -> PyResult<OAuth> {
        if self.any("dpop_key")?.is_some() && self.any("sign")?.is_some() {
            return Err(self.invalid("OAuth has both `sign` and `dpop_key`".to_owned()));
        }
        if self.any("token_file")?.is_some() && self.any("token_store")?.is_some() {
            return Err(self.invalid("OAuth has both `token_file` and `token_store`".to_owned()));
        }
        credential_parts::oauth(self)
    }

    pub(crate) fn dpop(&self) -> PyResult<Auth> {
        let token = self.text("token")?.ok_or_else(|| self.missing("token"))?;
        let key = credential_parts::key(self, "key")?.ok_or_else(|| self.missing("key"))?;
        Ok(Auth::bearer(token).dpop(&Dpop::new(key)))
    }

    pub(crate) fn hmac(&self) -> PyResult<HmacScheme> {
        credential_parts::hmac(self)
    }

    pub(crate) fn http_signature(&self) -> PyResult<HttpSignature> {
        credential_parts::http_signature(self)
    }
}

/// Names and words are as they are; times are in seconds.
impl credential_parts::Parts for Parts<'_, '_> {
    type Wrong = PyErr;

    fn text(&self, name: &'static str) -> PyResult<Option<String>> {
        self.get(name, "a str")
    }

    fn texts(&self, name: &'static str) -> PyResult<Option<Vec<String>>> {
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

    fn pairs(&self, name: &'static str) -> PyResult<Option<Vec<(String, String)>>> {
        self.get(name, "a mapping of str to str, or pairs")
    }

    fn flag(&self, name: &'static str) -> PyResult<Option<bool>> {
        self.get(name, "True or False")
    }

    fn time(&self, name: &'static str) -> PyResult<Option<Duration>> {
        let Some(seconds) = self.get::<f64>(name, "a number of seconds")? else {
            return Ok(None);
        };
        Duration::try_from_secs_f64(seconds).map(Some).map_err(|_| {
            let what = format!(" is {seconds}; it must be a number of seconds, zero or more");
            self.unusable(name, &what)
        })
    }

    fn bytes(&self, name: &'static str) -> PyResult<Option<Vec<u8>>> {
        self.get(name, "bytes")
    }

    fn keeps_tokens(&self) -> PyResult<bool> {
        Ok(self.any("token_file")?.is_some() || self.any("token_store")?.is_some())
    }

    fn with_store(&self, oauth: OAuth) -> PyResult<OAuth> {
        let file = self.get::<PathBuf>("token_file", "a path")?;
        Ok(match file {
            Some(path) => oauth.store(FileStore::new(path)),
            None => oauth,
        })
    }

    fn spelled(&self, word: &'static str) -> Cow<'static, str> {
        Cow::Borrowed(word)
    }

    fn missing(&self, name: &'static str) -> PyErr {
        PyTypeError::new_err(format!("{}: {name}= is missing", self.of))
    }

    fn no_such_word(&self, name: &'static str, words: &str) -> PyErr {
        PyValueError::new_err(format!("{}: {name}= must be one of {words}", self.of))
    }

    fn unusable(&self, name: &'static str, what: &str) -> PyErr {
        self.invalid(format!("`{name}` of {}{what}", self.of))
    }

    fn not_one_key(&self) -> PyErr {
        PyTypeError::new_err("an HttpSignature has one key: key= or secret=")
    }
}

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
