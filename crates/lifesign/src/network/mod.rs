//! The seam between Lifesign and its neural network runtime: load a network, run it on a tensor.
//!
//! Everything the engine needs of a runtime is the [`Network`] trait. There are two backends:
//! [tract](https://github.com/sonos/tract), pure Rust, and, where the feature `onnxruntime` asks for it,
//! [ONNX Runtime](https://onnxruntime.ai). Another one is one more file beside theirs and one more arm in
//! [`load`].

#[cfg(feature = "onnxruntime")]
pub mod onnxruntime;
// Beside ONNX Runtime the tests hold both to the same results.
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
}

/// How a runtime keeps the data between two layers. The results are the same but for rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A plane a channel: faster for networks on large pictures, and for most plain convolutions.
    ChannelsFirst,
    /// All channels of a pixel side by side: faster for depthwise convolutions on small pictures
    /// (`docs/architecture.md` has the figures).
    ChannelsLast,
}

/// The name of the runtime that [`load`] uses: `tract` or `onnxruntime`.
pub const RUNTIME: &str = if cfg!(feature = "onnxruntime") {
    "onnxruntime"
} else {
    "tract"
};

/// Reads an ONNX file. ONNX Runtime chooses its layout itself.
///
/// # Errors
/// [`InferenceError`] when the bytes are no ONNX network or use an operator the runtime lacks, or the
/// runtime is not on the machine.
pub fn load(onnx: &[u8], layout: Layout) -> Result<Box<dyn Network>, InferenceError> {
    #[cfg(feature = "onnxruntime")]
    {
        let _ = layout;
        Ok(Box::new(onnxruntime::OnnxRuntime::load(onnx)?))
    }
    #[cfg(not(feature = "onnxruntime"))]
    Ok(Box::new(tract::TractNetwork::load(onnx, layout)?))
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
    fn every_layout_and_runtime_computes_the_same() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pad/far.onnx");
        let onnx = std::fs::read(file).unwrap();
        let shape = [1, 3, 112, 112];
        let data: Vec<f32> = (0..shape.iter().product())
            .map(|index: usize| (index * 7 % 41) as f32 / 20.0 - 1.0)
            .collect();
        let run = |network: &dyn Network| {
            let data = data.clone();
            network.run(Tensor { shape, data }).unwrap().remove(0)
        };
        let [first, last] = [Layout::ChannelsFirst, Layout::ChannelsLast]
            .map(|layout| run(&tract::TractNetwork::load(&onnx, layout).unwrap()));
        // With the feature `onnxruntime` a third.
        let chosen = run(load(&onnx, Layout::ChannelsLast).unwrap().as_ref());
        for other in [last, chosen] {
            assert_eq!(first.shape, other.shape);
            for (a, b) in first.data.iter().zip(&other.data) {
                assert!((a - b).abs() < 1e-4, "{a} and {b}");
            }
        }
    }
}
