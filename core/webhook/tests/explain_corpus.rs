//! `explain` on the corpus of `conformance/webhooks`: what verifies is said to, and where the whole body is signed, a line end that was
//! added to it is found, in every scheme.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests"
)]

use std::path::PathBuf;

use gatewright_webhook::Scheme;
use serde_json::Value;

#[allow(dead_code, reason = "each user takes what it needs")]
#[path = "corpus/player.rs"]
mod player;

#[test]
fn what_verifies_is_said_to_and_a_line_end_that_was_added_is_found() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/webhooks");
    for scheme in Scheme::ALL {
        let file = folder.join(format!("{scheme}.json"));
        let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let (mut good, mut found) = (0, 0);
        for case in cases
            .iter()
            .filter(|case| case["expect"]["verdict"] == "valid")
        {
            let said = player::explain(case, |_| ());
            assert_eq!(said.as_deref(), Ok("valid"), "{scheme} {}", case["name"]);
            good += 1;
            // Half of the cases are enough of these.
            if case["expect"]["body_bound"] == "full" && good % 2 == 0 && has_room(case) {
                let said = player::explain(case, |body| body.push(b'\n'));
                // Linear's and others' time is read from JSON, to which a line end does nothing.
                assert_eq!(
                    said.as_deref(),
                    Ok("body_changed"),
                    "{scheme} {}",
                    case["name"]
                );
                found += 1;
            }
        }
        assert!(good >= 3, "{scheme} has {good} good cases");
        let whole = !matches!(scheme, Scheme::Mailgun | Scheme::Sns | Scheme::PayPal);
        assert_eq!(found > 0, whole, "{scheme}");
    }
}

/// Whether a byte more is still below the cap.
fn has_room(case: &Value) -> bool {
    !case["name"].as_str().unwrap().contains("the-cap")
}
