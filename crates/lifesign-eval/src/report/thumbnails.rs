//! Small copies of the worst errors' images, for a report whose reader may see them.

use std::collections::BTreeMap;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat};
use lifesign::Limits;

use crate::evaluation::Evaluation;
use crate::photograph::{Images, Photograph};

/// Longer side, in pixels.
const SIDE: u32 = 120;

/// A `data:` URL for each image among the worst errors that can be read below `images`.
pub fn of_worst(evaluation: &Evaluation, images: Images<'_>) -> BTreeMap<String, String> {
    let worst = evaluation.scorers.iter().map(|report| &report.worst);
    let rows = worst.flat_map(|worst| worst.attacks.iter().chain(&worst.bona_fide));
    let mut thumbnails = BTreeMap::new();
    for row in rows {
        if !thumbnails.contains_key(&row.image)
            && let Some(thumbnail) = thumbnail(images, &row.image)
        {
            thumbnails.insert(row.image.clone(), thumbnail);
        }
    }
    thumbnails
}

fn thumbnail(images: Images<'_>, name: &str) -> Option<String> {
    let photograph = Photograph::read(images, name, Limits::default()).ok()?;
    let (picture, _) = photograph.picture().ok()?;
    let small = DynamicImage::ImageRgb8(picture.clone()).thumbnail(SIDE, SIDE);
    let mut jpeg = Cursor::new(Vec::new());
    small.write_to(&mut jpeg, ImageFormat::Jpeg).ok()?;
    Some(format!(
        "data:image/jpeg;base64,{}",
        STANDARD.encode(jpeg.into_inner())
    ))
}
