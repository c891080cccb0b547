//! The templates of notices: Jinja's language by minijinja, bounded in length and work, without access to anything but the event.

use std::fmt::Write as _;

use minijinja::Environment;
use serde_json::Value;

const MAX_TEMPLATE_BYTES: usize = 4_096;
/// Slack takes 40 000 characters; what is longer is of no use to people.
const MAX_TEXT_BYTES: usize = 16_384;
/// Instructions of the template's machine.
const FUEL: u64 = 20_000;

/// A template as it was set.
pub(super) struct Template<'t>(pub(super) &'t str);

/// What becomes of characters that the channel gives a meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escaping {
    None,
    /// `&`, `<` and `>` of values, so that no event can mention a channel or hide a link.
    Slack,
}

impl Template<'_> {
    /// What is wrong with it, or nothing.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.0.len() > MAX_TEMPLATE_BYTES {
            return Err(format!("at most {MAX_TEMPLATE_BYTES} bytes"));
        }
        let environment = Environment::new();
        let parsed = environment.template_from_str(self.0);
        parsed.map(drop).map_err(|error| error.to_string())
    }

    /// The text for an event.
    pub(super) fn filled(&self, event: &Value, escaping: Escaping) -> Result<String, String> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        if escaping == Escaping::Slack {
            environment.set_formatter(|out, _, value| {
                if value.is_undefined() || value.is_none() {
                    return Ok(());
                }
                for letter in value.to_string().chars() {
                    match letter {
                        '&' => out.write_str("&amp;")?,
                        '<' => out.write_str("&lt;")?,
                        '>' => out.write_str("&gt;")?,
                        other => out.write_char(other)?,
                    }
                }
                Ok(())
            });
        }
        let value = minijinja::Value::from(minijinja::value::Serde(event));
        let mut text = environment
            .render_str(self.0, value)
            .map_err(|error| error.to_string())?;
        if text.len() > MAX_TEXT_BYTES {
            text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_cannot_speak_slack() {
        let event = json!({"data": {"name": "<!channel> & co"}});
        let text =
            Template("*hi* {{ data.name }}{{ data.nothing }}").filled(&event, Escaping::Slack);
        assert_eq!(text.unwrap(), "*hi* &lt;!channel&gt; &amp; co");
    }

    #[test]
    fn a_template_that_does_not_end_is_stopped() {
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(
            Template(endless)
                .filled(&json!({}), Escaping::None)
                .is_err()
        );
        assert!(Template("{{ data.").check().is_err());
    }
}
