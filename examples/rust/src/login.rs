//! GATEWRIGHT_URL=http://127.0.0.1:4010 cargo run -p gatewright-examples --bin login
//!
//! Logs in by the browser of this machine (authorization code with PKCE, RFC 8252), keeps the tokens in a file, and calls the API. Run again, it
//! is still logged in. With `--visit` it goes to the page itself, as a browser would: the gateway's test user agrees at once.

#![allow(clippy::print_stdout, reason = "an example is there to be watched")]

use std::time::Duration;

use gatewright::token_store::FileStore;
use gatewright::{Auth, Client, Error, ErrorKind, OAuth};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url =
        std::env::var("GATEWRIGHT_URL").unwrap_or_else(|_| "http://127.0.0.1:4010".to_owned());
    let oauth = OAuth::new("public-client")
        .issuer(format!("{url}/oauth/generic"))
        .scopes(["contacts:read"])
        .store(FileStore::new(
            std::env::temp_dir().join("gatewright-login.json"),
        ));
    let client = Client::builder(&url)
        .auth(Auth::oauth(oauth.clone()))
        .build()?;

    let contact = match client.get("/v1/contacts/ct_000001").send().await {
        // Nobody is logged in, or not any more: a gateway that was started anew knows none of its tokens.
        Err(error) if error.kind() == ErrorKind::Token => {
            println!("{error}");
            log_in(&client, &oauth).await?;
            client.get("/v1/contacts/ct_000001").send().await?
        }
        answer => answer?,
    };
    println!("{}", contact.text());
    Ok(())
}

async fn log_in(client: &Client, oauth: &OAuth) -> Result<(), Error> {
    let login = oauth.over(client).loopback().await?;
    println!("open {}", login.url());
    if std::env::args().any(|argument| argument == "--visit") {
        tokio::spawn(visit(login.url().clone()));
    }
    let tokens = login.wait(Duration::from_secs(300)).await?;
    println!("logged in, with the scopes {:?}", tokens.scope);
    Ok(())
}

/// What a browser does: goes to the page, and then where that sends it.
async fn visit(page: url::Url) -> Result<(), Error> {
    let at = |url: &url::Url| {
        Client::builder(url.origin().ascii_serialization())
            .max_redirects(0)
            .build()
    };
    let answer = at(&page)?.get(page.as_str()).send().await?;
    let back = answer
        .headers()
        .get("location")
        .and_then(|value| url::Url::parse(value.to_str().ok()?).ok());
    if let Some(back) = back {
        at(&back)?.get(back.as_str()).send().await?;
    }
    Ok(())
}
