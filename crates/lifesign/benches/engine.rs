//! What the engine does with a decoded picture, by stage; and the networks alone.

#[path = "../../lifesign-bench/src/pictures.rs"]
mod pictures;

use std::path::Path;

use divan::{Bencher, black_box};
use image::RgbImage;
use lifesign::detect::Detector;
use lifesign::network::{self, Network, Tensor};
use lifesign::pad::View;
use lifesign::pad::card::{Card, ViewCard};
use lifesign::{AssessOptions, Engine, EngineConfig, Face, Likeness, Quality, Sampler};

fn main() {
    divan::main();
}

const SIZES: [(u32, u32); 3] = [(640, 480), (1920, 1080), (4000, 3000)];
const VIEWS: [&str; 2] = ["far", "tight"];

fn load(file: &str) -> Box<dyn Network> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    network::load(&std::fs::read(models.join(file)).unwrap()).unwrap()
}

fn detector() -> Detector {
    Detector::new(load("detector/centerface.onnx")).unwrap()
}

fn card(name: &str) -> ViewCard {
    let card = include_str!("../../../models/pad/card.toml");
    let mut views = Card::parse(card).unwrap().views.into_iter();
    views.find(|view| view.name == name).unwrap()
}

fn with_face((width, height): (u32, u32)) -> (RgbImage, Face) {
    let picture = pictures::draw(width, height);
    let face = detector()
        .find(&Sampler::new(&picture))
        .unwrap()
        .swap_remove(0);
    (picture, face)
}

/// A network on `shape`, without what is around it.
fn run(bencher: Bencher, network: &dyn Network, shape: [usize; 4]) {
    network.prepare(shape).unwrap();
    let data = vec![0.5; shape.iter().product()];
    bencher
        .with_inputs(|| Tensor {
            shape,
            data: data.clone(),
        })
        .bench_values(|input| network.run(black_box(input)).unwrap());
}

#[divan::bench(args = [(192, 160), (192, 192), (640, 480)])]
fn detector_network(bencher: Bencher, (width, height): (usize, usize)) {
    let network = load("detector/centerface.onnx");
    run(bencher, network.as_ref(), [1, 3, height, width]);
}

#[divan::bench(args = VIEWS)]
fn pad_network(bencher: Bencher, name: &str) {
    let card = card(name);
    let network = load(&format!("pad/{}", card.weights));
    run(bencher, network.as_ref(), card.input.shape());
}

/// Shrinking, the network, and faces of its maps.
#[divan::bench(args = SIZES)]
fn find_faces(bencher: Bencher, size: (u32, u32)) {
    let (picture, detector) = (pictures::draw(size.0, size.1), detector());
    bencher.bench(|| detector.find(&Sampler::new(black_box(&picture))).unwrap());
}

/// The crop and its network.
#[divan::bench(args = VIEWS)]
fn view_at_12_megapixels(bencher: Bencher, name: &str) {
    let (picture, face) = with_face(SIZES[2]);
    let card = card(name);
    let network = load(&format!("pad/{}", card.weights));
    let view = View::new(card, network).unwrap();
    bencher.bench(|| {
        view.logit(&Sampler::new(black_box(&picture)), &face.rect)
            .unwrap()
    });
}

/// A crop alone, nearly: it is shrunk to 17 x 16 pixels.
#[divan::bench(args = SIZES)]
fn likeness(bencher: Bencher, size: (u32, u32)) {
    let (picture, face) = with_face(size);
    bencher.bench(|| Likeness::of(&Sampler::new(black_box(&picture)), &face.rect).unwrap());
}

#[divan::bench(args = SIZES)]
fn quality(bencher: Bencher, size: (u32, u32)) {
    let (picture, face) = with_face(size);
    bencher.bench(|| Quality::measure(&Sampler::new(black_box(&picture)), &face).unwrap());
}

#[divan::bench(args = SIZES)]
fn assess(bencher: Bencher, (width, height): (u32, u32)) {
    let engine = Engine::load(&EngineConfig::default()).unwrap();
    let bytes = pictures::jpeg(&pictures::draw(width, height));
    bencher.bench(|| {
        engine
            .assess(black_box(&bytes), &AssessOptions::default())
            .unwrap()
    });
}

#[divan::bench(sample_count = 5)]
fn load_engine() -> Engine {
    Engine::load(&EngineConfig::default()).unwrap()
}
