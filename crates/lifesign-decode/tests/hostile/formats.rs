//! What a file is, is decided by its first bytes.

use lifesign_decode::ImageError;

use crate::{by_image, decoded, photograph};

#[test]
fn a_file_of_another_format_is_told_which_three_are_read() {
    let files: [&[u8]; 14] = [
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0",
        b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
        b"II\x2a\0\x08\0\0\0\0\0\0\0",
        b"MM\0\x2a\0\0\0\x08\0\0\0\0",
        b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
        b"%PDF-1.7\n1 0 obj\n",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        b"<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
        b"PK\x03\x04\x14\0\0\0",
        b"MZ\x90\0\x03\0\0\0",
        b"\xff\x0a\0\0\0\0\0\0\0\0",
        b"RIFF\x24\0\0\0WAVEfmt ",
    ];
    for file in files {
        assert_eq!(decoded(file), Err(ImageError::UnknownFormat), "{file:?}");
    }
    let said = ImageError::UnknownFormat.to_string();
    assert!(
        ["JPEG", "PNG", "WebP"]
            .iter()
            .all(|name| said.contains(name))
    );
}

#[test]
fn a_picture_behind_the_head_of_another_format_is_not_read() {
    let picture = photograph("live_portrait.jpg");
    let heads: [&[u8]; 4] = [b"GIF89a", b"%PDF-1.4\n", b"\n", b"<script>"];
    for head in heads {
        assert_eq!(
            decoded(&[head, &picture].concat()),
            Err(ImageError::UnknownFormat)
        );
    }
}

#[test]
fn a_file_that_is_two_things_is_the_one_that_it_begins_with() {
    let jpeg = photograph("live_portrait.jpg");
    let png = photograph("live_portrait.png");
    let webp = photograph("live_portrait.webp");
    let tails: [&[u8]; 4] = [
        b"PK\x05\x06\0\0\0\0",
        b"MZ\x90\0",
        b"<script>alert(1)</script>",
        &jpeg,
    ];
    for picture in [&jpeg, &png, &webp] {
        for tail in tails {
            let file = [picture, tail].concat();
            assert!(decoded(&file).unwrap() == by_image(picture));
        }
    }
}

#[test]
fn no_error_repeats_what_the_file_says() {
    let secret = b"<script>secret</script>";
    for name in [
        "live_portrait.jpg",
        "live_portrait.png",
        "live_portrait.webp",
    ] {
        let picture = photograph(name);
        for at in [3, 8, 12, 16, 30, 200] {
            let file = [&picture[..at], secret, &picture[at + secret.len()..]].concat();
            if let Err(error) = decoded(&file) {
                assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
            }
        }
    }
}
