//! The seam between Lifesign and its neural network runtime: load a network, run it on a tensor.
//!
//! Everything the engine needs of a runtime is the [`Network`] trait. There are three backends:
//! [`lifesign_conv`] for networks of the kind that Lifesign ships, [tract](https://github.com/sonos/tract) for all
//! others, and, where the feature `onnxruntime` asks for it, [ONNX Runtime](https://onnxruntime.ai) for both.
//! Another one is one more file beside theirs and one more arm in [`load`].

// Beside ONNX Runtime the tests hold all to the same results.
#[cfg(any(test, not(feature = "onnxruntime")))]
mod convolutional;
#[cfg(feature = "onnxruntime")]
pub mod onnxruntime;
#[cfg(any(test, not(feature = "onnxruntime")))]
mod tract;

use std::fmt;

/// A dense float tensor in NCHW order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Batch, channels, height, width.
    pub shape: [usize; 4],
    /// `shape` product values, the width running fastest.
    pub data: Vec<f32>,
}

/// One output of a network: its shape and its values, the last dimension running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Any rank.
    pub shape: Vec<usize>,
    /// Product of `shape` values.
    pub data: Vec<f32>,
}

/// A loaded network. One call runs on the calling thread; calls from several threads run side by
/// side.
pub trait Network: Send + Sync {
    /// Gets ready for inputs of `shape`, so that the first [`run`](Network::run) is not slower
    /// than the next.
    ///
    /// # Errors
    /// [`InferenceError`] when the network does not take such an input.
    fn prepare(&self, shape: [usize; 4]) -> Result<(), InferenceError>;

    /// Runs the network on `input` and returns its outputs in the file's order.
    ///
    /// # Errors
    /// [`InferenceError`] when the network does not take such an input or fails on it.
    fn run(&self, input: Tensor) -> Result<Vec<Output>, InferenceError>;

    /// What runs it: `built-in`, `tract` or `onnxruntime`.
    fn runtime(&self) -> &'static str;
}

/// Reads an ONNX file, for the fastest backend that can run it.
///
/// # Errors
/// [`InferenceError`] when the bytes are no ONNX network or use an operator that no backend has, or ONNX Runtime
/// is asked for and not on the machine.
pub fn load(onnx: &[u8]) -> Result<Box<dyn Network>, InferenceError> {
    #[cfg(feature = "onnxruntime")]
    {
        Ok(Box::new(onnxruntime::OnnxRuntime::load(onnx)?))
    }
    #[cfg(not(feature = "onnxruntime"))]
    match convolutional::ConvolutionalNetwork::load(onnx) {
        Ok(network) => Ok(Box::new(network)),
        // Which says so if it is no network at all.
        Err(_) => Ok(Box::new(tract::TractNetwork::load(onnx)?)),
    }
}

/// A network could not be loaded or run: a fault of ours, never of the photograph.
#[derive(Debug)]
pub struct InferenceError(String);

impl InferenceError {
    /// Wraps the runtime's own words, causes included.
    pub(crate) fn new(cause: impl fmt::Display) -> Self {
        InferenceError(format!("{cause:#}"))
    }
}

impl fmt::Display for InferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inference failed: {}", self.0)
    }
}

impl std::error::Error for InferenceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runtime_computes_the_same() {
        let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/");
        for (file, shape) in [
            ("pad/far.onnx", [1, 3, 112, 112]),
            ("pad/tight.onnx", [1, 3, 128, 128]),
            ("detector/centerface.onnx", [1, 3, 160, 192]),
            // Does not divide by the network's strides more often than it has to.
            ("detector/centerface.onnx", [1, 3, 96, 160]),
        ] {
            let onnx = std::fs::read(format!("{models}{file}")).unwrap();
            let data: Vec<f32> = (0..shape.iter().product())
                .map(|index: usize| (index * 7 % 41) as f32 / 20.0 - 1.0)
                .collect();
            let run = |network: &dyn Network| {
                network.prepare(shape).unwrap();
                let data = data.clone();
                network.run(Tensor { shape, data }).unwrap()
            };
            let tract = run(&tract::TractNetwork::load(&onnx).unwrap());
            let built_in = convolutional::ConvolutionalNetwork::load(&onnx).unwrap();
            // With the feature `onnxruntime` a third.
            let chosen = load(&onnx).unwrap();
            for other in [run(&built_in), run(chosen.as_ref())] {
                assert_eq!(tract.len(), other.len());
                for (tract, other) in tract.iter().zip(&other) {
                    assert_eq!(tract.shape, other.shape);
                    for (a, b) in tract.data.iter().zip(&other.data) {
                        assert!((a - b).abs() < 1e-4, "{file}: {a} and {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_shape_that_a_network_does_not_take_is_an_error() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pad/far.onnx");
        let onnx = std::fs::read(file).unwrap();
        let network = convolutional::ConvolutionalNetwork::load(&onnx).unwrap();
        for shape in [[1, 4, 112, 112], [1, 3, 0, 112], [2, 3, 112, 112]] {
            assert!(network.prepare(shape).is_err(), "{shape:?}");
            let data = vec![0.0; shape.iter().product()];
            assert!(network.run(Tensor { shape, data }).is_err(), "{shape:?}");
        }
    }

    #[test]
    fn what_is_no_network_is_an_error() {
        assert!(load(b"not a network").is_err());
        assert!(load(b"").is_err());
    }
}
