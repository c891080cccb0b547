//! GATEWRIGHT_URL=http://127.0.0.1:4010 cargo run -p gatewright-examples --bin quickstart
//!
//! Pages through a list, creates a contact through a broken connection and a 503, and shows what it took.

#![allow(clippy::print_stdout, reason = "an example is there to be watched")]

use gatewright::{Auth, Client, Error};
use serde::Deserialize;

#[derive(Deserialize)]
struct Contact {
    id: String,
    name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url =
        std::env::var("GATEWRIGHT_URL").unwrap_or_else(|_| "http://127.0.0.1:4010".to_owned());
    let client = Client::builder(url)
        .auth(Auth::bearer("sk_test_pro_acme"))
        .build()?;

    let contacts: Vec<Contact> = client
        .get("/v1/contacts")
        .query([("limit", "20")])
        .pages()
        .collect()
        .await?;
    if let [first, .., last] = &contacts[..] {
        println!(
            "{} contacts, from {} to {}",
            contacts.len(),
            first.name,
            last.name
        );
    }

    // The gateway breaks the first attempt after it took effect, and refuses the second: one contact all the same.
    let created = client
        .post("/v1/contacts")
        .header("x-mock-fault", "commit_reset,503,ok")
        .json(&serde_json::json!({"name": "Ada Lovelace"}))
        .send()
        .await?;
    println!("created {}", created.json::<Contact>()?.id);
    for attempt in created.attempts() {
        println!("  {attempt}");
    }

    // An error says what happened, to which request, after which attempts, and what to do next.
    let missing: Error = client
        .get("/v1/contacts/nobody")
        .send()
        .await
        .err()
        .ok_or("that contact should not be there")?;
    println!("{missing}");
    Ok(())
}
