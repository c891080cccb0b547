//! Reads rate-limit headers in every dialect.
