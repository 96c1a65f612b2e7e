//! Decoding, by format and size.

#[path = "../../lifesign-bench/src/pictures.rs"]
mod pictures;

use divan::{Bencher, black_box};
use image::codecs::{png::PngEncoder, webp::WebPEncoder};
use lifesign_decode::{Limits, decode};

fn main() {
    divan::main();
}

const SIZES: [(u32, u32); 3] = [(640, 480), (1920, 1080), (4000, 3000)];

fn run(bencher: Bencher, bytes: &[u8]) {
    let limits = Limits::default();
    bencher.bench(|| decode(black_box(bytes), &limits).unwrap());
}

#[divan::bench(args = SIZES)]
fn jpeg(bencher: Bencher, (width, height): (u32, u32)) {
    run(bencher, &pictures::jpeg(&pictures::draw(width, height)));
}

/// At 12 megapixels it is larger than any photograph that is taken.
#[divan::bench(args = [(640, 480), (1920, 1080)], sample_count = 20)]
fn png(bencher: Bencher, (width, height): (u32, u32)) {
    let mut bytes = Vec::new();
    let picture = pictures::draw(width, height);
    picture
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .unwrap();
    run(bencher, &bytes);
}

#[divan::bench(args = [(640, 480), (1920, 1080)], sample_count = 20)]
fn webp_lossless(bencher: Bencher, (width, height): (u32, u32)) {
    let mut bytes = Vec::new();
    let picture = pictures::draw(width, height);
    picture
        .write_with_encoder(WebPEncoder::new_lossless(&mut bytes))
        .unwrap();
    run(bencher, &bytes);
}

/// 512 x 512 pixels, as every lossy WebP is: with colours at half the resolution.
#[divan::bench]
fn webp_lossy(bencher: Bencher) {
    run(
        bencher,
        include_bytes!("../../../tests/images/live_portrait.webp"),
    );
}

/// The same as a JPEG.
#[divan::bench]
fn jpeg_of_512(bencher: Bencher) {
    run(
        bencher,
        include_bytes!("../../../tests/images/live_portrait.jpg"),
    );
}
