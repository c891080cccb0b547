//! What `--data FILE` promises: a killed gateway has lost nothing it answered, and done nothing twice.

mod batch;
mod child;
mod crashes;
mod faults;
mod files;
mod forms;
mod full;
mod jobs;
mod load;
mod notices;
mod refusals;
mod restarts;
mod resuming;
mod snapshots;
mod tokens;
