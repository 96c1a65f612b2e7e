//! The service over real HTTP: a real listener, a real database, a real client.

mod aborted;
mod archive;
mod attempts;
mod captures;
mod claims;
mod collections;
mod connections;
mod contract;
mod download;
mod download_limits;
mod extensions;
mod forged;
mod forgery;
mod harness;
mod http2;
mod json_bodies;
mod lifecycle;
mod limits;
mod malformed;
mod metrics;
mod openapi;
mod opencv;
mod pages;
mod photo_host;
mod privacy;
mod properties;
mod protocol;
mod provider;
mod real_engine;
mod receipts;
mod tokens;
mod webhooks;
mod wire;

#[test]
fn everything_holds_on_postgresql_as_well() {
    harness::postgres::run_again(&[
        // About the files of a data directory.
        "--skip",
        "only_the_first_start_makes_a_client",
        "--skip",
        "signing_keys_are_of_no_use_without_the_secret",
        // With the networks; what they have to do with the database others show.
        "--skip",
        "real_engine",
    ]);
}
