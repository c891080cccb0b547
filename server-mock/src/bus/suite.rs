//! What every bus must do: one suite of claims, which each implementation passes. A claim gets a place where a bus can be
//! opened, more than once where it is kept outside of the process.
//!
//! Leases that have to end are short, all others long, and claims about time say only "not before": they hold on a busy
//! machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::address::Address;
use super::link::Reach;
use super::{Bus, BusError, Lease, Message, Order, Published, Topic};

#[path = "../../tests/bus/broker.rs"]
mod broker;

use broker::{Broker, Kind};

/// A lease that is to end.
const LEASE: Duration = Duration::from_millis(300);
/// Long enough for anything on any machine.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(30);

/// Where a bus is.
struct Place {
    address: Address,
    folder: Option<PathBuf>,
    broker: Option<Broker>,
}

impl Place {
    fn memory() -> Option<Self> {
        Some(Self {
            address: Address::Memory,
            folder: None,
            broker: None,
        })
    }

    fn sqlite() -> Option<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gatewright-bus-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // What another run may have left.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Some(Self {
            address: Address::File(folder.join("bus")),
            folder: Some(folder),
            broker: None,
        })
    }

    #[cfg(feature = "nats")]
    fn nats() -> Option<Self> {
        Self::at(Broker::start(Kind::Nats)?)
    }

    #[cfg(feature = "redis")]
    fn redis() -> Option<Self> {
        Self::at(Broker::start(Kind::Redis)?)
    }

    fn at(broker: Broker) -> Option<Self> {
        Some(Self {
            address: Address::parse(&broker.url(), None).unwrap(),
            folder: None,
            broker: Some(broker),
        })
    }

    fn open(&self) -> Arc<dyn Bus> {
        self.address.open("suite").unwrap()
    }

    /// The same, once it answers: on a busy machine a broker may be late, which is told as away.
    async fn reached(&self) -> Arc<dyn Bus> {
        let bus = self.open();
        let topic = Topic {
            name: "first".into(),
            ..topic(&["a"])
        };
        let until = Instant::now() + LONG;
        while let Err(BusError::Away(why)) = bus.take(&topic, "a", 1, Duration::ZERO).await {
            assert!(Instant::now() < until, "{why}");
        }
        bus
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn topic(groups: &[&str]) -> Topic {
    Topic {
        name: "jobs".into(),
        groups: groups.iter().map(|group| (*group).into()).collect(),
        lease: LONG,
        most: 1_000,
    }
}

/// The same with leases that end soon.
fn forgetful(lease: Duration) -> Topic {
    Topic {
        lease,
        ..topic(&["a"])
    }
}

fn message(id: impl ToString) -> Message {
    let id = id.to_string();
    Message {
        payload: Bytes::from(format!("payload of {id}")),
        id,
        key: None,
    }
}

/// What is there to take; nothing where the broker was late, which is told as away.
async fn taken(
    bus: &dyn Bus,
    topic: &Topic,
    group: &str,
    most: usize,
    wait: Duration,
) -> Vec<Lease> {
    match bus.take(topic, group, most, wait).await {
        Err(BusError::Away(_)) => Vec::new(),
        taken => taken.unwrap(),
    }
}

async fn one(bus: &dyn Bus, topic: &Topic, group: &str) -> Lease {
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        let mut taken = taken(bus, topic, group, 1, LONG).await;
        if let Some(lease) = taken.pop() {
            return lease;
        }
    }
    panic!("nothing came");
}

async fn nothing(bus: &dyn Bus, topic: &Topic, group: &str) {
    let taken = bus.take(topic, group, 10, SHORT).await.unwrap();
    assert!(taken.is_empty(), "{taken:?}");
}

/// Ends a claim about what happens within a lease, where the machine was too busy to do it in that time.
macro_rules! within {
    ($lease:expr, $begun:expr) => {
        if $begun.elapsed() >= $lease {
            eprintln!("too slow to say: the lease has ended meanwhile");
            return;
        }
    };
}

