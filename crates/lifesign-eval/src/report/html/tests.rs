use std::collections::BTreeMap;

use super::{fixture, page};
use crate::evaluation::{
    AtLimit, Estimate, Evaluation, NonResponseRule, OperatingPoint, Rate, ScorerReport,
};

/// No figure can be computed: as with a manifest of two images that show no face.
fn without_figures() -> Evaluation {
    let mut evaluation = fixture::evaluation();
    for scorer in &mut evaluation.scorers {
        bare(scorer);
    }
    evaluation
}

fn bare(scorer: &mut ScorerReport) {
    let nothing = fixture::rate(0, 0);
    let none = Estimate {
        value: None,
        low: None,
        high: None,
    };
    scorer.bpnrr = nothing;
    for species in &mut scorer.apnrr {
        species.rate = nothing;
    }
    (scorer.auc, scorer.d_eer) = (none, none);
    for at in scorer
        .bpcer_at_apcer
        .iter_mut()
        .chain(&mut scorer.apcer_at_bpcer)
    {
        *at = AtLimit {
            limit: at.limit,
            rate: none,
            threshold: None,
            worst_species: None,
        };
    }
    for point in &mut scorer.operating_points {
        rates(point, nothing);
    }
    for species in &mut scorer.species {
        (species.auc, species.d_eer) = (none, none);
    }
    for row in &mut scorer.thresholds {
        (row.apcer_max, row.apcer_pooled, row.bpcer) = (None, None, None);
    }
    scorer.groups = None;
    scorer.calibration = None;
    scorer.histogram = None;
    scorer.latency = None;
    scorer.det.clear();
    scorer.worst.attacks.clear();
    scorer.worst.bona_fide.clear();
}

fn rates(point: &mut OperatingPoint, rate: Rate) {
    for species in &mut point.apcer {
        species.rate = rate;
    }
    point.apcer_max = None;
    point.acer = None;
    (point.apcer_pooled, point.bpcer) = (rate, rate);
    (point.attacks_accepted, point.bona_fide_turned_away) = (rate, rate);
}

/// What a reader sees, without tags.
fn text(page: &str) -> String {
    let body = page.split_once("<body>").expect("a body").1;
    let mut text = String::new();
    let mut inside = false;
    for letter in body.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(letter),
            _ => {}
        }
    }
    text
}

#[test]
fn whatever_names_hold_is_text() {
    const EVIL: &str = "\"'><script>alert(1)</script>";
    let mut evaluation = fixture::evaluation();
    evaluation.made.command = EVIL.to_owned();
    evaluation.made.at = EVIL.to_owned();
    evaluation.data.manifest = EVIL.to_owned();
    evaluation.data.conditions = vec![EVIL.to_owned()];
    evaluation.data.species[0].species = EVIL.to_owned();
    evaluation.unreadable[0].image = EVIL.to_owned();
    for scorer in &mut evaluation.scorers {
        scorer.scorer.name = EVIL.to_owned();
        scorer.scorer.description = EVIL.to_owned();
        scorer.scorer.files[0].name = EVIL.to_owned();
        scorer.apnrr[0].species = EVIL.to_owned();
        scorer.non_responses[0].reason = EVIL.to_owned();
        scorer.species[0].species = EVIL.to_owned();
        scorer.worst.attacks[0].image = EVIL.to_owned();
        if let Some(histogram) = &mut scorer.histogram {
            histogram.attacks[0].species = EVIL.to_owned();
        }
        if let Some(groups) = &mut scorer.groups {
            groups.by = EVIL.to_owned();
            groups.rows[0].group = EVIL.to_owned();
        }
    }
    let thumbnails = BTreeMap::from([(EVIL.to_owned(), format!("data:image/png,{EVIL}"))]);
    let page = page(&evaluation, &thumbnails);
    assert!(!page.contains("<script"));
    assert!(page.contains("&lt;script&gt;"));
    // A quote would end the attribute that it stands in.
    assert!(!page.contains("\"'>"));
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = page(&fixture::evaluation(), &fixture::thumbnails());
    for (attribute, allowed) in [(" src=\"", "data:"), (" href=\"", "#")] {
        let values = page.split(attribute).skip(1);
        let others: Vec<&str> = values.filter(|value| !value.starts_with(allowed)).collect();
        assert!(others.is_empty(), "{attribute}{others:?}");
    }
    for way in [
        "url(", "@import", "<link", "<script", "<iframe", "http://", "https://",
    ] {
        assert!(!page.contains(way), "{way}");
    }
}

