//! HTTP Message Signatures (RFC 9421).

pub(crate) mod component;
pub(crate) mod digest;
pub(crate) mod structured;
