//! The words about the bus, which `serve` and `worker` understand alike.

use std::time::Duration;

use gatewright_server_mock::BusOptions;

use crate::arguments::UsageError;

/// What was said of the bus.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BusFlags {
    url: Option<String>,
    name: Option<String>,
    workers: Option<usize>,
    lease_ms: Option<u64>,
    events: Vec<String>,
}

impl BusFlags {
    /// Takes one of `--bus`, `--bus-name`, `--bus-workers`, `--bus-lease-ms`, `--bus-events`. An address may have a password in it, so it is not
    /// repeated in an error.
    pub(crate) fn set(&mut self, name: &str, value: Option<String>) -> Result<(), UsageError> {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return Err(UsageError(format!("{name} needs a value")));
        };
        let wrong = || UsageError(format!("{name} cannot be {value:?}"));
        match name {
            "--bus" => self.url = Some(value),
            "--bus-events" => self.events = value.split(',').map(str::to_owned).collect(),
            "--bus-name" => self.name = Some(value),
            "--bus-workers" => {
                let workers = value.parse().ok().filter(|workers| *workers <= 64);
                self.workers = Some(workers.ok_or_else(wrong)?);
            }
            _ => {
                let lease_ms = value.parse().ok().filter(|ms| (100..=600_000).contains(ms));
                self.lease_ms = Some(lease_ms.ok_or_else(wrong)?);
            }
        }
        Ok(())
    }

    /// None where no bus was named.
    pub(crate) fn options(&self) -> Option<BusOptions> {
        let mut options = BusOptions::new(self.url.as_deref()?);
        if let Some(name) = &self.name {
            options = options.name(name);
        }
        if let Some(workers) = self.workers {
            options = options.workers(workers);
        }
        if let Some(lease_ms) = self.lease_ms {
            options = options.lease(Duration::from_millis(lease_ms));
        }
        Some(options.events(self.events.iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let mut flags = BusFlags::default();
        let mut set =
            |name: &str, value: &str| flags.set(name, Some(value.into())).map_err(|error| error.0);
        assert_eq!(set("--bus", "embedded"), Ok(()));
        assert_eq!(set("--bus", ""), Err("--bus needs a value".into()));
        assert_eq!(
            set("--bus-lease-ms", "99"),
            Err("--bus-lease-ms cannot be \"99\"".into())
        );
        assert_eq!(
            set("--bus-workers", "65"),
            Err("--bus-workers cannot be \"65\"".into())
        );
        assert!(flags.options().is_some() && BusFlags::default().options().is_none());
    }
}
