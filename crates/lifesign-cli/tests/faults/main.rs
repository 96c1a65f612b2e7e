//! Faults of the machine, one file each: for each of them what the client sees, what the log says,
//! and that nothing that was acknowledged is lost.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../../lifesign-server/tests/support/postgres.rs"]
mod postgres;
mod support;

#[cfg(target_os = "linux")]
mod namespace;

#[cfg(target_os = "linux")]
mod clock;
mod damaged;
mod descriptors;
#[cfg(target_os = "linux")]
mod full;
mod gone;
mod kills;
#[cfg(target_os = "linux")]
mod readonly;
mod sigterm;
mod weights;
