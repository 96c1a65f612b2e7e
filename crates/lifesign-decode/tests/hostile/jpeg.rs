use std::io::Cursor;
use std::time::Duration;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbImage};
use lifesign_decode::ImageError;

use crate::build::jpeg::{flat, frame, progressive, segment, with};
use crate::build::sample;
use crate::{assert_damaged_wherever_cut, assert_stopped, by_image, decoded, photograph};

const PHOTOGRAPHS: [&str; 8] = [
    "live_portrait.jpg",
    "live_portrait_exif6.jpg",
    "border_face.jpg",
    "no_face.jpg",
    "small_face.jpg",
    "spoof_screen.jpg",
    "strict_portrait.jpg",
    "two_faces.jpg",
];

fn encoded(picture: &DynamicImage, quality: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))
        .unwrap();
    bytes.into_inner()
}

/// Where the marker stands that begins with `marker`.
fn find(file: &[u8], marker: u8) -> usize {
    file.windows(2)
        .position(|two| two == [0xff, marker])
        .unwrap()
}

#[test]
fn a_jpeg_has_the_pixels_that_image_decodes() {
    for name in PHOTOGRAPHS {
        let bytes = photograph(name);
        assert!(decoded(&bytes).unwrap() == by_image(&bytes), "{name}");
    }
    for (width, height) in [
        (1, 1),
        (1, 17),
        (17, 1),
        (8, 8),
        (16, 16),
        (33, 47),
        (250, 120),
    ] {
        let rgb = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([0, 1, 2].map(|channel| sample(x, y, channel)))
        });
        let rgb = DynamicImage::ImageRgb8(rgb);
        let grey = DynamicImage::ImageLuma8(rgb.to_luma8());
        for quality in [5, 75, 100] {
            for picture in [&rgb, &grey] {
                let bytes = encoded(picture, quality);
                assert!(
                    decoded(&bytes).unwrap() == by_image(&bytes),
                    "{width} x {height} at {quality}"
                );
            }
        }
    }
    for scans in [1, 4, 9] {
        let bytes = progressive((100, 75), scans);
        assert!(
            decoded(&bytes).unwrap() == by_image(&bytes),
            "{scans} scans"
        );
    }
}

#[test]
fn a_jpeg_in_thousands_of_scans_is_refused_by_their_number() {
    assert_eq!(
        decoded(&progressive((5000, 5000), 5000)),
        Err(ImageError::TooManyScans {
            scans: 5000,
            limit: 100
        })
    );
    // In a sequential one, too, each scan may go over the picture.
    let mut sequential = flat((64, 64), &[128], None);
    let scan = sequential[find(&sequential, 0xda)..sequential.len() - 2].to_vec();
    sequential.truncate(sequential.len() - 2);
    sequential.extend(scan.repeat(4000));
    assert!(matches!(
        decoded(&sequential),
        Err(ImageError::TooManyScans { scans: 4001, .. })
    ));
}

#[test]
fn a_jpeg_that_takes_too_long_is_given_up_in_time() {
    let few_scans_of_many_pixels = progressive((5000, 5000), 99);
    assert!(few_scans_of_many_pixels.len() < 2000);
    assert_stopped(&few_scans_of_many_pixels, Duration::from_millis(200));
}

#[test]
fn a_jpeg_whose_header_takes_too_long_is_given_up_in_time() {
    // The codec looks through all of these again for each.
    let mut piece = b"http://ns.adobe.com/xmp/extension/\0".to_vec();
    piece.extend([b'0'; 32]);
    piece.extend([0, 0xff, 0xff, 0xff, 0, 0, 0, 9, 1]);
    let pieces = segment(0xe1, &piece).repeat(150_000);
    let file = with(&flat((8, 8), &[128], None), &pieces);
    assert_stopped(&file, Duration::from_millis(200));
}

#[test]
fn a_progressive_jpeg_is_reckoned_with_its_coefficients() {
    let four = |size| {
        let mut file = vec![0xff, 0xd8];
        file.extend(frame(0xc2, 8, size, 4));
        file.extend(segment(0xda, &[1, 1, 0, 0, 0, 0]));
        file
    };
    let Err(ImageError::TooMuchMemory { needed, limit }) = decoded(&four((7000, 7000))) else {
        panic!("it was decoded");
    };
    assert!(needed > 11 * 49_000_000 && limit == 512 << 20, "{needed}");
    assert_eq!(decoded(&four((70, 70))), Err(ImageError::Damaged));
}

#[test]
fn a_jpeg_cut_anywhere_is_damaged_and_never_half_grey() {
    let sequential = photograph("live_portrait.jpg");
    // Less may be made up: the last few blocks, out of the bits that the codec reads ahead.
    let most = sequential.len() - 64;
    assert_damaged_wherever_cut(&sequential, (3..400).chain((400..most).step_by(997)));
    assert_damaged_wherever_cut(&sequential, most - 40..most);
    let progressive = progressive((100, 75), 9);
    assert_damaged_wherever_cut(&progressive, 3..progressive.len());
}