/// Takes and acknowledges what is there, again where a short lease has ended meanwhile.
async fn take_and_acknowledge(bus: &dyn Bus, topic: &Topic) {
    while one(bus, topic, "a").await.held.ack().await == Err(BusError::LeaseLost) {}
}

async fn every_group_gets_every_message_with_all_it_has(place: Place) {
    let bus = place.reached().await;
    let topic = topic(&["a", "b"]);
    let sent = Message {
        key: Some("tenant/1".into()),
        payload: Bytes::from_static(b"\0\xff\r\n bytes"),
        ..message("m-1")
    };
    assert_eq!(
        bus.publish(&topic, sent.clone()).await,
        Ok(Published::Stored)
    );
    for group in ["a", "b"] {
        let lease = one(&*bus, &topic, group).await;
        assert_eq!((&lease.message, lease.taken), (&sent, 1));
        lease.held.ack().await.unwrap();
        nothing(&*bus, &topic, group).await;
    }
}

async fn the_second_of_one_id_is_a_duplicate_even_when_the_first_is_done(place: Place) {
    let bus = place.reached().await;
    let topic = topic(&["a"]);
    let publish = || bus.publish(&topic, message("same"));
    assert_eq!(publish().await, Ok(Published::Stored));
    assert_eq!(publish().await, Ok(Published::Duplicate));
    one(&*bus, &topic, "a").await.held.ack().await.unwrap();
    assert_eq!(publish().await, Ok(Published::Duplicate));
    nothing(&*bus, &topic, "a").await;
}

async fn what_nobody_acknowledges_is_handed_out_again_and_counted(place: Place) {
    let bus = place.reached().await;
    let topic = forgetful(LEASE);
    bus.publish(&topic, message(1)).await.unwrap();
    let begun = Instant::now();
    let first = one(&*bus, &topic, "a").await;
    for expected in 2..4 {
        let again = one(&*bus, &topic, "a").await;
        assert_eq!((again.message.id.as_str(), again.taken), ("1", expected));
    }
    // 10 ms for clocks that count whole milliseconds.
    assert!(begun.elapsed() + Duration::from_millis(10) >= LEASE * 2);
    // The first holder is told; NATS takes it from anybody who ever had it.
    let late = first.held.ack().await;
    if !matches!(place.broker, Some(ref broker) if broker.url().starts_with("nats")) {
        assert_eq!(late, Err(BusError::LeaseLost));
        take_and_acknowledge(&*bus, &topic).await;
    }
    nothing(&*bus, &topic, "a").await;
}

async fn what_is_refused_comes_again_after_its_delay_and_not_before(place: Place) {
    let bus = place.reached().await;
    let topic = topic(&["a"]);
    bus.publish(&topic, message(1)).await.unwrap();
    let delay = Duration::from_millis(600);
    let first = one(&*bus, &topic, "a").await;
    let begun = Instant::now();
    first.held.nack(delay).await.unwrap();
    let again = one(&*bus, &topic, "a").await;
    assert!(
        begun.elapsed() + Duration::from_millis(10) >= delay,
        "{:?}",
        begun.elapsed()
    );
    assert_eq!((again.taken, again.message), (2, message(1)));
    again.held.nack(Duration::ZERO).await.unwrap();
    let last = one(&*bus, &topic, "a").await;
    assert_eq!(last.taken, 3);
    last.held.ack().await.unwrap();
    nothing(&*bus, &topic, "a").await;
}

