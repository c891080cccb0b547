//! The least that bodies have to achieve, from JSON: `{bytesPerSecond, graceMs}`, both optional, or null for nothing.

use gatewright::MinThroughput;

use crate::members::{Member, shown_name};

/// Reads a floor.
pub(crate) fn floor(member: &Member<'_>) -> Result<Option<MinThroughput>, String> {
    if member.is_null() {
        return Ok(None);
    }
    let members = member
        .members()
        .map_err(|_| member.must_be("an object, or null for no floor"))?;
    let mut floor = MinThroughput::default();
    for part in members {
        let name = part.name.clone();
        match &*name {
            "bytesPerSecond" => {
                floor.bytes_per_second = part.called("minThroughput.bytesPerSecond").size()?;
            }
            "graceMs" => floor.grace = part.called("minThroughput.grace").duration()?,
            other => {
                return Err(format!(
                    "`minThroughput` has a member \"{}\", which it does not know",
                    shown_name(other)
                ));
            }
        }
    }
    Ok(Some(floor))
}
