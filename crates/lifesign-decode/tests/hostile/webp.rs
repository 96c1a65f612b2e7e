use std::time::Duration;

use lifesign_decode::{ImageError, Limits, decode};

use crate::build::webp::{chunk, extended, file, first_chunk, flat, of_codes};
use crate::{assert_damaged_wherever_cut, assert_stopped, by_image, decoded, photograph};

const ANIMATION: u8 = 0b0000_0010;
const ALPHA: u8 = 0b0001_0000;

fn size_of(bytes: &[u8]) -> (u32, u32) {
    decoded(bytes).unwrap().dimensions()
}

#[test]
fn a_webp_has_the_pixels_that_image_decodes() {
    let lossy = photograph("live_portrait.webp");
    assert!(decoded(&lossy).unwrap() == by_image(&lossy));
    for colour in [[10, 20, 30, 255], [10, 20, 30, 0]] {
        let lossless = flat((40, 30), colour);
        assert_eq!(decoded(&lossless).unwrap(), by_image(&lossless));
        assert_eq!(decoded(&lossless).unwrap()[(39, 29)].0, [20, 10, 30]);
    }
    let picture = decoded(&lossy).unwrap();
    let mut lossless = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut lossless, image::ImageFormat::WebP)
        .unwrap();
    assert!(decoded(lossless.get_ref()).unwrap() == picture);
}

#[test]
fn a_webps_alpha_is_not_even_decoded() {
    let lossy = photograph("live_portrait.webp");
    let size = size_of(&lossy);
    let with = |alpha: &[u8]| {
        file(&[
            extended(ALPHA, size),
            chunk(b"ALPH", alpha),
            first_chunk(&lossy).to_vec(),
        ])
    };
    let whole = with(&vec![0; 1 + (size.0 * size.1) as usize]);
    assert!(decoded(&whole).unwrap() == by_image(&whole));
    assert!(decoded(&whole).unwrap() == decoded(&lossy).unwrap());
    assert!(decoded(&with(&[1, 2, 3])).unwrap() == decoded(&lossy).unwrap());
}

#[test]
fn a_webp_animation_of_thousands_of_frames_is_refused() {
    let picture = flat((4000, 4000), [10, 20, 30, 255]);
    // Place, size, duration; then the frame's picture.
    let mut frame = vec![0; 6];
    frame.extend([0x9f, 0x0f, 0, 0x9f, 0x0f, 0, 1, 0, 0, 0]);
    frame.extend(first_chunk(&picture));
    let frames = chunk(b"ANMF", &frame).repeat(5000);
    let control = chunk(b"ANIM", &[0; 6]);
    for flags in [ANIMATION, 0] {
        let animation = file(&[
            extended(flags, (4000, 4000)),
            control.clone(),
            frames.clone(),
        ]);
        assert_eq!(decoded(&animation), Err(ImageError::Animation), "{flags}");
    }
}

#[test]
fn a_picture_larger_than_its_canvas_is_damaged() {
    // The codec would decode it whole before it looks.
    let mut lossy = first_chunk(&photograph("live_portrait.webp")).to_vec();
    lossy[14..18].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    let bomb = file(&[extended(0, (10, 10)), lossy.clone()]);
    assert_eq!(decoded(&bomb), Err(ImageError::Damaged));
    assert!(matches!(
        decoded(&file(&[lossy])),
        Err(ImageError::TooManyPixels { .. })
    ));
    let canvas = file(&[extended(0, (1 << 24, 1 << 24))]);
    assert!(matches!(
        decoded(&canvas),
        Err(ImageError::TooManyPixels { .. })
    ));
}

#[test]
fn a_webp_whose_code_tables_would_fill_the_memory_is_refused_before_they_are_made() {
    let bomb = of_codes(65_536);
    assert!(bomb.len() < 12 << 20);
    assert!(matches!(
        decoded(&bomb),
        Err(ImageError::TooMuchMemory { .. })
    ));
    // A few of them are no harm; this picture has no data after them.
    assert_eq!(decoded(&of_codes(20)), Err(ImageError::Damaged));
}

#[test]
fn a_lossy_webp_that_would_take_too_long_is_not_begun() {
    // It cannot be stopped once it has begun.
    let lossy = photograph("live_portrait.webp");
    let timeout = Duration::from_millis(5);
    let limits = Limits {
        timeout,
        ..Limits::default()
    };
    assert_eq!(
        decode(&lossy, &limits),
        Err(ImageError::TooSlow { timeout })
    );
    let mut largest = lossy.clone();
    let side = 7071u16.to_le_bytes();
    largest[26..30].copy_from_slice(&[side, side].concat());
    largest.resize(12 << 20, 0);
    let length = (largest.len() as u32 - 20).to_le_bytes();
    largest[16..20].copy_from_slice(&length);
    // What the limits admit has time enough.
    assert!(!matches!(
        decoded(&largest),
        Err(ImageError::TooSlow { .. })
    ));
}

#[test]
fn a_lossless_webp_that_takes_too_long_is_given_up_in_time() {
    assert_stopped(
        &flat((7000, 7000), [1, 2, 3, 255]),
        Duration::from_millis(5),
    );
}

#[test]
fn a_webp_cut_anywhere_is_damaged() {
    let lossy = photograph("live_portrait.webp");
    assert_damaged_wherever_cut(&lossy, (12..300).chain((300..lossy.len()).step_by(499)));
    let lossless = flat((40, 30), [10, 20, 30, 255]);
    let end = 20 + u32::from_le_bytes(lossless[16..20].try_into().unwrap()) as usize;
    assert_damaged_wherever_cut(&lossless, 12..end);
}

#[test]
fn a_webp_of_no_width_or_height_is_damaged() {
    for zero in [26..28, 28..30, 26..30] {
        let mut lossy = photograph("live_portrait.webp");
        lossy[zero].fill(0);
        assert_eq!(decoded(&lossy), Err(ImageError::Damaged));
    }
}

#[test]
fn a_container_without_a_picture_is_damaged() {
    for chunks in [
        vec![],
        vec![extended(0, (10, 10))],
        vec![extended(0, (10, 10)), chunk(b"EXIF", b"MM")],
        vec![chunk(b"ICCP", b"x")],
        vec![chunk(b"VP8 ", b"")],
        vec![chunk(b"VP8L", &[0x2f])],
    ] {
        assert_eq!(decoded(&file(&chunks)), Err(ImageError::Damaged));
    }
}
