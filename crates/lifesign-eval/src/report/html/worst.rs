//! The worst errors by name: what to look at first.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::cells::table;
use super::format::score;
use crate::evaluation::{Worst, WorstRow};

pub(super) fn part(name: &str, worst: &Worst, thumbnails: &BTreeMap<String, String>) -> Markup {
    html! {
        (rows(&format!("{name}: attacks that scored highest"), &worst.attacks, thumbnails))
        (rows(
            &format!("{name}: bona fide presentations that scored lowest"),
            &worst.bona_fide,
            thumbnails,
        ))
    }
}

fn rows(caption: &str, rows: &[WorstRow], thumbnails: &BTreeMap<String, String>) -> Markup {
    if rows.is_empty() {
        return html! { p { (caption) ": none." } };
    }
    let pictures: Vec<Option<&str>> = rows.iter().map(|row| picture(row, thumbnails)).collect();
    let pictured = pictures.iter().any(Option::is_some);
    let species = rows.iter().any(|row| row.species.is_some());
    let source = rows.iter().any(|row| row.source.is_some());
    table(
        caption,
        html! {
            thead {
                tr {
                    @if pictured { th.text scope="col" { "Picture" } }
                    th.text scope="col" { "Image" }
                    @if species { th.text scope="col" { "Species" } }
                    @if source { th.text scope="col" { "Source" } }
                    th scope="col" { "Score" }
                }
            }
            tbody {
                @for (row, picture) in rows.iter().zip(pictures) {
                    tr {
                        @if pictured {
                            td.text {
                                @if let Some(picture) = picture {
                                    img src=(picture) alt="" height="64";
                                }
                            }
                        }
                        td.text.image { code { (row.image) } }
                        @if species { td.text { (row.species.as_deref().unwrap_or_default()) } }
                        @if source { td.text { (row.source.as_deref().unwrap_or_default()) } }
                        td { (score(row.score)) }
                    }
                }
            }
        },
    )
}

/// Nothing but pictures that the page carries itself: any other address would be fetched.
fn picture<'a>(row: &WorstRow, thumbnails: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let url = thumbnails.get(&row.image)?;
    url.starts_with("data:image/").then_some(url.as_str())
}
