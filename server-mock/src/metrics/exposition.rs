//! What the gateway has counted, family by family, each with its help, type and samples; and Prometheus' text format 0.0.4 of it.

use std::fmt::Write as _;

/// Families that are being collected.
#[derive(Default)]
pub(crate) struct Exposition {
    families: Vec<Family>,
}

/// Samples of one name. A histogram's have `_bucket` with a label `le`, `_sum` and `_count` behind it.
pub(crate) struct Family {
    pub(crate) name: String,
    /// `counter`, `gauge` or `histogram`.
    pub(crate) kind: &'static str,
    pub(crate) help: String,
    pub(crate) samples: Vec<Sample>,
}

/// One value.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

impl Exposition {
    /// What it is served as.
    pub(crate) const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Begins a family; its samples come right after.
    pub(crate) fn family(&mut self, name: &str, kind: &'static str, help: &str) {
        self.families.push(Family {
            name: name.into(),
            kind,
            help: help.into(),
            samples: Vec::new(),
        });
    }

    /// One sample of the family that was begun.
    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        if let Some(family) = self.families.last_mut() {
            let labels = labels.iter().copied();
            family.samples.push(Sample {
                name: name.into(),
                labels: labels.map(|(name, of)| (name.into(), of.into())).collect(),
                value,
            });
        }
    }

    /// A gauge without labels.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    /// All of them, in order.
    pub(crate) fn families(&self) -> &[Family] {
        &self.families
    }

    /// The whole text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for family in &self.families {
            let (name, kind) = (&family.name, family.kind);
            let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for sample in &family.samples {
                sample.write(&mut text);
            }
        }
        text
    }
}

impl Sample {
    fn write(&self, text: &mut String) {
        text.push_str(&self.name);
        for (at, (label, value)) in self.labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(text, "{before}{label}=\"{}\"", escaped(value));
        }
        if !self.labels.is_empty() {
            text.push('}');
        }
        let _ = writeln!(text, " {}", self.value);
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut text = Exposition::default();
        text.family("a", "counter", "one\\two\nthree");
        text.sample("a", &[("x", "1\"2\\3\n4"), ("y", "")], 7.0);
        assert_eq!(
            text.text(),
            "# HELP a one\\\\two\\nthree\n# TYPE a counter\na{x=\"1\\\"2\\\\3\\n4\",y=\"\"} 7\n"
        );
    }
}
