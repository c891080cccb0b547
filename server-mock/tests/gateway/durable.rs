//! What `--data FILE` promises: a killed gateway has lost nothing it answered, and done nothing twice.

mod child;
mod crashes;
mod full;
mod load;
mod refusals;
mod restarts;
mod snapshots;
