//! One validation of a stored answer at a time, shared by all calls that need it.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | none | [`Flights::board`] | in the air, one seat |
//! | in the air | [`Flights::board`] | in the air, one seat more |
//! | in the air | whoever drove it is dropped, others have seats | in the air: the others are woken, and one of them drives on |
//! | in the air | the last seat is dropped | none: the request is ended |
//! | in the air | it lands | none; all seats get what came |

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;

use super::validation::Landed;
use crate::runtime::BoxFuture;

type Flight = Shared<BoxFuture<'static, Arc<Landed>>>;

/// The validations that are under way, by the number of the stored answer.
#[derive(Default)]
pub(super) struct Flights(Mutex<InAir>);

#[derive(Default)]
struct InAir {
    flights: BTreeMap<u64, Entry>,
    last: u64,
}

struct Entry {
    /// Its own number: an answer may be validated again after a validation that failed.
    flight_number: u64,
    flight: Flight,
    seats: usize,
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flights")
    }
}

/// A part in a validation. While there is one, it goes on.
pub(super) struct Seat {
    flights: Arc<Flights>,
    stored: u64,
    flight_number: u64,
    flight: Flight,
}

impl Flights {
    fn in_air(&self) -> MutexGuard<'_, InAir> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat in the validation of the stored answer of this number, and whether it is the first: then `make` made it.
    pub(super) fn board(
        self: &Arc<Self>,
        stored: u64,
        make: impl FnOnce() -> BoxFuture<'static, Landed>,
    ) -> (Seat, bool) {
        let mut in_air = self.in_air();
        if let Some(entry) = in_air.flights.get_mut(&stored) {
            entry.seats += 1;
            let seat = Seat {
                flights: Arc::clone(self),
                stored,
                flight_number: entry.flight_number,
                flight: entry.flight.clone(),
            };
            return (seat, false);
        }
        in_air.last += 1;
        let flight_number = in_air.last;
        let (validation, flights) = (make(), Arc::downgrade(self));
        let flying: BoxFuture<'static, Arc<Landed>> = Box::pin(async move {
            let landed = Arc::new(validation.await);
            // Whoever comes from here on finds what is stored now.
            if let Some(flights) = flights.upgrade() {
                drop(flights.take(stored, flight_number));
            }
            landed
        });
        let flight = flying.shared();
        in_air.flights.insert(
            stored,
            Entry {
                flight_number,
                flight: flight.clone(),
                seats: 1,
            },
        );
        let seat = Seat {
            flights: Arc::clone(self),
            stored,
            flight_number,
            flight,
        };
        (seat, true)
    }

    /// Takes a flight out. To be dropped outside of the lock: it may be the request itself.
    fn take(&self, stored: u64, flight_number: u64) -> Option<Entry> {
        let mut in_air = self.in_air();
        match in_air.flights.get(&stored) {
            Some(entry) if entry.flight_number == flight_number => in_air.flights.remove(&stored),
            _ => None,
        }
    }
}

impl Seat {
    /// What comes of it.
    pub(super) fn landing(&self) -> impl Future<Output = Arc<Landed>> + Send + use<> {
        self.flight.clone()
    }

    /// Another seat beside this one.
    pub(super) fn another(&self) -> Self {
        let mut in_air = self.flights.in_air();
        if let Some(entry) = in_air.flights.get_mut(&self.stored)
            && entry.flight_number == self.flight_number
        {
            entry.seats += 1;
        }
        Self {
            flights: Arc::clone(&self.flights),
            stored: self.stored,
            flight_number: self.flight_number,
            flight: self.flight.clone(),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut in_air = self.flights.in_air();
        let Some(entry) = in_air.flights.get_mut(&self.stored) else {
            return;
        };
        if entry.flight_number != self.flight_number {
            return;
        }
        entry.seats -= 1;
        let gone = if entry.seats == 0 {
            in_air.flights.remove(&self.stored)
        } else {
            None
        };
        drop(in_air);
        drop(gone);
    }
}
