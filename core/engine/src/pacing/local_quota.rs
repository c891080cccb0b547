//! The quotas a user sets for one's own client, as text such as `100/min, burst 20` or `100/min; 1000/day`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// At most `limit` calls in `per`, spread evenly, of which `burst` may go at once after a rest.
///
/// In no span of `per` do more than `limit + burst` calls go. As text: `100/min`, `3/2s, burst 3`, `1000/day, burst 50`;
/// units are `s` (`sec`, `second`), `m` (`min`, `minute`), `h` (`hour`), `d` (`day`), with a number before it or not.
/// The burst is a tenth of the limit where it is left out, and at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalQuota {
    limit: NonZeroU32,
    per: Duration,
    burst: NonZeroU32,
}

/// Why a text is no local quota.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalQuotaError {
    /// The part after the comma is not `burst N`.
    Burst(String),
    /// There are more quotas than [`MAX_LOCAL_QUOTAS`].
    Count(usize),
    /// The part before the slash is no whole number from 1 to 4294967295.
    Limit(String),
    /// There is no slash.
    Shape(String),
    /// The part after the slash is no known unit.
    Unit(String),
    /// The time is zero, or longer than 366 days.
    Window(String),
}

/// Quotas that one client may have.
pub const MAX_LOCAL_QUOTAS: usize = 8;

const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// Seconds, the name it is shown by, the names it is read by.
const UNITS: [(u64, &str, &[&str]); 4] = [
    (1, "s", &["s", "sec", "second", "seconds"]),
    (60, "min", &["m", "min", "minute", "minutes"]),
    (3_600, "h", &["h", "hour", "hours"]),
    (86_400, "d", &["d", "day", "days"]),
];

impl LocalQuota {
    /// `limit` calls in `per`, of which `burst` may go at once.
    ///
    /// # Errors
    /// [`LocalQuotaError::Window`] where `per` is zero or longer than 366 days.
    pub fn new(
        limit: NonZeroU32,
        per: Duration,
        burst: NonZeroU32,
    ) -> Result<Self, LocalQuotaError> {
        if per.is_zero() || per > LONGEST {
            return Err(LocalQuotaError::Window(format!("{}s", per.as_secs_f64())));
        }
        Ok(Self { limit, per, burst })
    }

    /// Reads one quota or several, with a semicolon between them: `100/min, burst 20; 1000/day`. A call takes from each.
    ///
    /// # Errors
    /// What is wrong with the first that is wrong; [`LocalQuotaError::Count`] where there are more than
    /// [`MAX_LOCAL_QUOTAS`].
    pub fn read_all(text: &str) -> Result<Vec<Self>, LocalQuotaError> {
        let quotas: Vec<Self> = text.split(';').map(str::parse).collect::<Result<_, _>>()?;
        if quotas.len() > MAX_LOCAL_QUOTAS {
            return Err(LocalQuotaError::Count(quotas.len()));
        }
        Ok(quotas)
    }

    /// Calls in [`per`](Self::per).
    #[must_use]
    pub fn limit(&self) -> NonZeroU32 {
        self.limit
    }

    /// The time the limit is for.
    #[must_use]
    pub fn per(&self) -> Duration {
        self.per
    }

    /// Calls that may go at once after a rest.
    #[must_use]
    pub fn burst(&self) -> NonZeroU32 {
        self.burst
    }
}

impl FromStr for LocalQuota {
    type Err = LocalQuotaError;

    fn from_str(text: &str) -> Result<Self, LocalQuotaError> {
        let (rate, burst) = match text.split_once(',') {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let (limit, per) = rate
            .split_once('/')
            .ok_or_else(|| LocalQuotaError::Shape(text.to_owned()))?;
        let limit: NonZeroU32 = limit
            .trim()
            .parse()
            .map_err(|_| LocalQuotaError::Limit(limit.trim().to_owned()))?;
        let per = read_window(per.trim())?;
        let burst = match burst {
            None => NonZeroU32::new(limit.get() / 10).unwrap_or(NonZeroU32::MIN),
            Some(burst) => burst
                .trim()
                .strip_prefix("burst")
                .filter(|number| number.starts_with([' ', '=']))
                .and_then(|number| number.trim_start_matches([' ', '=']).parse().ok())
                .ok_or_else(|| LocalQuotaError::Burst(burst.trim().to_owned()))?,
        };
        Self::new(limit, per, burst)
    }
}

fn read_window(text: &str) -> Result<Duration, LocalQuotaError> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let unit = unit.trim();
    let (seconds, ..) = UNITS
        .iter()
        .find(|(_, _, names)| names.contains(&unit))
        .ok_or_else(|| LocalQuotaError::Unit(text.to_owned()))?;
    let count: u64 = if count.is_empty() {
        1
    } else {
        count.parse().unwrap_or(u64::MAX)
    };
    let per = Duration::from_secs(count.saturating_mul(*seconds));
    if per.is_zero() || per > LONGEST {
        return Err(LocalQuotaError::Window(text.to_owned()));
    }
    Ok(per)
}

