//! The Redis server that tests of the fleet quota start for themselves: Debian's, installed where it is missing.

use crate::apt;

/// Sees to it that `redis-server` is there. Where it cannot be, it is said, and the tests that need one skip themselves.
pub(crate) fn ensure() {
    const NAMES: &[&str] = &["redis-server"];
    if apt::on_path(NAMES).is_some() {
        return;
    }
    let nothing = "no redis-server was found";
    if !apt::may_install() {
        println!(
            "   note: {nothing}, and none may be installed here: the tests of the fleet quota skip themselves"
        );
        return;
    }
    if let Err(error) = apt::install(nothing, &["redis-server"]) {
        println!("   note: {error}: the tests of the fleet quota skip themselves");
    }
}
