//! What `--data FILE` promises: a killed gateway has lost nothing it answered, and done nothing twice.

mod batch;
mod child;
mod crashes;
mod full;
mod jobs;
mod load;
mod refusals;
mod restarts;
mod snapshots;
