//! The machine that figures come from, in words, and whether it does other things beside.

use std::process::Command;

use crate::process::answer;

/// What the figures were measured with.
pub(crate) struct Machine {
    date: String,
    cpu: String,
    cores: usize,
    system: String,
    versions: Vec<String>,
}

impl Machine {
    /// Asks it; `hosts` are the languages that are measured, with their versions.
    pub(crate) fn ask(hosts: Vec<String>) -> Self {
        let unknown = || "unknown".to_owned();
        let said =
            |program: &str, arguments: &[&str]| answer(Command::new(program).args(arguments)).ok();
        let mut versions = vec![said("rustc", &["--version"]).unwrap_or_else(unknown)];
        versions.extend(hosts);
        let system = std::fs::read_to_string("/etc/os-release")
            .ok()
            .and_then(|text| field(&text, "PRETTY_NAME", '='));
        let kernel = said("uname", &["-sr"]).unwrap_or_else(|| std::env::consts::OS.to_owned());
        let cpu = std::fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| field(&text, "model name", ':'));
        Self {
            date: said("date", &["-u", "+%Y-%m-%d"]).unwrap_or_else(unknown),
            cpu: cpu
                .or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]))
                .unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            system: system.map_or_else(|| kernel.clone(), |name| format!("{name}, {kernel}")),
            versions,
        }
    }

    /// As a sentence.
    pub(crate) fn in_words(&self) -> String {
        let Self {
            date,
            cpu,
            cores,
            system,
            versions,
        } = self;
        format!(
            "Measured {date}: {cpu}, {cores} cores; {system}; {}.",
            versions.join("; ")
        )
    }
}

/// The load of the last minute, where it is more than building and idling explain.
pub(crate) fn busy() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split(' ').next()?.parse().ok()?;
    let cores = std::thread::available_parallelism().ok()?.get();
    #[expect(clippy::cast_precision_loss, reason = "a number of cores")]
    let much = cores as f64 * 1.5;
    (load > much).then_some(load)
}

/// The value of the first `name SEPARATOR value` line, without quotes.
fn field(text: &str, name: &str, separator: char) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_without_quotes_and_padding() {
        assert_eq!(
            field("NAME=x\nPRETTY_NAME=\"Debian 12\"\n", "PRETTY_NAME", '=').as_deref(),
            Some("Debian 12")
        );
        assert_eq!(
            field("model\t: 2\nmodel name\t: AMD EPYC\n", "model name", ':').as_deref(),
            Some("AMD EPYC")
        );
        assert_eq!(field("", "model name", ':'), None);
    }

    #[test]
    fn the_machine_is_one_sentence() {
        let machine = Machine {
            date: "2026-01-02".to_owned(),
            cpu: "AMD EPYC".to_owned(),
            cores: 2,
            system: "Debian 12, Linux 6.1".to_owned(),
            versions: vec!["rustc 1.95.0".to_owned(), "Python 3.11.7".to_owned()],
        };
        let wanted = "Measured 2026-01-02: AMD EPYC, 2 cores; Debian 12, Linux 6.1; rustc 1.95.0; Python 3.11.7.";
        assert_eq!(machine.in_words(), wanted);
    }
}
