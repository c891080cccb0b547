//! Reads the members of a JSON object that came from the host language, and says which of them is wrong. Texts among them are never shown, since
//! any may be a secret.

use std::borrow::Cow;
use std::fmt;

use gatewright::Timeout;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Pairs of texts.
pub(crate) type Pairs = Vec<(String, String)>;

/// One member. Its name is what errors call it.
pub(crate) struct Member<'j> {
    pub(crate) name: Cow<'j, str>,
    value: &'j RawValue,
}

/// The members of an object, in their order.
pub(crate) struct Members<'j>(Vec<Member<'j>>);

impl<'j> Members<'j> {
    /// Reads `json`.
    ///
    /// # Errors
    /// What it must be, to stand behind a name.
    pub(crate) fn read(json: &'j str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|_| "must be an object".to_owned())
    }
}

impl<'j> IntoIterator for Members<'j> {
    type Item = Member<'j>;
    type IntoIter = std::vec::IntoIter<Member<'j>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push(Member { name, value });
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'j>(#[serde(borrow)] Cow<'j, str>);

impl<'j> Member<'j> {
    /// The same member under the name that host programs know.
    pub(crate) fn called(mut self, name: &'j str) -> Self {
        self.name = Cow::Borrowed(name);
        self
    }

    /// What is wrong with it, in words.
    pub(crate) fn must_be(&self, what: &str) -> String {
        // Numbers are no secrets, and help whoever reads this.
        match self.float() {
            Some(number) => format!("`{}` is {}; it must be {what}", self.name, Shown(number)),
            None => format!("`{}` must be {what}", self.name),
        }
    }

    fn decode<T: Deserialize<'j>>(&self, what: &str) -> Result<T, String> {
        serde_json::from_str(self.value.get()).map_err(|_| self.must_be(what))
    }

    pub(crate) fn text(&self) -> Result<String, String> {
        self.decode("a string")
    }

    pub(crate) fn texts(&self) -> Result<Vec<String>, String> {
        self.decode("a list of strings")
    }

    pub(crate) fn pairs(&self) -> Result<Pairs, String> {
        self.decode("a list of pairs of strings")
    }

    pub(crate) fn flag(&self) -> Result<bool, String> {
        self.decode("true or false")
    }

    pub(crate) fn members(&self) -> Result<Members<'j>, String> {
        self.decode("an object")
    }

    /// Whether it is the literal `false`.
    pub(crate) fn is_false(&self) -> bool {
        self.value.get() == "false"
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value.get() == "null"
    }

    /// A number; what JSON has no number for comes as its name.
    fn float(&self) -> Option<f64> {
        match self.value.get() {
            "\"NaN\"" => Some(f64::NAN),
            "\"Infinity\"" => Some(f64::INFINITY),
            "\"-Infinity\"" => Some(f64::NEG_INFINITY),
            number => serde_json::from_str(number).ok(),
        }
    }

    /// A number. The core checks which.
    pub(crate) fn number(&self) -> Result<f64, String> {
        self.float().ok_or_else(|| self.must_be("a number"))
    }

    /// A time limit in milliseconds, `null` for none. The core checks the number.
    pub(crate) fn timeout(&self) -> Result<Timeout, String> {
        if self.is_null() {
            return Ok(Timeout::None);
        }
        match self.float() {
            Some(milliseconds) => Ok(Timeout::Milliseconds(milliseconds)),
            None => Err(self.must_be("a number of milliseconds above zero, or null for no limit")),
        }
    }

    /// A time in milliseconds, zero or more.
    pub(crate) fn duration(&self) -> Result<std::time::Duration, String> {
        let seconds = self.float().map(|milliseconds| milliseconds / 1e3);
        seconds
            .and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| self.must_be("a number of milliseconds, zero or more"))
    }

    /// A whole number from `least` on, of 32 bits.
    pub(crate) fn count(&self, least: u32) -> Result<u32, String> {
        let wrong = || self.must_be(&format!("a whole number from {least} to {}", u32::MAX));
        let number = self.float().ok_or_else(wrong)?;
        if number.fract() != 0.0 || number < f64::from(least) || number > f64::from(u32::MAX) {
            return Err(wrong());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in range"
        )]
        Ok(number as u32)
    }

    /// A number of bytes; infinity is as many as there may be.
    pub(crate) fn size(&self) -> Result<u64, String> {
        match self.float() {
            Some(number) if number >= 0.0 && (number.fract() == 0.0 || number.is_infinite()) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "float to integer saturates"
                )]
                Ok(number as u64)
            }
            _ => Err(self.must_be("a whole number of bytes, zero or more")),
        }
    }
}

/// A number as the host language writes it.
struct Shown(f64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_infinite() {
            f.write_str(if self.0 > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            })
        } else {
            write!(f, "{}", self.0)
        }
    }
}

/// A name that the host language gave, as it may be shown.
pub(crate) fn shown_name(name: &str) -> String {
    name.chars()
        .take(60)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(json: &str) -> Member<'_> {
        Members::read(json)
            .ok()
            .unwrap()
            .into_iter()
            .next()
            .unwrap()
    }

    #[test]
    fn numbers_that_are_none_are_shown_and_texts_are_not() {
        let wrong = |json: &str| first(json).count(1).unwrap_err();
        assert_eq!(
            wrong(r#"{"n": 0}"#),
            "`n` is 0; it must be a whole number from 1 to 4294967295"
        );
        for (json, shown) in [
            (r#"{"n": 2.5}"#, "is 2.5;"),
            (r#"{"n": -1}"#, "is -1;"),
            (r#"{"n": "NaN"}"#, "is NaN;"),
            (r#"{"n": "-Infinity"}"#, "is -Infinity;"),
            (r#"{"n": 4294967296}"#, "is 4294967296;"),
            (r#"{"n": "canary"}"#, "`n` must be"),
            (r#"{"n": null}"#, "`n` must be"),
            (r#"{"n": ["canary"]}"#, "`n` must be"),
        ] {
            let text = wrong(json);
            assert!(text.contains(shown) && !text.contains("canary"), "{text}");
        }
        assert_eq!(first(r#"{"n": 3}"#).count(1), Ok(3));
    }

    #[test]
    fn sizes_may_be_endless() {
        assert_eq!(first(r#"{"n": "Infinity"}"#).size(), Ok(u64::MAX));
        assert_eq!(first(r#"{"n": 1e6}"#).size(), Ok(1_000_000));
        assert!(first(r#"{"n": "NaN"}"#).size().is_err());
        assert!(first(r#"{"n": 0.5}"#).size().is_err());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["", "[]", "3", "null", "{", "\"canary\""] {
            assert_eq!(Members::read(json).err().unwrap(), "must be an object");
        }
    }
}
