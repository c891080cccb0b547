//! The private HTTP cache (RFC 9111) as pure decisions: what may be stored, how long it is fresh, when it has to be
//! validated, what invalidates it. The driver is `gatewright::cache`; times are handed in.
//!
//! How a GET is answered; each row is shown by the test in its last column.
//!
//! | Stored | Asked | Answered | Test |
//! |---|---|---|---|
//! | nothing | | by the server; stored where it may be | `storable::tests::what_may_be_stored` |
//! | fresh | | from the cache, `hit` | `stored::tests::fresh_until_its_lifetime_is_over` |
//! | stale | | by the server with `If-None-Match`; 304: from the cache, `revalidated` | `stored::tests::a_304_renews_headers_but_not_the_body` |
//! | stale, within `stale-while-revalidate` | | from the cache, `stale`; validated behind it | `stored::tests::stale_while_revalidate` |
//! | stale, `must-revalidate` or `no-cache` | anything but force | never unvalidated | `stored::tests::what_must_be_validated_is` |
//! | any | `no-cache`, `max-age`, `min-fresh`, `max-stale` | as the request says | `stored::tests::requests_say_what_they_take` |
//! | stale, within `stale-if-error` | the server fails | from the cache, `stale` | `stored::tests::stale_if_error` |
//! | of another credential, or another variant | | by the server | `store::tests::credentials_and_variants_do_not_mix` |

mod directives;
mod freshness;
mod invalidation;
mod key;
mod mode;
mod storable;
mod store;
mod stored;
mod vary;

pub use directives::{Directives, parse};
pub use freshness::{initial_age, lifetime};
pub use invalidation::invalidated;
pub use key::{Key, Partitions};
pub use mode::{CacheMode, CacheState, CacheStatus};
pub use storable::{Arrival, Rules, is_safe, passes_by, renew, to_store};
pub use store::{Found, Store, Tick};
pub use stored::{Stored, Use};
pub use vary::Selecting;