async fn a_lease_that_is_extended_goes_on(place: Place) {
    let bus = place.reached().await;
    let topic = forgetful(LEASE * 10);
    bus.publish(&topic, message(1)).await.unwrap();
    let mut begun = Instant::now();
    let lease = one(&*bus, &topic, "a").await;
    // Longer than one lease in all.
    for _ in 0..7 {
        tokio::time::sleep(topic.lease / 5).await;
        let taken = bus.take(&topic, "a", 10, SHORT).await.unwrap();
        within!(topic.lease, begun);
        assert!(taken.is_empty(), "{taken:?}");
        let again = Instant::now();
        let extended = lease.held.extend().await;
        within!(topic.lease, begun);
        extended.unwrap();
        begun = again;
    }
    let done = lease.held.ack().await;
    within!(topic.lease, begun);
    done.unwrap();
    nothing(&*bus, &topic, "a").await;
}

async fn a_topic_holds_as_many_as_it_may_and_refuses_more(place: Place) {
    let bus = place.reached().await;
    let topic = Topic {
        most: 5,
        ..topic(&["a"])
    };
    for n in 0..5 {
        bus.publish(&topic, message(n)).await.unwrap();
    }
    let full = BusError::Full {
        topic: "jobs".into(),
        most: 5,
    };
    assert_eq!(
        bus.publish(&topic, message("more")).await,
        Err(full.clone())
    );
    // What waits for its delay is still held.
    one(&*bus, &topic, "a").await.held.nack(LONG).await.unwrap();
    assert_eq!(bus.publish(&topic, message("more")).await, Err(full));
    one(&*bus, &topic, "a").await.held.ack().await.unwrap();
    let until = Instant::now() + LONG;
    // One that was refused is no duplicate.
    while bus.publish(&topic, message("more")).await != Ok(Published::Stored) {
        assert!(Instant::now() < until, "there is no room again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn messages_of_a_key_are_in_order(place: Place) {
    let bus = place.reached().await;
    let topic = topic(&["a"]);
    let keys = ["x", "y", "z"];
    for n in 0..30 {
        let message = Message {
            key: Some(keys[n % 3].into()),
            ..message(n)
        };
        bus.publish(&topic, message).await.unwrap();
    }
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut refused = false;
    while seen.values().map(Vec::len).sum::<usize>() < 30 {
        let leases = taken(&*bus, &topic, "a", 7, LONG).await;
        if bus.order() == Order::PerKey {
            let keys: BTreeSet<_> = leases.iter().map(|lease| &lease.message.key).collect();
            assert_eq!(keys.len(), leases.len(), "two of one key at once");
        }
        for lease in leases {
            let key = lease.message.key.clone().unwrap();
            // One that is put off holds up those behind it, where the bus keeps the order.
            if key == "y" && !refused && bus.order() == Order::PerKey {
                refused = true;
                lease.held.nack(Duration::from_millis(50)).await.unwrap();
                continue;
            }
            if lease.taken == 1 || refused {
                let numbers = seen.entry(key).or_default();
                let number = lease.message.id.parse().unwrap();
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            let _ = lease.held.ack().await;
        }
    }
    for numbers in seen.values() {
        assert!(numbers.is_sorted(), "{seen:?}");
    }
}

async fn consumers_of_a_group_share_the_work(place: Place) {
    let bus = place.reached().await;
    let topic = topic(&["a"]);
    let done = Arc::new(AtomicU64::new(0));
    for n in 0..200 {
        bus.publish(&topic, message(n)).await.unwrap();
    }
    let consumer = || {
        let (bus, topic) = (place_of(&bus), topic.clone());
        let done = Arc::clone(&done);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            let until = Instant::now() + LONG;
            while done.load(Ordering::SeqCst) < 200 && Instant::now() < until {
                for lease in taken(&*bus, &topic, "a", 10, SHORT).await {
                    mine.push(lease.message.id.clone());
                    lease.held.ack().await.unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                }
            }
            mine
        })
    };
    let (first, second, third) = (consumer(), consumer(), consumer());
    let mut all = first.await.unwrap();
    all.extend(second.await.unwrap());
    all.extend(third.await.unwrap());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 200);
    assert_eq!(all.len(), 200, "some were handed out twice");
    nothing(&*bus, &topic, "a").await;
}

