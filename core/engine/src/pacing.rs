//! Holds calls back so that the server's quota lasts.