#[test]
fn a_jpeg_cut_and_closed_with_an_end_marker_is_damaged() {
    let whole = photograph("live_portrait.jpg");
    for part in 1..10 {
        let mut cut = whole[..whole.len() * part / 10].to_vec();
        cut.extend([0xff, 0xd9]);
        assert_eq!(decoded(&cut), Err(ImageError::Damaged), "{part} tenths");
    }
}

#[test]
fn a_jpeg_that_states_more_rows_than_it_has_is_damaged() {
    let mut file = photograph("live_portrait.jpg");
    let frame = find(&file, 0xc0);
    let height = u16::from_be_bytes([file[frame + 5], file[frame + 6]]);
    file[frame + 5..frame + 7].copy_from_slice(&(height * 2).to_be_bytes());
    assert_eq!(decoded(&file), Err(ImageError::Damaged));
}

#[test]
fn a_jpeg_that_lacks_nothing_but_its_end_marker_is_read() {
    let whole = photograph("live_portrait.jpg");
    assert_eq!(whole[whole.len() - 2..], [0xff, 0xd9]);
    assert!(decoded(&whole[..whole.len() - 2]).unwrap() == decoded(&whole).unwrap());
}

#[test]
fn what_follows_a_jpegs_end_is_not_looked_at() {
    let whole = photograph("live_portrait.jpg");
    let (video, zip) = ([0x5a; 5000], b"PK\x03\x04\x14\0\0\0evil.exe");
    let second = photograph("two_faces.jpg");
    for tail in [&video[..], zip, b"<script>alert(1)</script>", &second] {
        let file = [&whole, tail].concat();
        assert!(decoded(&file).unwrap() == decoded(&whole).unwrap());
    }
    let comment = segment(0xfe, b"<html><script>alert(1)</script></html>");
    assert!(decoded(&with(&whole, &comment)).unwrap() == decoded(&whole).unwrap());
}

#[test]
fn a_cmyk_or_ycck_jpeg_is_read_as_rgb() {
    // Adobe stores the paper that is left: all of it is white.
    for (samples, adobe, rgb) in [
        ([255, 255, 255, 255], Some(0), [255, 255, 255]),
        ([255, 255, 255, 0], Some(0), [0, 0, 0]),
        ([0, 255, 255, 255], Some(0), [0, 255, 255]),
        ([255, 255, 255, 255], None, [255, 255, 255]),
    ] {
        let file = flat((24, 16), &samples, adobe);
        let picture = decoded(&file).unwrap();
        assert!(picture.pixels().all(|pixel| pixel.0 == rgb), "{samples:?}");
        assert!(picture == by_image(&file));
    }
    for samples in [[255, 128, 128, 255], [200, 100, 30, 99]] {
        let file = flat((24, 16), &samples, Some(2));
        assert!(decoded(&file).unwrap() == by_image(&file));
    }
}

#[test]
fn jpegs_of_other_kinds_are_told_apart_from_damaged_ones() {
    for (kind, bits, reason) in [
        (0xc1, 12, "more than 8 bits"),
        (0xc2, 12, "more than 8 bits"),
        (0xc3, 8, "lossless"),
        (0xc5, 8, "hierarchical"),
        (0xc9, 8, "arithmetically"),
        (0xca, 8, "arithmetically"),
    ] {
        let mut file = vec![0xff, 0xd8];
        file.extend(frame(kind, bits, (8, 8), 3));
        match decoded(&file) {
            Err(error @ ImageError::UnreadKind(_)) => {
                let said = error.to_string();
                assert!(
                    said.contains(reason) && said.contains("ordinary JPEG"),
                    "{said}"
                );
            }
            other => panic!("{kind:x}: {other:?}"),
        }
    }
}

#[test]
fn a_jpeg_of_no_width_or_height_is_damaged() {
    for size in [(0, 0), (0, 8), (8, 0)] {
        let mut file = vec![0xff, 0xd8];
        file.extend(frame(0xc0, 8, size, 3));
        file.extend(segment(0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]));
        assert_eq!(decoded(&file), Err(ImageError::Damaged), "{size:?}");
    }
}

#[test]
fn a_jpeg_that_states_a_huge_picture_is_refused_without_decoding_it() {
    let mut file = vec![0xff, 0xd8];
    file.extend(frame(0xc0, 8, (65535, 65535), 3));
    file.extend(segment(0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]));
    assert!(matches!(
        decoded(&file),
        Err(ImageError::TooManyPixels { .. })
    ));
}
