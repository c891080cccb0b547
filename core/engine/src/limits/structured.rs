//! Reads `RateLimit` and `RateLimit-Policy` as structured fields (RFC 9651): lists of policies as in
//! draft-ietf-httpapi-ratelimit-headers-10, or the dictionary of draft -07.
//!
//! Parsed by visitors, so that nothing is allocated but the readings themselves.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ListVisitor,
    ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::plain::List;
use super::{MAX_POLICIES, Reading, Scope, Unit};

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What a policy's name may be long; it is shown to people and kept with each gate.
const LONGEST_NAME: usize = 64;
/// What a partition key may be long.
pub(super) const LONGEST_KEY: usize = 256;

/// The policies of `RateLimit`, completed from `RateLimit-Policy`. Empty where either breaks the grammar.
pub(super) fn read_list(headers: &HeaderMap, lines: Lines<'_>) -> Vec<Reading> {
    read_plain_list(lines).unwrap_or_else(|| read_any_list(headers))
}

/// As [`read_list`], where both headers are of the plain form (`plain.rs`).
pub(super) fn read_plain_list(lines: Lines<'_>) -> Option<Vec<Reading>> {
    if lines.several {
        return None;
    }
    let (mut left, mut policies) = (List::default(), List::default());
    left.read(lines.left?.as_bytes())?;
    if let Some(line) = lines.policies {
        policies.read(line.as_bytes())?;
    }
    let readings = left.iter().filter_map(|item| {
        let policy = policies.iter().find(|policy| policy.name == item.name);
        Some(Reading {
            policy: Cow::Owned(shortened(item.name).to_owned()),
            limit: policy.and_then(|policy| policy.q),
            window: policy.and_then(|policy| policy.w).map(Duration::from_secs),
            remaining: Some(item.r?),
            reset_after: item.t.map(Duration::from_secs),
            reset_at: None,
            unit: Unit::Requests,
            partition_key: None,
            scope: Scope::Credential,
        })
    });
    Some(readings.collect())
}

/// The lines of `RateLimit` and `RateLimit-Policy`, found on the way over all headers.
#[derive(Clone, Copy, Default)]
pub(super) struct Lines<'h> {
    pub(super) left: Option<&'h HeaderValue>,
    pub(super) policies: Option<&'h HeaderValue>,
    /// One of them is spread over several lines.
    pub(super) several: bool,
}

/// As [`read_list`], whatever RFC 9651 allows.
pub(super) fn read_any_list(headers: &HeaderMap) -> Vec<Reading> {
    let left = items(headers, &RATELIMIT).unwrap_or_default();
    let policies = items(headers, &RATELIMIT_POLICY).unwrap_or_default();
    let mut readings = Vec::with_capacity(left.len());
    for item in left {
        let (Some(name), Some(remaining), true) = (&item.name, item.r, item.valid) else {
            continue;
        };
        let same_name = |policy: &&Item<'_>| policy.valid && policy.name.as_deref() == Some(name);
        // A policy says its partition key on either header, or on both; where both do they must agree.
        let policy = policies
            .iter()
            .filter(same_name)
            .find(|policy| policy.pk.is_none() || item.pk.is_none() || policy.pk == item.pk);
        let unit = policy.map_or(item.unit, |policy| policy.unit);
        readings.push(Reading {
            policy: Cow::Owned(shortened(name).to_owned()),
            limit: policy.and_then(|policy| policy.q),
            window: policy.and_then(|policy| policy.w).map(Duration::from_secs),
            remaining: Some(remaining),
            reset_after: item.t.map(Duration::from_secs),
            reset_at: None,
            unit,
            partition_key: item
                .pk
                .or_else(|| policy.and_then(|policy| policy.pk.clone())),
            scope: Scope::Credential,
        });
    }
    // How many calls may be under way is told by the policy itself; nothing of it runs out with time.
    let concurrency = |policy: &&Item<'_>| {
        policy.valid && policy.unit == Unit::ConcurrentRequests && policy.q.is_some()
    };
    for policy in policies.iter().filter(concurrency) {
        let Some(name) = policy.name.as_deref().map(shortened) else {
            continue;
        };
        let known = |reading: &Reading| {
            reading.policy == name && (policy.pk.is_none() || reading.partition_key == policy.pk)
        };
        if readings.len() < MAX_POLICIES && !readings.iter().any(known) {
            readings.push(Reading {
                policy: Cow::Owned(name.to_owned()),
                partition_key: policy.pk.clone(),
                scope: Scope::Credential,
                limit: policy.q,
                window: None,
                remaining: None,
                reset_after: None,
                reset_at: None,
                unit: Unit::ConcurrentRequests,
            });
        }
    }
    readings
}

