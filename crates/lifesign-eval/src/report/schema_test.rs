//! Holds `docs/evaluation.schema.json` to the types it describes.

use std::{env, fs};

use schemars::schema_for;

use crate::evaluation::{Evaluation, SCHEMA};
use crate::report::html::fixture;

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/evaluation.schema.json"
);

#[test]
fn the_published_schema_is_that_of_the_json_report() {
    let schema = schema_for!(Evaluation);
    let current = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(PATH, &current).unwrap();
    }
    let published = fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        published == current,
        "docs/evaluation.schema.json is out of date; UPDATE_SCHEMA=1 writes it anew"
    );
}

#[test]
fn a_report_names_its_schema_and_has_no_number_that_json_lacks() {
    let json = serde_json::to_value(fixture::evaluation()).unwrap();
    assert_eq!(json["schema"], SCHEMA);
    assert!(json["scorers"][0]["det"].is_array());
}
