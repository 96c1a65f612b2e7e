//! What EXIF says of a picture may be anything; only an orientation that is one of the eight counts.

use image::RgbImage;

use crate::build::jpeg::{flat, segment, with};
use crate::build::{png, sample, webp};
use crate::{by_image, decoded, photograph};

/// An entry of a directory: tag, type, count, and four bytes of value.
type Entry = (u16, u16, u32, [u8; 4]);

const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;

/// A TIFF block of one directory, which says that the next is at `next`.
fn exif(entries: &[Entry], next: u32) -> Vec<u8> {
    let mut block = b"MM\0\x2a\0\0\0\x08".to_vec();
    block.extend((entries.len() as u16).to_be_bytes());
    for (tag, kind, count, value) in entries {
        block.extend(tag.to_be_bytes());
        block.extend(kind.to_be_bytes());
        block.extend(count.to_be_bytes());
        block.extend(value);
    }
    block.extend(next.to_be_bytes());
    block
}

fn orientation(value: u8) -> Entry {
    (ORIENTATION, SHORT, 1, [0, value, 0, 0])
}

fn in_jpeg(block: &[u8]) -> Vec<u8> {
    segment(0xe1, &[b"Exif\0\0", block].concat())
}

/// A photograph that stands upright without its EXIF, with `segments` put in.
fn picture_with(segments: &[u8]) -> RgbImage {
    decoded(&with(&photograph("no_face.jpg"), segments)).unwrap()
}

fn upright() -> RgbImage {
    decoded(&photograph("no_face.jpg")).unwrap()
}

#[test]
fn an_orientation_that_is_none_of_the_eight_turns_nothing() {
    for value in [0, 9, 77, 255] {
        let block = exif(&[orientation(value)], 0);
        assert!(picture_with(&in_jpeg(&block)) == upright(), "{value}");
    }
    let block = exif(&[orientation(6)], 0);
    assert!(
        picture_with(&in_jpeg(&block)) != upright(),
        "but one of them does"
    );
}

#[test]
fn an_orientation_of_the_wrong_type_or_count_turns_nothing() {
    for (kind, count) in [
        (1, 1),
        (2, 1),
        (4, 1),
        (5, 1),
        (0, 1),
        (99, 1),
        (SHORT, 0),
        (SHORT, 2),
        (SHORT, u32::MAX),
    ] {
        let block = exif(&[(ORIENTATION, kind, count, [0, 6, 0, 6])], 0);
        assert!(
            picture_with(&in_jpeg(&block)) == upright(),
            "{kind}, {count}"
        );
    }
}

#[test]
fn directories_in_a_circle_and_offsets_outside_are_not_followed() {
    let circle = exif(&[(0x8769, 4, 1, [0, 0, 0, 8])], 8);
    let outside = exif(
        &[(0x8769, 4, 1, [0xff; 4]), (0x010e, 2, u32::MAX, [0xff; 4])],
        u32::MAX,
    );
    let mut nowhere = exif(&[orientation(6)], 0);
    nowhere[4..8].copy_from_slice(&[0xff; 4]);
    let mut many = exif(&[], 0);
    many[8..10].copy_from_slice(&[0xff; 2]);
    for block in [&circle[..], &outside, &nowhere, &many, b"MM", b"", &[0; 60]] {
        assert!(picture_with(&in_jpeg(block)) == upright(), "{block:?}");
    }
}

#[test]
fn a_size_or_a_thumbnail_in_exif_is_not_believed() {
    let huge = [0, 0xff, 0xff, 0xff];
    let thumbnail = flat((160, 120), &[0, 128, 128], None);
    let mut block = exif(
        &[
            (0xa002, 4, 1, huge),
            (0xa003, 4, 1, huge),
            (0x0201, 4, 1, [0, 0, 0, 64]),
            (0x0202, 4, 1, [0xff; 4]),
        ],
        0,
    );
    block.extend(thumbnail);
    assert!(picture_with(&in_jpeg(&block)) == upright());
}

#[test]
fn of_two_exif_blocks_the_last_counts() {
    let [six, one] = [6, 1].map(|value| in_jpeg(&exif(&[orientation(value)], 0)));
    assert!(picture_with(&[&six[..], &one].concat()) == upright());
    let turned = picture_with(&[&one[..], &six].concat());
    assert_eq!(turned.dimensions(), (upright().height(), upright().width()));
    // And of two orientations in one block the first.
    let block = exif(&[orientation(1), orientation(6)], 0);
    assert!(picture_with(&in_jpeg(&block)) == upright());
}

#[test]
fn the_orientation_counts_in_each_format() {
    let block = exif(&[orientation(6)], 0);
    let samples: Vec<u8> = (0..2)
        .flat_map(|y| {
            let row = (0..9).map(move |i| sample(i / 3, y, i % 3));
            std::iter::once(0).chain(row)
        })
        .collect();
    let in_png = png::file(
        (3, 2),
        [8, 2, 0],
        &png::chunk(b"eXIf", &block),
        &png::stored(&samples),
    );
    let in_webp = webp::file(&[
        webp::extended(0b1000, (3, 2)),
        webp::first_chunk(&webp::flat((3, 2), [1, 2, 3, 255])).to_vec(),
        webp::chunk(b"EXIF", &block),
    ]);
    for file in [in_png, in_webp] {
        let picture = decoded(&file).unwrap();
        assert_eq!(picture.dimensions(), (2, 3));
        assert_eq!(picture, by_image(&file));
    }
}
