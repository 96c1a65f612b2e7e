//! Threshold-free figures of each PAI species.

use maud::{Markup, html};

use super::cells::{auc_estimate, head, percent_estimate, table};
use super::format::count;
use crate::evaluation::SpeciesFigures;

pub(super) fn part(name: &str, species: &[SpeciesFigures]) -> Markup {
    if species.is_empty() {
        return html! { p { "There are no attacks." } };
    }
    let caption = format!("{name}: each species against all bona fide presentations");
    table(
        &caption,
        html! {
            (head(&["Species", "Presentations", "AUC", "D-EER"]))
            tbody {
                @for of in species {
                    tr {
                        th scope="row" { (of.species) }
                        td { (count(of.presentations)) }
                        td { (auc_estimate(&of.auc)) }
                        td { (percent_estimate(&of.d_eer)) }
                    }
                }
            }
        },
    )
}
