//! Fetches the certificate that a request names. Its URL has passed the rules of its scheme before it comes here.

use gatewright::Client;

use crate::Failure;
use crate::gateway::block_on;

/// More is no certificate.
const MAX_BYTES: u64 = 64 * 1024;

/// The answer's body, if its status is 200 and nothing led elsewhere.
pub(crate) fn fetch(url: &str) -> Result<Vec<u8>, Failure> {
    let of = |error| Failure::new(format!("the certificate: {error}"));
    block_on(async {
        let client = Client::builder(url)
            .max_redirects(0)
            .max_response_bytes(MAX_BYTES)
            .build()
            .map_err(of)?;
        let answer = client.get(url).send().await.map_err(of)?;
        if answer.status().as_u16() != 200 {
            return Err(Failure::new(format!(
                "the certificate: {url} was answered {}",
                answer.status()
            )));
        }
        Ok(answer.bytes().to_vec())
    })
}
