//! Images that could not be read.

use maud::{Markup, html};

use super::cells::table;
use super::format::{count, counted};
use crate::evaluation::Unreadable;

/// Near the top: whoever reads only the figures must know that they are not of all images.
pub(super) fn notice(unreadable: &[Unreadable]) -> Markup {
    html! {
        @if !unreadable.is_empty() {
            p.notice role="note" {
                strong { (counted(unreadable.len(), "image")) " could not be read" }
                @if unreadable.len() == 1 { " and is in no figure: " }
                @else { " and are in no figure: " }
                a href="#unreadable" { "which, and why" } "."
            }
        }
    }
}

pub(super) fn section(unreadable: &[Unreadable]) -> Markup {
    html! {
        @if !unreadable.is_empty() {
            section #unreadable {
                h2 { "Unreadable images" }
                p { "They are in no figure of any scorer, not even in the non-response rates." }
                (table("Images of the manifest that could not be read", html! {
                    thead {
                        tr {
                            th scope="col" { "Line" }
                            th.text scope="col" { "Image" }
                            th.text scope="col" { "Reason" }
                        }
                    }
                    tbody {
                        @for image in unreadable {
                            tr {
                                td { (count(usize::try_from(image.line).unwrap_or(usize::MAX))) }
                                td.text.image { code { (image.image) } }
                                td.text { (image.reason) }
                            }
                        }
                    }
                }))
            }
        }
    }
}