fn place_of(bus: &Arc<dyn Bus>) -> Arc<dyn Bus> {
    Arc::clone(bus)
}

async fn consumers_that_die_lose_nothing(place: Place) {
    let bus = place.reached().await;
    let topic = forgetful(LEASE);
    for n in 0..100 {
        bus.publish(&topic, message(n)).await.unwrap();
    }
    let mut done = BTreeSet::new();
    let mut turn = 0_u64;
    let until = Instant::now() + LONG * 2;
    while done.len() < 100 {
        assert!(Instant::now() < until, "{} of 100", done.len());
        // Every consumer dies with what it has; a third of what it took is done by then.
        let consumer = if place.address == Address::Memory {
            place_of(&bus)
        } else {
            place.reached().await
        };
        for lease in taken(&*consumer, &topic, "a", 30, LEASE).await {
            turn += 1;
            if turn.is_multiple_of(3) && lease.held.ack().await.is_ok() {
                assert!(
                    done.insert(lease.message.id),
                    "handed out after it was acknowledged"
                );
            }
        }
    }
    nothing(&*bus, &topic, "a").await;
}

async fn who_waits_is_woken_by_what_is_published(place: Place) {
    let bus = place.reached().await;
    let topic = topic(&["a"]);
    nothing(&*bus, &topic, "a").await;
    let (waiting, asked) = (place_of(&bus), topic.clone());
    let waiter = tokio::spawn(async move {
        let begun = Instant::now();
        let lease = one(&*waiting, &asked, "a").await;
        (lease.message.id, begun.elapsed())
    });
    tokio::time::sleep(SHORT).await;
    // Published by another process, where there can be one.
    let other = if place.address == Address::Memory {
        place_of(&bus)
    } else {
        place.reached().await
    };
    other.publish(&topic, message("late")).await.unwrap();
    let (id, waited) = waiter.await.unwrap();
    assert_eq!(id, "late");
    assert!(waited < LONG / 2, "{waited:?}");
}

async fn what_no_bus_could_take_is_refused(place: Place) {
    let bus = place.reached().await;
    let topic = topic(&["a"]);
    for id in ["", "a b", "\u{e4}", &"x".repeat(257)] {
        let refused = bus.publish(&topic, message(id)).await.unwrap_err();
        assert!(matches!(refused, BusError::Refused(_)), "{id:?}: {refused}");
    }
    let heavy = |bytes: usize| Message {
        payload: vec![b'x'; bytes].into(),
        ..message(format!("of-{bytes}"))
    };
    let most = super::MAX_PAYLOAD_BYTES;
    let refused = bus.publish(&topic, heavy(most + 1)).await.unwrap_err();
    assert!(matches!(refused, BusError::Refused(_)), "{refused}");
    assert_eq!(
        bus.publish(&topic, heavy(most)).await,
        Ok(Published::Stored)
    );
    assert_eq!(one(&*bus, &topic, "a").await.message.payload.len(), most);
}

/// Not for memory.
async fn messages_survive_the_process_that_published_them(place: Place) {
    let topic = topic(&["a"]);
    for n in 0..10 {
        let bus = place.reached().await;
        bus.publish(&topic, message(n)).await.unwrap();
    }
    let bus = place.reached().await;
    assert_eq!(
        bus.publish(&topic, message(3)).await,
        Ok(Published::Duplicate)
    );
    let mut ids = BTreeSet::new();
    while ids.len() < 10 {
        let lease = one(&*bus, &topic, "a").await;
        lease.held.ack().await.unwrap();
        ids.insert(lease.message.id);
    }
    nothing(&*bus, &topic, "a").await;
}

