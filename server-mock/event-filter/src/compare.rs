//! When two values of JSON are equal, and which is less: numbers exactly, texts by code points, everything else only if equal.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::evaluate::{TooMuchWork, Work};

/// Two to the 64th: every whole number that is no float lies below.
const ABOVE_WHOLE: f64 = 18_446_744_073_709_551_616.0;
/// Minus two to the 63rd.
const LEAST_WHOLE: f64 = -9_223_372_036_854_775_808.0;

/// Whether both are the same; `1` and `1.0` are.
pub(crate) fn equal(a: &Value, b: &Value, work: &mut Work) -> Result<bool, TooMuchWork> {
    work.spend(1)?;
    Ok(match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => order_numbers(a, b) == Some(Ordering::Equal),
        (Value::String(a), Value::String(b)) => {
            work.spend(a.len().min(b.len()) / 64)?;
            a == b
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b) {
                if !equal(a, b, work)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (name, a) in a {
                match b.get(name) {
                    Some(b) if equal(a, b, work)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => false,
    })
}

/// Which comes first, of two numbers or two texts; of others none does.
pub(crate) fn order(
    a: &Value,
    b: &Value,
    work: &mut Work,
) -> Result<Option<Ordering>, TooMuchWork> {
    work.spend(1)?;
    Ok(match (a, b) {
        (Value::Number(a), Value::Number(b)) => order_numbers(a, b),
        (Value::String(a), Value::String(b)) => {
            work.spend(a.len().min(b.len()) / 64)?;
            Some(a.cmp(b))
        }
        _ => None,
    })
}

fn order_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => order_mixed(a, b.as_f64()?),
        (None, Some(b)) => order_mixed(b, a.as_f64()?).map(Ordering::reverse),
        (None, None) => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

/// Without rounding the whole number to a float: above 2^53 that would make neighbours equal.
fn order_mixed(whole: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let floor = float.floor();
    if floor >= ABOVE_WHOLE {
        return Some(Ordering::Less);
    }
    if floor < LEAST_WHOLE {
        return Some(Ordering::Greater);
    }
    let order = whole.cmp(&(floor as i128));
    Some(order.then(if float > floor {
        Ordering::Less
    } else {
        Ordering::Equal
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ordered(a: Value, b: Value) -> Option<Ordering> {
        order(&a, &b, &mut Work::default()).unwrap()
    }

    #[test]
    fn large_numbers_are_compared_without_rounding() {
        use Ordering::{Equal, Greater, Less};
        let past = json!(9_007_199_254_740_993_u64);
        assert_eq!(
            ordered(past.clone(), json!(9_007_199_254_740_992.0)),
            Some(Greater)
        );
        assert_eq!(ordered(json!(9_007_199_254_740_992.0), past), Some(Less));
        assert_eq!(ordered(json!(u64::MAX), json!(1e20)), Some(Less));
        assert_eq!(ordered(json!(i64::MIN), json!(-1e20)), Some(Greater));
        assert_eq!(ordered(json!(i64::MIN), json!(LEAST_WHOLE)), Some(Equal));
        assert_eq!(ordered(json!(u64::MAX), json!(ABOVE_WHOLE)), Some(Less));
        assert_eq!(ordered(json!(-1), json!(-0.5)), Some(Less));
        assert_eq!(ordered(json!(0), json!(-0.5)), Some(Greater));
        assert_eq!(ordered(json!(1), json!(1.0)), Some(Equal));
    }

    #[test]
    fn what_is_of_different_kinds_is_neither_equal_nor_ordered() {
        let kinds = [
            json!(null),
            json!(1),
            json!("1"),
            json!(true),
            json!([1]),
            json!({"a": 1}),
        ];
        for (n, a) in kinds.iter().enumerate() {
            for (m, b) in kinds.iter().enumerate() {
                let same = equal(a, b, &mut Work::default()).unwrap();
                assert_eq!(same, n == m, "{a} {b}");
                if n != m {
                    assert_eq!(ordered(a.clone(), b.clone()), None, "{a} {b}");
                }
            }
        }
    }
}
