use std::time::Duration;

use image::RgbImage;
use lifesign_decode::{ImageError, Limits, decode};

use crate::build::png::{SIGNATURE, chunk, file, header, stored, zeros};
use crate::build::sample;
use crate::{assert_damaged_wherever_cut, assert_stopped, by_image, decoded, photograph};

/// Bit depth, colour type, and how many samples a pixel has.
const KINDS: [(u8, u8, u32); 15] = [
    (1, 0, 1),
    (2, 0, 1),
    (4, 0, 1),
    (8, 0, 1),
    (16, 0, 1),
    (8, 2, 3),
    (16, 2, 3),
    (1, 3, 1),
    (2, 3, 1),
    (4, 3, 1),
    (8, 3, 1),
    (8, 4, 2),
    (16, 4, 2),
    (8, 6, 4),
    (16, 6, 4),
];

/// The seven passes of an interlaced picture: first column and row, and the steps.
const PASSES: [[u32; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];

fn row(bits: u32, samples: u32, xs: impl Iterator<Item = u32>, y: u32) -> Vec<u8> {
    let count = xs.size_hint().0;
    let mut row = vec![0; 1 + (count * (bits * samples) as usize).div_ceil(8)];
    let mut place = 8;
    for x in xs {
        for channel in 0..samples {
            let value = u32::from(sample(x, y, channel)) * if bits == 16 { 251 } else { 1 };
            for bit in (0..bits).rev() {
                row[place / 8] |= ((value >> bit & 1) << (7 - place % 8)) as u8;
                place += 1;
            }
        }
    }
    row
}

/// A picture of one kind, with a palette where it needs one and `more` chunks.
fn picture(
    (depth, colours, samples): (u8, u8, u32),
    size: (u32, u32),
    interlaced: bool,
    more: &[u8],
) -> Vec<u8> {
    let passes = if interlaced {
        &PASSES[..]
    } else {
        &[[0, 0, 1, 1]]
    };
    let mut data = Vec::new();
    for &[x, y, dx, dy] in passes.iter().filter(|pass| pass[0] < size.0) {
        for y in (y..size.1).step_by(dy as usize) {
            let xs = (0..(size.0 - x).div_ceil(dx)).map(|step| x + step * dx);
            data.extend(row(depth.into(), samples, xs, y));
        }
    }
    let palette = match colours {
        3 => chunk(
            b"PLTE",
            &(0..3u32 << depth.min(8))
                .map(|i| sample(i, i, i))
                .collect::<Vec<_>>(),
        ),
        _ => Vec::new(),
    };
    file(
        size,
        [depth, colours, interlaced.into()],
        &[&palette[..], more].concat(),
        &stored(&data),
    )
}

#[test]
fn every_kind_of_png_has_the_pixels_that_image_decodes() {
    for kind in KINDS {
        for interlaced in [false, true] {
            for size in [(1, 1), (3, 2), (8, 8), (13, 21)] {
                let file = picture(kind, size, interlaced, b"");
                let name = format!("{kind:?}, {size:?}, interlaced {interlaced}");
                assert_eq!(decoded(&file).expect(&name), by_image(&file), "{name}");
            }
        }
    }
}

#[test]
fn a_transparent_colour_changes_no_pixel() {
    let entries: &[u8] = &[0; 200];
    for (kind, transparent) in [
        ((8, 0, 1), &entries[..2]),
        ((16, 0, 1), &entries[..2]),
        ((8, 2, 3), &entries[..6]),
        ((16, 2, 3), &entries[..6]),
        ((8, 3, 1), entries),
        ((4, 3, 1), &entries[..16]),
    ] {
        for interlaced in [false, true] {
            let with = picture(kind, (13, 21), interlaced, &chunk(b"tRNS", transparent));
            let without = picture(kind, (13, 21), interlaced, b"");
            assert_eq!(decoded(&with).unwrap(), by_image(&with));
            assert_eq!(decoded(&with).unwrap(), decoded(&without).unwrap());
        }
    }
}

#[test]
fn a_wholly_transparent_picture_is_the_colours_under_it() {
    let file = file(
        (2, 1),
        [8, 6, 0],
        b"",
        &stored(&[0, 10, 20, 30, 0, 200, 100, 50, 0]),
    );
    let expected = RgbImage::from_raw(2, 1, vec![10, 20, 30, 200, 100, 50]).unwrap();
    assert_eq!(decoded(&file), Ok(expected));
}

#[test]
fn a_png_of_50000_by_50000_is_refused_without_decoding_it() {
    let bomb = file((50_000, 50_000), [8, 2, 0], b"", &zeros(300_000));
    assert!(bomb.len() > 1000 && bomb.len() < 5000);
    assert_eq!(
        decoded(&bomb),
        Err(ImageError::TooManyPixels {
            width: 50_000,
            height: 50_000,
            limit: 50_000_000
        })
    );
}

#[test]
fn a_png_of_one_endless_row_is_reckoned_with_its_copies() {
    let row = file((49_000_000, 1), [16, 6, 0], b"", &zeros(300_000));
    assert!(matches!(
        decoded(&row),
        Err(ImageError::TooMuchMemory { .. })
    ));
}

#[test]
fn memory_is_bounded_by_the_limit_and_the_error_says_both() {
    let file = picture((8, 2, 3), (100, 100), false, b"");
    let limits = |max_memory| Limits {
        max_memory,
        ..Limits::default()
    };
    let Err(
        error @ ImageError::TooMuchMemory {
            needed,
            limit: 1000,
        },
    ) = decode(&file, &limits(1000))
    else {
        panic!("it was decoded");
    };
    let said = error.to_string();
    assert!(
        said.contains(&needed.to_string()) && said.contains("1000"),
        "{said}"
    );
    assert!(decode(&file, &limits(needed as usize)).is_ok());
}

#[test]
fn a_png_that_takes_too_long_is_given_up_in_time() {
    let zeros = zeros(6000 * (1 + 5000 * 3));
    for interlaced in [0, 1] {
        let bomb = file((5000, 6000), [8, 2, interlaced], b"", &zeros);
        assert!(bomb.len() < 600_000);
        assert_stopped(&bomb, Duration::from_millis(10));
    }
}

#[test]
fn a_bomb_in_a_colour_profile_or_a_text_does_no_harm() {
    let bomb = [b"x\0\0", &zeros(200 << 20)[..]].concat();
    for name in [b"iCCP", b"zTXt"] {
        let file = picture((8, 2, 3), (3, 2), false, &chunk(name, &bomb));
        let limits = Limits {
            max_memory: 10_000,
            ..Limits::default()
        };
        assert!(decode(&file, &limits).is_ok());
    }
}

#[test]
fn a_wrong_checksum_counts_where_the_picture_is_in_question() {
    let good = picture((8, 2, 3), (13, 21), false, &chunk(b"tEXt", b"a\0b"));
    let after = |name: &[u8; 4]| good.windows(4).position(|four| four == name).unwrap() + 4;
    for (name, length, damaged) in [
        (b"IHDR", 13, true),
        (b"IDAT", good.len() - 12 - 4 - after(b"IDAT"), true),
        (b"tEXt", 3, false),
    ] {
        let mut wrong = good.clone();
        wrong[after(name) + length] ^= 1;
        match damaged {
            true => assert_eq!(decoded(&wrong), Err(ImageError::Damaged)),
            false => assert_eq!(decoded(&wrong), decoded(&good)),
        }
    }
    let mut wrong = good.clone();
    wrong[after(b"IDAT") + 20] ^= 1;
    assert_eq!(decoded(&wrong), Err(ImageError::Damaged));
}

#[test]
fn a_png_of_no_width_or_height_is_damaged() {
    for size in [(0, 0), (0, 8), (8, 0)] {
        let file = file(size, [8, 2, 0], b"", &stored(&[0; 8]));
        assert_eq!(decoded(&file), Err(ImageError::Damaged), "{size:?}");
    }
}

#[test]
fn a_png_cut_anywhere_is_damaged() {
    let whole = photograph("live_portrait.png");
    let pixels_end = whole.len() - 12;
    assert_damaged_wherever_cut(&whole, (9..200).chain((200..pixels_end).step_by(1999)));
    assert_damaged_wherever_cut(&whole, pixels_end - 20..pixels_end);
    let small = picture((8, 2, 3), (13, 21), true, b"");
    assert_damaged_wherever_cut(&small, 9..small.len() - 12);
}

#[test]
fn rows_that_are_missing_are_not_made_up() {
    let file = [
        SIGNATURE,
        &header((13, 42), [8, 2, 0]),
        &chunk(b"IDAT", &stored(&[0; 21 * 40])),
        &chunk(b"IEND", b""),
    ]
    .concat();
    assert_eq!(decoded(&file), Err(ImageError::Damaged));
}

#[test]
fn an_animated_png_is_refused() {
    let control = [0, 0, 0, 2, 0, 0, 0, 0];
    let file = picture((8, 2, 3), (13, 21), false, &chunk(b"acTL", &control));
    assert_eq!(decoded(&file), Err(ImageError::Animation));
}

#[test]
fn what_follows_a_pngs_end_is_not_looked_at() {
    let whole = picture((8, 2, 3), (13, 21), false, b"");
    for tail in [b"MZ\x90\0This program".as_slice(), b"<script>", &[0; 9000]] {
        assert_eq!(decoded(&[&whole, tail].concat()), decoded(&whole));
    }
}
