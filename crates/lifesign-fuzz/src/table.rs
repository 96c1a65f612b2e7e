//! The CSV files of an evaluation.

use std::collections::HashSet;

use lifesign_eval::manifest::{Label, Row};
use lifesign_eval::scorer::Response;
use lifesign_eval::scorer::scores::ScoreFile;
use lifesign_eval::{Manifest, TableError};

/// Any bytes as a manifest.
pub fn manifest_csv(bytes: &[u8]) {
    let manifest = match Manifest::parse(bytes) {
        Ok(manifest) => manifest,
        Err(error) => return refused(&error),
    };
    assert!(!manifest.rows.is_empty());
    let image = manifest.column("image").expect("a manifest has images");
    let label = manifest.column("label").expect("a manifest has labels");
    let mut images = HashSet::new();
    for row in &manifest.rows {
        assert!(row.line > 1, "a row on the header's line");
        assert!(!row.image.is_empty() && images.insert(&row.image));
        assert_eq!(row.value(image), row.image);
        match &row.label {
            Label::BonaFide => assert_eq!(row.value(label), "bona_fide"),
            Label::Attack { species } => {
                assert!(row.value(label) == "attack" && !species.is_empty());
            }
        }
        if let Some(face) = row.face {
            let finite = [face.x, face.y, face.width, face.height]
                .iter()
                .all(|value| value.is_finite());
            assert!(finite && face.width > 0.0 && face.height > 0.0);
        }
        for name in [&row.source, &row.subject, &row.os].into_iter().flatten() {
            assert!(!name.is_empty());
        }
    }

    // Written anew it is the same: nothing was dropped or shifted.
    let again = Manifest::parse(written(&manifest.rows).as_bytes())
        .unwrap_or_else(|error| panic!("refused when written anew: {error}"));
    assert_eq!(again.rows.len(), manifest.rows.len());
    for (one, other) in again.rows.iter().zip(&manifest.rows) {
        assert_eq!(
            (&one.image, &one.label, one.face),
            (&other.image, &other.label, other.face)
        );
    }
}

/// Any bytes as a file of scores, for the manifest that the same bytes may be.
pub fn scores_csv(bytes: &[u8]) {
    let scores = match ScoreFile::parse("scores", "scores.csv", bytes) {
        Ok(scores) => scores,
        Err(error) => return refused(&error),
    };
    let Ok(manifest) = Manifest::parse(bytes) else {
        return;
    };
    let responses = scores
        .responses(&manifest.rows)
        .unwrap_or_else(|error| panic!("rows of the very file are missing: {error}"));
    assert_eq!(responses.len(), manifest.rows.len());
    let score = manifest.column("score").expect("scores have scores");
    for (response, row) in responses.iter().zip(&manifest.rows) {
        match response {
            Ok(Response::Score { score: value, .. }) => {
                assert!(value.is_finite());
                assert_eq!(row.value(score).parse(), Ok(*value));
            }
            Ok(Response::NonResponse { reason }) => {
                assert!(row.value(score).is_empty() && !reason.is_empty());
            }
            Err(why) => panic!("a CSV file knows no unreadable image: {why}"),
        }
    }
}

/// A refusal names what is wrong, and every bad row by its line.
fn refused(error: &TableError) {
    assert!(!error.to_string().is_empty());
    if let TableError::Rows(problems) = error {
        assert!(!problems.is_empty());
        assert!(problems.is_sorted_by_key(|problem| problem.line));
        for problem in problems {
            assert!(problem.line > 1 && !problem.reason.is_empty(), "{problem}");
        }
    }
}

fn written(rows: &[Row]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut text = "image,label,pai_species,face_x,face_y,face_w,face_h\n".to_owned();
    for row in rows {
        let (label, species) = match &row.label {
            Label::BonaFide => ("bona_fide", ""),
            Label::Attack { species } => ("attack", species.as_str()),
        };
        let (image, species) = (quoted(&row.image), quoted(species));
        let face = row.face.map_or(",,,".to_owned(), |face| {
            format!("{},{},{},{}", face.x, face.y, face.width, face.height)
        });
        text.push_str(&format!("{image},{label},{species},{face}\n"));
    }
    text
}
