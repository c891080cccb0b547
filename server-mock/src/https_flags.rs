//! The options of `serve` about HTTPS.

use std::io;
use std::path::PathBuf;

use gatewright_server_mock::{Gateway, Https};

/// What was said about HTTPS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct HttpsFlags {
    /// The port, where HTTPS is wanted.
    port: Option<u16>,
    only: bool,
    names: Vec<String>,
    hsts: Option<u64>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

/// Without a port: 4443, or any free one where the data port is any free one.
const DEFAULT_PORT: u16 = u16::MAX;

impl HttpsFlags {
    /// Takes an option, if it is one of these; says what is wrong with it.
    pub(crate) fn take(
        &mut self,
        name: &str,
        joined: Option<&str>,
        value: impl FnOnce() -> Option<String>,
    ) -> Option<Result<(), String>> {
        let file = |value: Option<String>| {
            let value = value.ok_or_else(|| format!("{name} needs a value"))?;
            Ok(Some(PathBuf::from(value)))
        };
        let done = match name {
            "--https" | "--https-only" => {
                self.only |= name == "--https-only";
                match joined.map(str::parse) {
                    None => {
                        self.port.get_or_insert(DEFAULT_PORT);
                        Ok(())
                    }
                    Some(Ok(port)) => {
                        self.port = Some(port);
                        Ok(())
                    }
                    Some(Err(_)) => Err(format!("{name} cannot be {:?}", joined.unwrap_or(""))),
                }
            }
            "--https-name" => value()
                .ok_or_else(|| format!("{name} needs a value"))
                .map(|value| self.names.push(value)),
            "--hsts" => match value().as_deref().map(str::parse) {
                Some(Ok(seconds)) => {
                    self.hsts = Some(seconds);
                    Ok(())
                }
                _ => Err(format!("{name} needs a number of seconds")),
            },
            "--cert" => file(value()).map(|file| self.certificate = file),
            "--key" => file(value()).map(|file| self.key = file),
            "--ca-file" => file(value()).map(|file| self.ca_file = file),
            _ => return None,
        };
        Some(done)
    }

    /// What to serve, if HTTPS is wanted; `free` is whether the data port is any free one.
    pub(crate) fn https(&self, free: bool) -> Result<Option<Https>, String> {
        let Some(port) = self.port else {
            let other = [&self.certificate, &self.key, &self.ca_file];
            if other.iter().any(|file| file.is_some()) || !self.names.is_empty() {
                return Err("--cert, --key, --ca-file and --https-name go with --https".into());
            }
            return Ok(None);
        };
        let port = match (port, free) {
            (DEFAULT_PORT, true) => 0,
            (DEFAULT_PORT, false) => 4443,
            (port, _) => port,
        };
        let mut https = Https::default().port(port).only(self.only);
        for name in &self.names {
            https = https.name(name);
        }
        if let Some(seconds) = self.hsts {
            https = https.hsts_max_age_s(seconds);
        }
        match (&self.certificate, &self.key) {
            (None, None) => Ok(Some(https)),
            (Some(chain), Some(key)) => Ok(Some(https.certificate(chain, key))),
            _ => Err("--cert and --key go together".into()),
        }
    }

    /// Writes the CA where it is wanted.
    pub(crate) fn write_ca(&self, gateway: &Gateway) -> io::Result<()> {
        match (&self.ca_file, gateway.ca_pem()) {
            (Some(file), Some(pem)) => std::fs::write(file, pem).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", file.display()))
            }),
            _ => Ok(()),
        }
    }
}

/// What the line of `--print-json` says besides.
pub(crate) fn announce(gateway: &Gateway, line: &mut serde_json::Map<String, serde_json::Value>) {
    if let Some(url) = gateway.https_url() {
        line.insert("https_url".into(), url.into());
        line.insert("ca_pem".into(), gateway.ca_pem().into());
    }
}
