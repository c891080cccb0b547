//! OAuth 2 (RFC 6749) as decisions: what goes into each request, what an answer means, when to ask again. No I/O.
//!
//! | File | What is in it |
//! |---|---|
//! | `pkce.rs` | the proof key of a login (RFC 7636, S256 only) |
//! | `authorization.rs` | the URL to which a user is sent, and what comes back by redirect (`state`, `iss`) |
//! | `form.rs` | requests to the token endpoint, and how a client proves who it is there |
//! | `answer.rs` | the token endpoint's answers |
//! | `token_set.rs` | what a token store keeps, and whether it still serves |
//! | `device.rs` | logging in on another device (RFC 8628) |
//! | `discovery.rs` | a server's metadata (RFC 8414, OpenID Connect Discovery) |
//! | `repeat.rs` | which requests may be sent again |
//! | `error.rs` | what can go wrong, without secrets |
//!
//! The driver is `core/src/oauth/`.

mod answer;
mod authorization;
mod device;
mod discovery;
mod error;
mod form;
mod pkce;
mod repeat;
mod token_set;

pub use answer::{read_revocation, read_tokens};
pub use authorization::{AuthorizationRequest, ExpectedRedirect, PushBack, read_redirect};
pub use device::{DeviceAuthorization, DevicePoll, DeviceStep, read_device_authorization};
pub use discovery::{Metadata, check_endpoint, metadata_urls, read_metadata};
pub use error::{OAuthError, OAuthErrorKind};
pub use form::{ClientProof, Form, basic_header};
pub use pkce::{Pkce, random_text};
pub use repeat::{Outcome, Repeatable, judge_outcome};
pub use token_set::{Choice, TokenSet, TokenSetError, choose};
