//! Svix: Standard Webhooks under the names `svix-…`. Its senders may also use `webhook-…`, which count if none of the others is there.

use super::{Scheme, standard};
use crate::envelope::Envelope;
use crate::error::VerifyError;
use crate::headers::{Found, find};
use crate::layout::Layout;
use crate::received::Received;

const ID: &str = "svix-id";
const TIMESTAMP: &str = "svix-timestamp";
const SIGNATURE: &str = "svix-signature";

pub(crate) static LAYOUT: Layout = standard::layout(Scheme::Svix, ID, TIMESTAMP, SIGNATURE);

static UNBRANDED: Layout = standard::layout(
    Scheme::Svix,
    standard::ID,
    standard::TIMESTAMP,
    standard::SIGNATURE,
);

pub(crate) fn read<'r>(request: &Received<'r>) -> Result<Envelope<'r>, VerifyError> {
    let branded = find(request.headers, [ID, TIMESTAMP, SIGNATURE]);
    let unbranded = find(
        request.headers,
        [standard::ID, standard::TIMESTAMP, standard::SIGNATURE],
    );
    let any = |found: &[Found<'_>]| found.iter().any(|found| !matches!(found, Found::Missing));
    if !any(&branded) && any(&unbranded) {
        UNBRANDED.read(request)
    } else {
        LAYOUT.read(request)
    }
}