impl fmt::Display for LocalQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.limit)?;
        let seconds = self.per.as_secs();
        let unit = UNITS
            .iter()
            .rev()
            .find(|(unit, ..)| seconds > 0 && seconds.is_multiple_of(*unit));
        match unit {
            Some((unit, name, _)) if self.per.subsec_nanos() == 0 && seconds == *unit => {
                f.write_str(name)?
            }
            Some((unit, name, _)) if self.per.subsec_nanos() == 0 => {
                write!(f, "{}{name}", seconds / unit)?
            }
            _ => write!(f, "{}s", self.per.as_secs_f64())?,
        }
        write!(f, ", burst {}", self.burst)
    }
}

impl fmt::Display for LocalQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let example = "as in \"100/min\" or \"100/min, burst 20\"";
        match self {
            Self::Burst(got) => write!(
                f,
                "got {got:?} when expecting \"burst\" and a whole number of at least 1, {example}"
            ),
            Self::Count(got) => write!(
                f,
                "got {got} quotas when expecting at most {MAX_LOCAL_QUOTAS}, {example}"
            ),
            Self::Limit(got) => write!(
                f,
                "got {got:?} when expecting a whole number of calls of at least 1, {example}"
            ),
            Self::Shape(got) => write!(
                f,
                "got {got:?} when expecting calls, a slash and a time, {example}"
            ),
            Self::Unit(got) => write!(
                f,
                "got {got:?} when expecting one of s, sec, second, m, min, minute, h, hour, d, day, {example}"
            ),
            Self::Window(got) => write!(
                f,
                "got {got:?} when expecting a time above zero and up to 366 days, {example}"
            ),
        }
    }
}

impl std::error::Error for LocalQuotaError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (u32, u64, u32) {
        let quota: LocalQuota = text.parse().unwrap();
        (
            quota.limit().get(),
            quota.per().as_secs(),
            quota.burst().get(),
        )
    }

    #[test]
    fn every_unit_is_read() {
        for (seconds, _, names) in UNITS {
            for name in names {
                assert_eq!(read(&format!("7/{name}, burst 2")), (7, seconds, 2));
            }
        }
        assert_eq!(read(" 3 / 2 s , burst  3 "), (3, 2, 3));
        assert_eq!(read("100/min,burst=20"), (100, 60, 20));
    }

    #[test]
    fn the_burst_is_a_tenth_of_the_limit_where_it_is_left_out() {
        assert_eq!(read("100/min").2, 10);
        assert_eq!(read("5/s").2, 1);
    }

    #[test]
    fn several_quotas_stand_in_one_text() {
        let all = LocalQuota::read_all("100/min, burst 20; 1000/day").unwrap();
        let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["100/min, burst 20", "1000/d, burst 100"]);
        let too_many = ["1/s"; 9].join(";");
        let error = LocalQuota::read_all(&too_many).unwrap_err();
        assert_eq!(error, LocalQuotaError::Count(9));
        assert!(error.to_string().contains("at most 8"), "{error}");
        assert!(LocalQuota::read_all("1/s;").is_err(), "nothing is no quota");
    }

    #[test]
    fn display_reads_back() {
        for text in [
            "100/min, burst 20",
            "3/2s, burst 3",
            "10/s, burst 1",
            "5/h, burst 1",
            "1000/d, burst 9",
            "4/90s, burst 4",
        ] {
            let quota: LocalQuota = text.parse().unwrap();
            assert_eq!(quota.to_string(), text);
        }
        let quota: LocalQuota = "60/60s".parse().unwrap();
        assert_eq!(quota.to_string(), "60/min, burst 6");
        let (limit, burst) = (NonZeroU32::MIN, NonZeroU32::MIN);
        let quota = LocalQuota::new(limit, Duration::from_millis(250), burst).unwrap();
        assert_eq!(quota.to_string(), "1/0.25s, burst 1");
    }

    #[test]
    fn errors_say_what_is_accepted() {
        let error = |text: &str| text.parse::<LocalQuota>().unwrap_err().to_string();
        let example = "as in \"100/min\" or \"100/min, burst 20\"";
        assert_eq!(
            error("100"),
            format!("got \"100\" when expecting calls, a slash and a time, {example}")
        );
        for zero in ["0/min", "-1/min", "1.5/min", "/min", "4294967296/min"] {
            assert!(
                error(zero).contains("when expecting a whole number of calls of at least 1"),
                "{zero}"
            );
        }
        assert_eq!(
            error("100/fortnight"),
            format!(
                "got \"fortnight\" when expecting one of s, sec, second, m, min, minute, h, hour, d, day, {example}"
            )
        );
        for bad in [
            "100/min, burst",
            "100/min, burst 0",
            "100/min, 20",
            "100/min, burst20",
            "100/min, burst -1",
            "1/s,",
        ] {
            assert!(
                error(bad).contains("when expecting \"burst\" and a whole number of at least 1"),
                "{bad}"
            );
        }
        for bad in ["1/0s", "1/367d", "1/99999999999999999999999d"] {
            assert!(
                error(bad).contains("when expecting a time above zero and up to 366 days"),
                "{bad}"
            );
        }
        assert!(LocalQuota::new(NonZeroU32::MIN, Duration::ZERO, NonZeroU32::MIN).is_err());
    }
}
