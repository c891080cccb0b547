//! Entries to what is private, for the fuzz targets. Not for users, and not part of what is promised.

use url::Url;

use crate::Error;
use crate::target::Base;

/// Where a path leads from a base URL, and whether that is another origin: `https://cdn.example`, which is allowed.
///
/// # Errors
/// As the client's.
pub fn join(base: &str, path: &str) -> Result<(Url, bool), Error> {
    let allowed = ["https://cdn.example".to_owned()];
    let target = Base::new(base, false, &allowed)?.join(path)?;
    Ok((target.url, target.cross_origin))
}