fn shortened(name: &str) -> &str {
    // Strings of structured fields are ASCII, so that every index is a boundary.
    name.get(..LONGEST_NAME).unwrap_or(name)
}

/// The one policy of a draft -07 dictionary.
pub(super) fn read_dictionary(headers: &HeaderMap) -> Vec<Reading> {
    let mut fields = Fields::default();
    for value in headers.get_all(&RATELIMIT) {
        if Parser::new(value.as_bytes())
            .parse_dictionary_with_visitor(&mut fields)
            .is_err()
        {
            return Vec::new();
        }
    }
    if fields.remaining.is_none() {
        return Vec::new();
    }
    vec![Reading {
        policy: Cow::Borrowed("default"),
        partition_key: None,
        scope: Scope::Credential,
        limit: fields.limit,
        window: fields.limit.and_then(|limit| window_of(headers, limit)),
        remaining: fields.remaining,
        reset_after: fields.reset.map(Duration::from_secs),
        reset_at: None,
        unit: Unit::Requests,
    }]
}

/// The window of the quota `limit` in a `RateLimit-Policy` of drafts -02 to -07: `10;w=1, 50;w=60`.
pub(super) fn window_of(headers: &HeaderMap, limit: u64) -> Option<Duration> {
    let policies = items(headers, &RATELIMIT_POLICY)?;
    let policy = policies
        .iter()
        .find(|policy| policy.valid && policy.number == Some(limit))?;
    policy.w.map(Duration::from_secs)
}

/// The window of the quota `limit` in a `RateLimit-Limit` that lists its policies: `10, 10;w=1, 50;w=60`.
pub(super) fn window_in(value: &[u8], limit: u64) -> Option<Duration> {
    let mut items = Items::default();
    Parser::new(value)
        .parse_list_with_visitor(&mut items)
        .ok()?;
    let policy = items
        .0
        .iter()
        .find(|policy| policy.valid && policy.number == Some(limit) && policy.w.is_some())?;
    policy.w.map(Duration::from_secs)
}

/// All items of a list that may be spread over several lines. `None` where a line breaks the grammar (RFC 9651,
/// section 4.2: the whole field is then ignored) or there is no line.
fn items<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Vec<Item<'h>>> {
    let mut items = Items::default();
    for value in headers.get_all(name) {
        Parser::new(value.as_bytes())
            .parse_list_with_visitor(&mut items)
            .ok()?;
    }
    if items.0.is_empty() {
        None
    } else {
        Some(items.0)
    }
}

/// One list member with the parameters of either header.
struct Item<'h> {
    /// A policy's name, a string (or token) since draft -08.
    name: Option<Cow<'h, str>>,
    /// A quota, where the member is a number as in the drafts before.
    number: Option<u64>,
    q: Option<u64>,
    w: Option<u64>,
    r: Option<u64>,
    t: Option<u64>,
    unit: Unit,
    pk: Option<Box<[u8]>>,
    /// Every parameter that is known had the type and range it must have.
    valid: bool,
}

#[derive(Default)]
struct Items<'h>(Vec<Item<'h>>);

