//! The floor: each step by the fastest implementation there is. What the engine's own code does around the
//! networks is done by the engine's own code, so that both compute the same.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, anyhow, ensure};
use image::RgbImage;
use lifesign::detect::Detector;
use lifesign::network::{InferenceError, Network, Output, Tensor};
use lifesign::pad::View;
use lifesign::pad::card::Card;
use lifesign::{Face, Sampler};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use serde::Deserialize;
use turbojpeg::{Compressor, DecompressHeader, Decompressor, Image, PixelFormat, Subsamp};

use crate::pictures::QUALITY;

/// Where the weights and cards are.
pub fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

/// The networks in ONNX Runtime.
pub struct Floor {
    detector: Detector,
    views: Vec<FloorView>,
    /// A picture's memory, for the next.
    pub room: Cell<Vec<u8>>,
    // Sessions live no longer than it.
    _environment: Environment,
}

#[cfg(not(feature = "onnxruntime"))]
fn environment() -> anyhow::Result<Environment> {
    let library = std::env::var_os("ORT_DYLIB_PATH").context(
        "ORT_DYLIB_PATH must name ONNX Runtime's library, such as \
         …/site-packages/onnxruntime/capi/libonnxruntime.so.1.…",
    )?;
    Ok(ort::init_from(library)?.build()?)
}

/// The engine's: there may be one in a process.
#[cfg(feature = "onnxruntime")]
fn environment() -> anyhow::Result<Environment> {
    Ok(lifesign::network::onnxruntime::environment()?)
}

struct FloorView {
    weight: f64,
    output: usize,
    network: OnnxRuntime,
    /// Gives the engine's own crops.
    crop: View,
    cropped: Arc<Mutex<Option<Tensor>>>,
}

impl Floor {
    /// Loads ONNX Runtime from the library that `ORT_DYLIB_PATH` names, and the networks of `models/`.
    pub fn load() -> anyhow::Result<Floor> {
        let environment = environment()?;
        let detector = OnnxRuntime::new(&environment, &models().join("detector/centerface.onnx"))?;
        let text = std::fs::read_to_string(models().join("pad/card.toml"))?;
        let card = Card::parse(&text).map_err(|problem| anyhow!(problem))?;
        let mut views = Vec::new();
        for view in card.views {
            let network =
                OnnxRuntime::new(&environment, &models().join("pad").join(&view.weights))?;
            network.prepare(view.input.shape())?;
            let cropped = Arc::default();
            views.push(FloorView {
                weight: view.weight,
                output: view.output.index,
                network,
                crop: View::new(view, Box::new(Recorder(Arc::clone(&cropped))))?,
                cropped,
            });
        }
        Ok(Floor {
            detector: Detector::new(Box::new(detector))?,
            views,
            room: Cell::default(),
            _environment: environment,
        })
    }

    /// The faces in `picture`: shrunk as the engine does it.
    pub fn faces(&self, picture: &RgbImage) -> anyhow::Result<Vec<Face>> {
        Ok(self.detector.find(&Sampler::new(picture))?)
    }

    /// What the PAD networks see of `face`.
    pub fn crops(&self, picture: &RgbImage, face: &Face) -> anyhow::Result<Vec<Tensor>> {
        let picture = &Sampler::new(picture);
        let crops = self.views.iter().map(|view| {
            // The recorder's answer is no logit that the view takes; what was recorded counts.
            let _ = view.crop.logit(picture, &face.rect);
            let mut cropped = view.cropped.lock().unwrap_or_else(PoisonError::into_inner);
            cropped.take().context("the view ran no network")
        });
        crops.collect()
    }

    /// The raw score of what the networks see.
    pub fn score(&self, crops: &[Tensor]) -> anyhow::Result<f64> {
        let mut raw = 0.0;
        for (view, crop) in self.views.iter().zip(crops) {
            let outputs = view.network.answer(crop)?;
            let logit = outputs[0].data[view.output];
            raw += view.weight * f64::from(logit);
        }
        Ok(raw)
    }
}

/// One network. It has a session for each shape, because a fixed shape lets ONNX Runtime plan its memory.
struct OnnxRuntime {
    environment: Environment,
    file: Vec<u8>,
    sessions: Mutex<HashMap<[usize; 4], Session>>,
}

impl OnnxRuntime {
    fn new(environment: &Environment, path: &Path) -> anyhow::Result<OnnxRuntime> {
        Ok(OnnxRuntime {
            environment: environment.clone(),
            file: std::fs::read(path)?,
            sessions: Mutex::default(),
        })
    }

