//! The options of `serve` about where limits are counted.

use std::time::Duration;

use gatewright_server_mock::LimitsSettings;

use crate::arguments::UsageError;

/// Whether it is one of them.
pub(crate) fn is_one(name: &str) -> bool {
    name == "--limits" || name.starts_with("--limits-")
}

/// The settings with one of them applied.
pub(crate) fn apply(
    name: &str,
    value: Option<String>,
    settings: LimitsSettings,
) -> Result<LimitsSettings, UsageError> {
    let Some(value) = value else {
        return Err(UsageError(format!("{name} needs a value")));
    };
    let number = |least: u64| match value.parse::<u64>() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(UsageError(format!(
            "{name} cannot be {value:?}: it is a whole number from {least} on"
        ))),
    };
    match name {
        // The value is not repeated: it may have a password.
        "--limits" => (settings.moved_to(&value))
            .map_err(|why| UsageError(format!("{name} cannot be that: {why}"))),
        "--limits-fail" => match value.parse() {
            Ok(fail) => Ok(settings.fail(fail)),
            Err(why) => Err(UsageError(format!("{name} cannot be {value:?}: {why}"))),
        },
        "--limits-share" => Ok(settings.share(u32::try_from(number(1)?).unwrap_or(u32::MAX))),
        "--limits-deadline-ms" => Ok(settings.deadline(Duration::from_millis(number(1)?))),
        "--limits-lease-ms" => Ok(settings.lease(Duration::from_millis(number(100)?))),
        _ => Err(UsageError(format!(
            "got {name:?}, which is no option of serve"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_server_mock::LimitsFail;

    fn applied(name: &str, value: &str) -> Result<LimitsSettings, String> {
        apply(name, Some(value.into()), LimitsSettings::default())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_sets_what_it_says() {
        let settings =
            |set: fn(LimitsSettings) -> LimitsSettings| Ok(set(LimitsSettings::default()));
        assert_eq!(
            applied("--limits-fail", "local"),
            settings(|own| own.fail(LimitsFail::Local))
        );
        assert_eq!(
            applied("--limits-deadline-ms", "20"),
            settings(|own| own.deadline(Duration::from_millis(20)))
        );
        assert_eq!(
            applied("--limits", "sqlite:a.db"),
            Ok(LimitsSettings::at("sqlite:a.db").unwrap())
        );
    }

    #[test]
    fn mistakes_are_named_and_passwords_are_not() {
        let see = "; see gatewright-gateway --help";
        assert_eq!(
            applied("--limits-fail", "shut").unwrap_err(),
            format!("--limits-fail cannot be \"shut\": it is open, closed or local{see}")
        );
        assert_eq!(
            applied("--limits-share", "0").unwrap_err(),
            format!("--limits-share cannot be \"0\": it is a whole number from 1 on{see}")
        );
        assert!(applied("--limits-nothing", "1").is_err());
        for wrong in [
            "redos://:secret@host",
            "sqlite:",
            "",
            "redis+cluster://:secret@",
        ] {
            let said = applied("--limits", wrong).unwrap_err();
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
