//! Which bus `--bus` means, read and refused before anything is started.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::Bus;
use super::memory::MemoryBus;
use super::sqlite::SqliteBus;

/// Where the bus is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// In this process.
    Memory,
    /// In a file that processes of this machine share.
    File(PathBuf),
    /// NATS with JetStream: `nats://host:4222`, `tls://host:4222`.
    Nats(Url),
    /// Redis: `redis://host:6379/0`.
    Redis(Url),
}

/// Without user and password.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Address {
    /// Reads `embedded`, `nats://…`, `tls://…` (NATS) or `redis://…`; `embedded` is the file beside `data`, or memory.
    pub(crate) fn parse(text: &str, data: Option<&std::path::Path>) -> Result<Self, String> {
        if text == "embedded" {
            return Ok(match data {
                None => Self::Memory,
                Some(data) => {
                    let mut file = data.as_os_str().to_owned();
                    file.push(".bus");
                    Self::File(file.into())
                }
            });
        }
        // The text may have a password in it, so it is not repeated.
        let wrong = || "the bus must be embedded, nats://host:4222 or redis://host:6379".to_owned();
        let url = Url::parse(text).map_err(|_| wrong())?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        match url.scheme() {
            "nats" | "tls" if cfg!(feature = "nats") => Ok(Self::Nats(url)),
            "redis" if cfg!(feature = "redis") => Ok(Self::Redis(url)),
            scheme @ ("nats" | "tls" | "redis") => {
                let feature = if scheme == "redis" { "redis" } else { "nats" };
                Err(format!(
                    "this gateway was built without {feature}; build it with --features {feature}"
                ))
            }
            _ => Err(wrong()),
        }
    }

    /// Without user and password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Memory => "memory".into(),
            Self::File(file) => file.display().to_string(),
            Self::Nats(url) | Self::Redis(url) => {
                let port = url
                    .port()
                    .map(|port| format!(":{port}"))
                    .unwrap_or_default();
                format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or(""))
            }
        }
    }

    /// Opens it. A broker need not be there yet; a file must be one that can be used. `space` keeps the users of one bus
    /// apart.
    pub(crate) fn open(&self, space: &str) -> Result<Arc<dyn Bus>, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=64).contains(&space.len()) || !space.bytes().all(plain) {
            return Err("the bus's name must be 1 to 64 letters, digits, - or _".into());
        }
        match self {
            Self::Memory => Ok(Arc::new(MemoryBus::new())),
            Self::File(file) => Ok(Arc::new(SqliteBus::open(file)?)),
            #[cfg(feature = "nats")]
            Self::Nats(url) => Ok(Arc::new(super::nats::NatsBus::new(
                url,
                space,
                self.shown(),
            )?)),
            #[cfg(feature = "redis")]
            Self::Redis(url) => Ok(Arc::new(super::redis::RedisBus::new(
                url,
                space,
                self.shown(),
            )?)),
            #[cfg(not(all(feature = "nats", feature = "redis")))]
            _ => Err("this gateway was built without that bus".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_is_memory_or_the_file_beside_the_data() {
        assert_eq!(Address::parse("embedded", None), Ok(Address::Memory));
        let data = PathBuf::from("/var/lib/gateway.db");
        assert_eq!(
            Address::parse("embedded", Some(&data)).unwrap().shown(),
            "/var/lib/gateway.db.bus"
        );
    }

    #[test]
    fn refusals_say_what_to_write_and_repeat_no_password() {
        for wrong in ["", "memory", "http://secret@host", "nats:", "redis://"] {
            let said = Address::parse(wrong, None).unwrap_err();
            assert_eq!(
                said, "the bus must be embedded, nats://host:4222 or redis://host:6379",
                "{wrong}"
            );
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn passwords_are_not_shown() {
        let address = Address::parse("redis://user:secret@localhost:7000/2", None).unwrap();
        assert_eq!(format!("{address:?}"), "redis://localhost:7000");
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn a_bus_that_was_not_built_in_is_named() {
        assert_eq!(
            Address::parse("redis://localhost", None).unwrap_err(),
            "this gateway was built without redis; build it with --features redis"
        );
    }
}