/// For brokers.
async fn a_broker_that_is_killed_and_comes_back_has_lost_nothing(mut place: Place) {
    let bus = place.reached().await;
    let topic = forgetful(LEASE);
    for n in 0..50 {
        bus.publish(&topic, message(n)).await.unwrap();
    }
    take_and_acknowledge(&*bus, &topic).await;
    let held = one(&*bus, &topic, "a").await;
    let before = bus.link().state().outages;
    place.broker.as_mut().unwrap().kill();
    let away = bus
        .publish(&topic, message("while-away"))
        .await
        .unwrap_err();
    assert!(matches!(away, BusError::Away(_)), "{away}");
    assert_eq!(bus.link().state().reach, Reach::Away);
    assert!(matches!(held.held.ack().await, Err(BusError::Away(_))));
    place.broker.as_mut().unwrap().start_again();
    // The same bus goes on by itself.
    let until = Instant::now() + LONG * 2;
    while bus.publish(&topic, message("after")).await.is_err() {
        assert!(Instant::now() < until, "{:?}", bus.link().state());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut ids = BTreeSet::new();
    while !(ids.contains("after") && ids.len() >= 50) {
        assert!(Instant::now() < until, "{ids:?}");
        for lease in bus.take(&topic, "a", 10, LEASE).await.unwrap_or_default() {
            let _ = lease.held.ack().await;
            ids.insert(lease.message.id);
        }
    }
    // One, however often it was asked meanwhile; and one more where the machine held an answer up for seconds.
    let state = bus.link().state();
    assert_eq!(state.reach, Reach::Up);
    assert!((1..=2).contains(&(state.outages - before)), "{state:?}");
}

/// For brokers.
async fn a_broker_that_is_away_at_first_is_waited_for(kind: Kind) {
    let Some(broker) = Broker::away(kind) else {
        return;
    };
    let mut place = Place::at(broker).unwrap();
    let bus = place.open();
    let topic = topic(&["a"]);
    let begun = Instant::now();
    let away = bus.publish(&topic, message(1)).await.unwrap_err();
    assert!(matches!(away, BusError::Away(_)), "{away}");
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    place.broker.as_mut().unwrap().start_again();
    let until = Instant::now() + LONG;
    while bus.publish(&topic, message(1)).await.is_err() {
        assert!(Instant::now() < until, "{:?}", bus.link().state());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(one(&*bus, &topic, "a").await.message, message(1));
}

macro_rules! suite {
    ($bus:ident: $($claim:ident)*) => {
        mod $bus {
            $(
                #[tokio::test]
                async fn $claim() {
                    let Some(place) = super::Place::$bus() else { return };
                    super::$claim(place).await;
                }
            )*
        }
    };
}

macro_rules! suite_of {
    ($bus:ident, $($more:ident)*) => {
        suite! { $bus:
            every_group_gets_every_message_with_all_it_has
            the_second_of_one_id_is_a_duplicate_even_when_the_first_is_done
            what_nobody_acknowledges_is_handed_out_again_and_counted
            what_is_refused_comes_again_after_its_delay_and_not_before
            a_lease_that_is_extended_goes_on
            a_topic_holds_as_many_as_it_may_and_refuses_more
            messages_of_a_key_are_in_order
            consumers_of_a_group_share_the_work
            consumers_that_die_lose_nothing
            who_waits_is_woken_by_what_is_published
            what_no_bus_could_take_is_refused
            $($more)*
        }
    };
}

suite_of!(memory,);
suite_of!(sqlite, messages_survive_the_process_that_published_them);
#[cfg(feature = "nats")]
suite_of!(nats,
    messages_survive_the_process_that_published_them
    a_broker_that_is_killed_and_comes_back_has_lost_nothing);
#[cfg(feature = "redis")]
suite_of!(redis,
    messages_survive_the_process_that_published_them
    a_broker_that_is_killed_and_comes_back_has_lost_nothing);

#[cfg(feature = "nats")]
#[tokio::test]
async fn nats_that_is_away_at_first_is_waited_for() {
    a_broker_that_is_away_at_first_is_waited_for(Kind::Nats).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn redis_that_is_away_at_first_is_waited_for() {
    a_broker_that_is_away_at_first_is_waited_for(Kind::Redis).await;
}
