//! An evaluation for people.

pub mod html;
pub mod text;
pub mod thumbnails;

#[cfg(test)]
mod schema_test;
