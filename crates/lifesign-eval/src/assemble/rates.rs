//! Error rates at thresholds.

use super::{Cohort, Judged};
use crate::evaluation::{OperatingPoint, Rate, SpeciesRate, ThresholdOrigin, ThresholdRow};
use crate::metrics::rate;

/// The share of `judged` for which `is_error` holds.
pub(super) fn share<'j>(
    judged: impl Iterator<Item = &'j Judged<'j>>,
    is_error: impl Fn(&Judged<'_>) -> bool,
) -> Rate {
    let (mut errors, mut presentations) = (0, 0);
    for one in judged {
        presentations += 1;
        errors += usize::from(is_error(one));
    }
    rate(errors, presentations)
}

/// Attacks with a score that are taken for bona fide, of those for which `of` holds.
pub(super) fn apcer(
    judged: &[Judged<'_>],
    threshold: f64,
    of: impl Fn(&Judged<'_>) -> bool,
) -> Rate {
    let scored = with_score(judged, true).filter(|one| of(one));
    share(scored, |one| one.accepted(threshold))
}

/// Bona fide presentations with a score that are not accepted, of those for which `of` holds.
pub(super) fn bpcer(
    judged: &[Judged<'_>],
    threshold: f64,
    of: impl Fn(&Judged<'_>) -> bool,
) -> Rate {
    let scored = with_score(judged, false).filter(|one| of(one));
    share(scored, |one| !one.accepted(threshold))
}

fn with_score<'j>(judged: &'j [Judged<'j>], attacks: bool) -> impl Iterator<Item = &'j Judged<'j>> {
    let of_class = judged.iter().filter(move |one| one.is_attack() == attacks);
    of_class.filter(|one| one.score.is_some())
}

/// The share that got no score, of those for which `of` holds.
pub(super) fn non_response(judged: &[Judged<'_>], of: impl Fn(&Judged<'_>) -> bool) -> Rate {
    share(judged.iter().filter(|one| of(one)), |one| {
        one.given().is_none()
    })
}

fn by_species(cohort: &Cohort<'_>, judged: &[Judged<'_>], threshold: f64) -> Vec<SpeciesRate> {
    let each = cohort.species.iter().enumerate();
    each.map(|(nth, species)| SpeciesRate {
        species: species.species.clone(),
        rate: apcer(judged, threshold, |one| one.species == Some(nth)),
    })
    .collect()
}

pub(super) fn operating_point(
    cohort: &Cohort<'_>,
    judged: &[Judged<'_>],
    origin: ThresholdOrigin,
    threshold: f64,
) -> OperatingPoint {
    let rates = by_species(cohort, judged, threshold);
    let apcer_max = SpeciesRate::highest(&rates).cloned();
    let bona_fide = bpcer(judged, threshold, |_| true);
    let worst = apcer_max.as_ref().and_then(|worst| worst.rate.value);
    let of_class = |attack| judged.iter().filter(move |one| one.is_attack() == attack);
    OperatingPoint {
        origin,
        threshold,
        acer: worst
            .zip(bona_fide.value)
            .map(|(apcer, bpcer)| f64::midpoint(apcer, bpcer)),
        apcer: rates,
        apcer_max,
        apcer_pooled: apcer(judged, threshold, |_| true),
        bpcer: bona_fide,
        attacks_accepted: share(of_class(true), |one| one.accepted(threshold)),
        bona_fide_turned_away: share(of_class(false), |one| !one.accepted(threshold)),
    }
}

/// Rows for thresholds 0.05, 0.10, … 0.95.
pub(super) fn threshold_rows(cohort: &Cohort<'_>, judged: &[Judged<'_>]) -> Vec<ThresholdRow> {
    let row = |nth: u32| {
        let threshold = f64::from(5 * nth) / 100.0;
        let rates = by_species(cohort, judged, threshold);
        ThresholdRow {
            threshold,
            apcer_max: SpeciesRate::highest(&rates).and_then(|worst| worst.rate.value),
            apcer_pooled: apcer(judged, threshold, |_| true).value,
            bpcer: bpcer(judged, threshold, |_| true).value,
        }
    };
    (1..=19).map(row).collect()
}