#[test]
fn only_pictures_that_are_given_and_carried_along_are_shown() {
    let evaluation = fixture::evaluation();
    let mut thumbnails = fixture::thumbnails();
    let pictures = |page: String| page.matches("<img ").count();
    assert_eq!(pictures(page(&evaluation, &BTreeMap::new())), 0);
    assert_eq!(
        pictures(page(&evaluation, &thumbnails)),
        evaluation.scorers.len()
    );
    thumbnails.insert(
        "frames/attack-01.jpg".to_owned(),
        "https://a.example/1.jpg".to_owned(),
    );
    assert_eq!(
        pictures(page(&evaluation, &thumbnails)),
        evaluation.scorers.len()
    );
}

#[test]
fn figures_that_do_not_exist_are_dashes() {
    let page = page(&without_figures(), &BTreeMap::new());
    let mut words = page.split(|letter: char| !letter.is_ascii_alphanumeric());
    assert_eq!(
        words.find(|word| ["NaN", "inf", "null"].contains(word)),
        None
    );
    let text = text(&page);
    assert!(text.contains('–'));
    assert!(text.contains("not measured"));
    assert!(text.contains("No histogram"));
    assert!(text.contains("no bona fide presentation got a score"));
}

#[test]
fn an_evaluation_of_nothing_is_a_page_all_the_same() {
    let mut evaluation = fixture::evaluation();
    evaluation.data.species.clear();
    evaluation.unreadable.clear();
    for scorer in &mut evaluation.scorers {
        bare(scorer);
        scorer.apnrr.clear();
        scorer.operating_points.clear();
        scorer.species.clear();
        scorer.thresholds.clear();
        scorer.non_responses.clear();
    }
    assert!(page(&evaluation, &BTreeMap::new()).contains("not evaluated at the default"));
    evaluation.scorers.clear();
    assert!(!page(&evaluation, &BTreeMap::new()).contains("could not be read"));
}

#[test]
fn none_of_some_is_told_with_its_bound() {
    let mut evaluation = fixture::evaluation();
    let point = &mut evaluation.scorers[0].operating_points[0];
    let highest = point.apcer_max.as_mut().expect("there are attacks");
    highest.rate = fixture::rate(0, 38);
    let text = text(&page(&evaluation, &BTreeMap::new()));
    assert!(text.contains("none of 38"));
    assert!(
        text.contains(
            "None of 38\u{a0}presentations; with 95\u{a0}% confidence at most 7.9\u{a0}%"
        )
    );
}

#[test]
fn a_rule_other_than_the_standards_is_told_at_once() {
    let mut evaluation = fixture::evaluation();
    let told = "Other than the standard asks";
    assert!(!page(&evaluation, &BTreeMap::new()).contains(told));
    evaluation.settings.non_response = NonResponseRule::Attack;
    assert!(page(&evaluation, &BTreeMap::new()).contains(told));
}

#[test]
fn a_curve_of_many_scores_keeps_the_file_small() {
    let mut evaluation = fixture::evaluation();
    let before = page(&evaluation, &BTreeMap::new()).len();
    let many = 20_000;
    let det = &mut evaluation.scorers[0].det;
    *det = (0..=many)
        .map(|nth| {
            let bpcer = f64::from(nth) / f64::from(many);
            crate::evaluation::DetPoint {
                threshold: Some(bpcer),
                apcer: (1.0 - bpcer).powi(8),
                bpcer,
            }
        })
        .collect();
    assert!(page(&evaluation, &BTreeMap::new()).len() < before + 2_000);
}