    fn session(&self, shape: [usize; 4]) -> ort::Result<Session> {
        let [_, _, height, width] = shape.map(|side| side as i64);
        // What the detector's file calls its sides; the PAD networks' shapes are in their files.
        Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_dimension_override("B", 1)?
            .with_dimension_override("H", height)?
            .with_dimension_override("W", width)?
            .commit_from_memory(&self.file)
    }

    fn answer(&self, input: &Tensor) -> anyhow::Result<Vec<Output>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(&input.shape).context("not prepared")?;
        let tensor = TensorRef::from_array_view((input.shape, &*input.data))?;
        let outputs = session.run(ort::inputs![tensor])?;
        let outputs = outputs.values().map(|output| {
            let (shape, data) = output.try_extract_tensor::<f32>()?;
            Ok(Output {
                shape: shape.iter().map(|&side| side as usize).collect(),
                data: data.to_vec(),
            })
        });
        outputs.collect()
    }
}

/// The seam gives other crates no error of its own, and a floor that fails is no floor.
impl Network for OnnxRuntime {
    fn prepare(&self, shape: [usize; 4]) -> Result<(), InferenceError> {
        let session = self.session(shape).expect("ONNX Runtime takes the network");
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(shape, session);
        Ok(())
    }

    fn run(&self, input: Tensor) -> Result<Vec<Output>, InferenceError> {
        Ok(self.answer(&input).expect("ONNX Runtime runs the network"))
    }

    fn runtime(&self) -> &'static str {
        "onnxruntime"
    }
}

/// Keeps the input it is given.
struct Recorder(Arc<Mutex<Option<Tensor>>>);

impl Network for Recorder {
    fn prepare(&self, _: [usize; 4]) -> Result<(), InferenceError> {
        Ok(())
    }

    fn run(&self, input: Tensor) -> Result<Vec<Output>, InferenceError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(input);
        Ok(Vec::new())
    }

    fn runtime(&self) -> &'static str {
        "none"
    }
}

/// A request's body, of which the floor reads no more than the photograph.
#[derive(Deserialize)]
struct Body<'a> {
    image: &'a str,
}

/// The photograph in a request's body, without a copy of its text.
pub fn photograph(body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let body: Body = serde_json::from_slice(body)?;
    base64_simd::STANDARD
        .decode_to_vec(body.image)
        .map_err(|error| anyhow!("{error}"))
}

/// A JPEG or WebP by libjpeg-turbo or libwebp, the former in the memory of a picture that is no longer needed, as the
/// engine has it: from the system, that of 12 megapixels would be a quarter of the time.
pub fn decode(bytes: &[u8], mut room: Vec<u8>) -> anyhow::Result<RgbImage> {
    if bytes.starts_with(b"RIFF") {
        let picture = webp::Decoder::new(bytes).decode().context("no WebP")?;
        ensure!(!picture.is_alpha(), "it has alpha");
        return RgbImage::from_raw(picture.width(), picture.height(), picture.to_vec())
            .context("not as large as it says");
    }
    let mut decoder = Decompressor::new()?;
    let DecompressHeader { width, height, .. } = decoder.read_header(bytes)?;
    let pitch = 3 * width;
    room.resize(pitch * height, 0);
    let picture = Image {
        pixels: room.as_mut_slice(),
        width,
        pitch,
        height,
        format: PixelFormat::RGB,
    };
    decoder.decompress(bytes, picture)?;
    RgbImage::from_raw(width as u32, height as u32, room).context("not as large as it says")
}

/// A JPEG as cameras and browsers write it: colours at half the resolution, both ways.
pub fn camera_jpeg(picture: &RgbImage, progressive: bool) -> anyhow::Result<Vec<u8>> {
    let (width, height) = picture.dimensions();
    let image = Image {
        pixels: picture.as_raw().as_slice(),
        width: width as usize,
        pitch: 3 * width as usize,
        height: height as usize,
        format: PixelFormat::RGB,
    };
    let mut encoder = Compressor::new()?;
    encoder.set_quality(QUALITY.into())?;
    encoder.set_subsamp(Subsamp::Sub2x2)?;
    encoder.set_progressive(progressive)?;
    Ok(encoder.compress_to_vec(image)?)
}

/// A lossy WebP.
pub fn webp(picture: &RgbImage) -> Vec<u8> {
    webp::Encoder::from_rgb(picture, picture.width(), picture.height())
        .encode(QUALITY.into())
        .to_vec()
}
