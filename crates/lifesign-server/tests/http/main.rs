//! The service over real HTTP: a real listener, a real database, a real client.

mod contract;
mod download;
mod harness;
mod lifecycle;
mod properties;
mod protocol;
mod real_engine;
