use super::*;
use crate::webhooks::endpoint::NewEndpoint;
use crate::world::Surroundings;

fn outbox() -> Outbox {
    let mut outbox = Outbox::default();
    add(&mut outbox, NewEndpoint::of("http://127.0.0.1:9/", &[]));
    outbox
}

fn add(outbox: &mut Outbox, new: NewEndpoint) {
    let around = Surroundings::of_ports([1, 2]);
    assert!(outbox.add_endpoint(new.wish(), 1, &around, 0).is_ok());
}

fn message() -> Arc<Message> {
    let payload = bytes::Bytes::from_static(b"{}");
    Arc::new(Message::new(
        "evt_1".into(),
        "contact.created".into(),
        None,
        payload,
    ))
}

fn end(outbox: &mut Outbox, outgoing: &Outgoing, status: u16, now_ns: u64) -> Option<Disabling> {
    let attempt = Attempt {
        at_ms: 0,
        status: Some(status),
        error: None,
        tls_error: None,
        took_ms: 0,
        retry_after_ms: None,
        request: None,
        response: None,
        by: None,
    };
    outbox.attempted(
        outgoing,
        attempt,
        None,
        now_ns,
        &WebhookOptions::default(),
        1,
    )
}

fn take(outbox: &mut Outbox, now_ns: u64) -> Vec<Outgoing> {
    outbox.take_due(now_ns, &WebhookOptions::default())
}

#[test]
fn the_queue_is_bounded_and_drops_finished_deliveries_before_dead_letters() {
    let mut outbox = outbox();
    let message = message();
    for _ in 0..MAX_DELIVERIES {
        outbox.publish(&message, 0);
    }
    let deliver = |outbox: &mut Outbox| {
        let delivered = outbox.deliver(Viewer::Admin, "ep_000001", &message, 0);
        delivered.map(|delivery| delivery.id).map_err(Refusal::told)
    };
    let refused = deliver(&mut outbox).unwrap_err();
    assert!(refused.ends_with("the queue is full"), "{refused}");
    let sent = take(&mut outbox, 0);
    assert_eq!(sent.len(), 8);
    // One is given up for good, one arrives: the one that arrived makes room first.
    outbox.endpoints.get_mut(&1).unwrap().row.well_ns = Some(0);
    outbox.deliveries.get_mut(&1).unwrap().attempts = vec![
        Attempt {
            at_ms: 0,
            status: None,
            error: None,
            tls_error: None,
            took_ms: 0,
            retry_after_ms: None,
            request: None,
            response: None,
            by: None
        };
        7
    ];
    assert!(end(&mut outbox, &sent[0], 500, 0).is_none());
    end(&mut outbox, &sent[1], 204, 0);
    assert!(deliver(&mut outbox).is_ok());
    assert!(outbox.find(Viewer::Admin, "dlv_000002").is_err());
    assert!(outbox.find(Viewer::Admin, "dlv_000001").is_ok());
    assert!(deliver(&mut outbox).is_ok());
    assert!(outbox.find(Viewer::Admin, "dlv_000001").is_err());
    assert_eq!(outbox.deliveries.len(), MAX_DELIVERIES);
}

#[test]
fn a_slow_endpoint_leaves_room_for_the_others() {
    let mut outbox = Outbox::default();
    for _ in 0..20 {
        add(&mut outbox, NewEndpoint::of("http://127.0.0.1:9/", &[]));
    }
    let message = message();
    for _ in 0..50 {
        outbox.publish(&message, 0);
    }
    let sent = take(&mut outbox, 0);
    assert_eq!(sent.len(), MAX_SENDING);
    let of = |number| {
        let is_of = |one: &&Outgoing| outbox.deliveries[&one.delivery].endpoint == number;
        sent.iter().filter(is_of).count()
    };
    for number in 1..=20 {
        assert!((3..=4).contains(&of(number)), "{number}: {}", of(number));
    }
    assert!(take(&mut outbox, 0).is_empty());
}

#[test]
fn what_arrived_is_delivered_even_where_its_endpoint_was_removed_meanwhile() {
    for (status, state, reason) in [
        (204, DeliveryState::Delivered, None),
        (500, DeliveryState::Failed, Some(Failed::EndpointRemoved)),
    ] {
        let mut outbox = outbox();
        outbox.publish(&message(), 0);
        let sent = take(&mut outbox, 0);
        assert!(outbox.remove_endpoint(Viewer::Admin, "ep_000001").is_ok());
        assert!(end(&mut outbox, &sent[0], status, 0).is_none());
        let delivery = outbox.find(Viewer::Admin, "dlv_000001");
        let (_, delivery) = delivery.map_err(Refusal::told).unwrap();
        assert_eq!((delivery.state, delivery.reason), (state, reason));
        assert!(outbox.is_quiet(0));
    }
}

#[test]
fn what_is_of_a_life_before_a_reset_is_of_no_concern() {
    let mut outbox = outbox();
    outbox.publish(&message(), 0);
    let sent = take(&mut outbox, 0);
    outbox.reset();
    assert!(end(&mut outbox, &sent[0], 410, 0).is_none());
    assert!(outbox.is_quiet(0));
}

#[test]
fn what_is_kept_is_taken_back_and_what_was_being_sent_is_sent_again() {
    use crate::durable::{Changes, Rows};

    let mut outbox = outbox();
    let message = message();
    outbox.publish(&message, 5);
    outbox.publish(&message, 5);
    let sent = take(&mut outbox, 5);
    end(&mut outbox, &sent[0], 500, 5);
    outbox
        .rotate(Viewer::Admin, "ep_000001", None, NS, 1, 5)
        .map(|_| ())
        .map_err(Refusal::told)
        .unwrap();
    let mut rows = Rows::default();
    outbox.rows(&mut rows);
    assert_eq!((rows.list.len(), &rows.unwritable), (4, &None));

    for order in [false, true] {
        let mut again = Outbox::default();
        let mut list = rows.list.clone();
        if order {
            list.reverse();
        }
        for row in &list {
            again.take(&row.kind, &row.id, &row.value).unwrap();
        }
        let shown = |outbox: &Outbox| {
            let endpoints = outbox.endpoints(Viewer::Admin, 0);
            let shown: Vec<_> = endpoints.map(|one| one.shown(6)).collect();
            shown
        };
        assert_eq!(shown(&again), shown(&outbox));
        assert_eq!(take(&mut again, 5).len(), 1);
        assert_eq!(again.deliveries[&1].attempts.len(), 1);
        assert_eq!(again.deliveries[&1].due_ns, outbox.deliveries[&1].due_ns);
        assert_eq!(again.last.endpoint, 1);
    }
    // Without a file nothing is noted.
    let mut changes = Changes::new(false);
    outbox.write_to(&mut changes);
    assert!(changes.is_empty());
}
