//! An evaluation for people.

pub mod html;
pub mod text;
pub mod thumbnails;