impl<'h> ListVisitor<'h> for &mut Items<'h> {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self) -> Result<impl EntryVisitor<'h>, Infallible> {
        if self.0.len() >= MAX_POLICIES {
            return Ok(None);
        }
        if self.0.is_empty() {
            self.0.reserve(2);
        }
        self.0.push(Item {
            name: None,
            number: None,
            q: None,
            w: None,
            r: None,
            t: None,
            unit: Unit::Requests,
            pk: None,
            valid: true,
        });
        Ok(self.0.last_mut())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<'h> EntryVisitor<'h> for &mut Item<'h> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'h>, Infallible> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'h>, Infallible> {
        self.valid = false;
        Ok(Ignored)
    }
}

impl<'h> ItemVisitor<'h> for &mut Item<'h> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(
        self,
        value: BareItemFromInput<'h>,
    ) -> Result<impl ParameterVisitor<'h, Out = Self::Out>, Infallible> {
        match value {
            BareItemFromInput::String(Cow::Borrowed(name)) => {
                self.name = Some(Cow::Borrowed(name.as_str()))
            }
            BareItemFromInput::String(Cow::Owned(name)) => {
                self.name = Some(Cow::Owned(name.as_str().to_owned()))
            }
            BareItemFromInput::Token(name) => self.name = Some(Cow::Borrowed(name.as_str())),
            BareItemFromInput::Integer(number) => self.number = u64::try_from(number).ok(),
            _ => self.valid = false,
        }
        Ok(self)
    }
}

impl<'h> ParameterVisitor<'h> for &mut Item<'h> {
    type Out = ();
    type Error = Infallible;

    fn parameter(
        &mut self,
        key: &'h KeyRef,
        value: BareItemFromInput<'h>,
    ) -> Result<(), Infallible> {
        let slot = match key.as_str() {
            "q" => &mut self.q,
            // `window` is what the first drafts called it.
            "w" | "window" => &mut self.w,
            "r" => &mut self.r,
            "t" => &mut self.t,
            "qu" => {
                self.unit = match value {
                    BareItemFromInput::String(unit) => unit_named(unit.as_str()),
                    BareItemFromInput::Token(unit) => unit_named(unit.as_str()),
                    _ => Unit::Other,
                };
                return Ok(());
            }
            "pk" => {
                let key: Box<[u8]> = match value {
                    BareItemFromInput::ByteSequence(bytes) => bytes.into(),
                    BareItemFromInput::String(text) => text.as_str().as_bytes().into(),
                    BareItemFromInput::Token(text) => text.as_str().as_bytes().into(),
                    _ => return Ok(()),
                };
                self.valid &= key.len() <= LONGEST_KEY;
                self.pk = Some(key);
                return Ok(());
            }
            _ => return Ok(()),
        };
        match non_negative(&value) {
            Some(number) => *slot = Some(number),
            None => self.valid = false,
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn non_negative(value: &BareItemFromInput<'_>) -> Option<u64> {
    value
        .as_integer()
        .and_then(|number| u64::try_from(number).ok())
}

fn unit_named(name: &str) -> Unit {
    match name {
        "requests" => Unit::Requests,
        "content-bytes" => Unit::ContentBytes,
        "concurrent-requests" => Unit::ConcurrentRequests,
        "tokens" => Unit::Tokens,
        _ => Unit::Other,
    }
}

/// The members of a draft -07 dictionary.
#[derive(Default)]
struct Fields {
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<u64>,
}

/// Where one dictionary member goes.
struct Field<'a>(&'a mut Option<u64>);

impl<'h> DictionaryVisitor<'h> for &mut Fields {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self, key: &'h KeyRef) -> Result<impl EntryVisitor<'h>, Infallible> {
        Ok(match key.as_str() {
            "limit" => Some(Field(&mut self.limit)),
            "remaining" => Some(Field(&mut self.remaining)),
            "reset" => Some(Field(&mut self.reset)),
            _ => None,
        })
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<'h> EntryVisitor<'h> for Field<'_> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'h>, Infallible> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'h>, Infallible> {
        *self.0 = None;
        Ok(Ignored)
    }
}

impl<'h> ItemVisitor<'h> for Field<'_> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(
        self,
        value: BareItemFromInput<'h>,
    ) -> Result<impl ParameterVisitor<'h, Out = Self::Out>, Infallible> {
        *self.0 = non_negative(&value);
        Ok(Ignored)
    }
}
