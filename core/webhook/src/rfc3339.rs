//! Times as AWS SNS and PayPal write them: RFC 3339, in UTC (`2026-10-07T03:00:00Z`, with or without a fraction).

/// Unix seconds; the fraction is cut off. `None`: another form, an offset other than `Z`, or no such time.
pub(crate) fn unix_seconds(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(b"T")?;
    let (time, rest) = rest.split_at_checked(8)?;
    let rest = rest.strip_suffix(b"Z")?;
    let fraction_fits = match rest {
        [] => true,
        [b'.', digits @ ..] => {
            (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    let (&[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1], true) =
        (<&[u8; 10]>::try_from(date).ok()?, fraction_fits)
    else {
        return None;
    };
    let &[h0, h1, b':', n0, n1, b':', s0, s1] = <&[u8; 8]>::try_from(time).ok()? else {
        return None;
    };
    let [year, month, day] = [
        number(&[y0, y1, y2, y3])?,
        number(&[m0, m1])?,
        number(&[d0, d1])?,
    ];
    let [hour, minute, second] = [number(&[h0, h1])?, number(&[n0, n1])?, number(&[s0, s1])?];
    let real = year >= 1970
        && (1..=12).contains(&month)
        && (1..=days_in(month, year)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    real.then(|| ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 on, in the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days =
        (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let months: i64 = (1..month).map(|month| days_in(month, year)).sum();
    (year - 1970) * 365 + leap_days + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2012-04-26T20:45:04.751Z", 1_335_473_104),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2016-02-18T20:01:35Z", 1_455_825_695),
            ("2100-03-01T00:00:00.123456789Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(unix_seconds(text.as_bytes()), Some(expected), "{text}");
        }
        // Each day of 130 years follows the one before.
        let mut expected = 0;
        for year in 1970..2100 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let text = format!("{year}-{month:02}-{day:02}T00:00:00Z");
                    if let Some(seconds) = unix_seconds(text.as_bytes()) {
                        assert_eq!(seconds, expected, "{text}");
                        expected += 86_400;
                    }
                }
            }
        }
        assert_eq!(expected, 4_102_444_800);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2016",
            "2016-02-18",
            "2016-02-18T20:01:35",
            "2016-02-18T20:01:35+00:00",
            "2016-02-18t20:01:35z",
            "2016-02-18 20:01:35Z",
            "2016-02-30T00:00:00Z",
            "2015-02-29T00:00:00Z",
            "2016-13-01T00:00:00Z",
            "2016-00-01T00:00:00Z",
            "2016-01-00T00:00:00Z",
            "2016-01-01T24:00:00Z",
            "2016-01-01T00:60:00Z",
            "2016-01-01T00:00:60Z",
            "2016-01-01T00:00:00.Z",
            "2016-01-01T00:00:00.1234567890Z",
            "2016-01-01T00:00:00.1x3Z",
            "1969-12-31T23:59:59Z",
            "+016-01-01T00:00:00Z",
            "2016-01-01T00:00:00ZZ",
            " 2016-01-01T00:00:00Z",
            "２016-01-01T00:00:00Z",
            "2016-01-01T00:0o:00Z",
        ] {
            assert_eq!(unix_seconds(text.as_bytes()), None, "{text}");
        }
    }
}
