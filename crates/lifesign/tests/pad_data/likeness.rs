//! What the hash of a capture takes for the same, with the faces that the detector finds.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat};
use lifesign::{AssessOptions, Engine, EngineConfig, Likeness};

use crate::{frames, judged, spread};

/// Different people whose portraits are compared.
const PEOPLE: usize = 30;

/// What somebody does who wants another score for the same photograph.
fn altered(original: &DynamicImage) -> Vec<Vec<u8>> {
    let (width, height) = (original.width(), original.height());
    let png = |picture: DynamicImage| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let mut compressed = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut compressed, 40);
    original.to_rgb8().write_with_encoder(encoder).unwrap();
    let smaller = original.resize(width * 2 / 3, height * 2 / 3, FilterType::Triangle);
    let cut = original.crop_imm(
        width / 50,
        height / 50,
        width - width / 25,
        height - height / 25,
    );
    let mut noise = original.to_rgb8();
    let mut state = 1u32;
    for sample in noise.iter_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = sample.saturating_add_signed((state >> 28) as i8 - 8);
    }
    vec![
        compressed,
        png(smaller),
        png(cut),
        png(noise.into()),
        png(imageops::brighten(original, 25).into()),
    ]
}

#[test]
fn altered_copies_are_mostly_alike_and_photographs_of_different_people_are_not() {
    let Some(all) = frames() else { return };
    // Portraits from the web, each of another person, but for a few who spoke twice.
    let portraits = all
        .iter()
        .filter(|frame| frame.source == "x_fossasia" && frame.bona_fide);
    let portraits = spread(portraits, PEOPLE);
    let engine = Engine::load(&EngineConfig::default()).unwrap();
    let options = AssessOptions {
        likeness: true,
        ..AssessOptions::default()
    };
    let likeness = |bytes: &[u8]| engine.assess(bytes, &options).ok()?.likeness;
    let captures: Vec<(Likeness, Vec<Likeness>)> = judged(&portraits, |_, bytes| {
        let original = likeness(bytes)?;
        let copies = altered(&image::load_from_memory(bytes).unwrap());
        let copies = copies.iter().filter_map(|copy| likeness(copy));
        Some((original, copies.collect()))
    });

    let copies: Vec<bool> = captures
        .iter()
        .flat_map(|(original, copies)| copies.iter().map(|copy| original.is_alike(*copy)))
        .collect();
    let known = copies.iter().filter(|alike| **alike).count();
    let mut pairs = 0;
    let mut mistaken = 0;
    for (at, (one, _)) in captures.iter().enumerate() {
        for (other, _) in &captures[at + 1..] {
            pairs += 1;
            mistaken += usize::from(one.is_alike(*other));
        }
    }
    println!(
        "{known} of {} copies are alike; {mistaken} of {pairs} pairs of people",
        copies.len()
    );
    assert!(captures.len() > portraits.len() / 2 && copies.len() > captures.len());
    assert!(
        known * 10 >= copies.len() * 7,
        "{known} of {}",
        copies.len()
    );
    assert!(mistaken * 500 <= pairs, "{mistaken} of {pairs} pairs");
}
