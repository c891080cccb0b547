//! Test doubles: a clock that is advanced instead of waited for, and transports that answer what a test says.
//!
//! ```
//! use gatewright::testing::{Scripted, VirtualClock, answer};
//! use gatewright::Client;
//!
//! let clock = VirtualClock::new(7);
//! let transport = Scripted::new([answer(503), answer(200)]);
//! let client = Client::builder("https://api.example.com")
//!     .runtime(clock.clone())
//!     .transport(transport.clone())
//!     .build()
//!     .unwrap();
//! // No real time passes: the clock jumps over the wait before the second attempt.
//! let response = clock.block_on(client.get("/v1/contacts").send()).unwrap();
//! assert_eq!((response.status().as_u16(), transport.requests().len()), (200, 2));
//! ```

mod never;
mod scripted;
mod virtual_clock;

pub use never::Never;
pub use scripted::{Scripted, Seen, answer, answer_with, failure};
pub use virtual_clock::VirtualClock;
