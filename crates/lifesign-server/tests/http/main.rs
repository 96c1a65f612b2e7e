//! The service over real HTTP: a real listener, a real database, a real client.

mod attempts;
mod collections;
mod contract;
mod download;
mod extensions;
mod harness;
mod lifecycle;
mod openapi;
mod opencv;
mod properties;
mod protocol;
mod provider;
mod real_engine;
mod receipts;
mod tokens;
mod webhooks;
