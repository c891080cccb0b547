//! Timeouts as callers give them: a duration, none, or seconds or milliseconds as a float, which may be no time at all.

use std::time::Duration;

use gatewright_engine::ErrorKind;

use crate::Error;

/// A timeout as it was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// No limit.
    None,
    /// This long.
    Duration(Duration),
    /// This many seconds.
    Seconds(f64),
    /// This many milliseconds, as JavaScript counts. Errors speak of milliseconds then.
    Milliseconds(f64),
}

impl From<Duration> for Setting {
    fn from(duration: Duration) -> Self {
        Self::Duration(duration)
    }
}

impl From<Option<Duration>> for Setting {
    fn from(duration: Option<Duration>) -> Self {
        duration.map_or(Self::None, Self::Duration)
    }
}

impl From<f64> for Setting {
    fn from(seconds: f64) -> Self {
        Self::Seconds(seconds)
    }
}

/// Checks a timeout: more than zero, a number, finite.
pub(crate) fn checked(name: &str, setting: Setting) -> Result<Option<Duration>, Error> {
    let wrong = |shown: String, must_be: &str| {
        let what = format!("`{name}` is {shown}; it must be {must_be} for no limit");
        Err(Error::new(ErrorKind::InvalidConfig, what))
    };
    const SECONDS: &str = "a number of seconds above zero, or none";
    const MILLISECONDS: &str = "a number of milliseconds above zero, or null";
    match setting {
        Setting::None => Ok(None),
        Setting::Duration(duration) if duration.is_zero() => wrong("zero".to_owned(), SECONDS),
        Setting::Duration(duration) => Ok(Some(duration)),
        Setting::Seconds(seconds) => match duration(seconds) {
            Some(duration) => Ok(Some(duration)),
            None => wrong(seconds.to_string(), SECONDS),
        },
        Setting::Milliseconds(milliseconds) => match duration(milliseconds / 1e3) {
            Some(duration) => Ok(Some(duration)),
            // As JavaScript writes it.
            None if milliseconds.is_infinite() => wrong(
                milliseconds.to_string().replace("inf", "Infinity"),
                MILLISECONDS,
            ),
            None => wrong(milliseconds.to_string(), MILLISECONDS),
        },
    }
}

/// `None` where it is no time above zero.
fn duration(seconds: f64) -> Option<Duration> {
    if !seconds.is_finite() || seconds <= 0.0 {
        return None;
    }
    // More seconds than a `Duration` holds: no limit in all but name.
    let duration = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_time_is_refused() {
        for seconds in [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -1.0,
            0.0,
            -0.0,
            1e-300,
        ] {
            let error = checked("timeout", seconds.into()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{seconds}");
        }
        let error = checked("timeout", f64::NAN.into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid_config: `timeout` is NaN; it must be a number of seconds above zero, or none for no limit; \
             change the setting"
        );
    }

    #[test]
    fn milliseconds_are_told_of_as_such() {
        for (given, shown) in [
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (-1.0, "-1"),
            (0.0, "0"),
        ] {
            let error = checked("timeout", Setting::Milliseconds(given)).unwrap_err();
            assert_eq!(
                error.what(),
                format!(
                    "`timeout` is {shown}; it must be a number of milliseconds above zero, or null for no limit"
                )
            );
        }
        assert_eq!(
            checked("timeout", Setting::Milliseconds(1.5)).unwrap(),
            Some(Duration::from_micros(1500))
        );
    }

    #[test]
    fn huge_timeouts_are_no_limit_and_no_panic() {
        assert_eq!(
            checked("timeout", 1e300.into()).unwrap(),
            Some(Duration::MAX)
        );
        assert_eq!(checked("timeout", Setting::None).unwrap(), None);
    }
}
