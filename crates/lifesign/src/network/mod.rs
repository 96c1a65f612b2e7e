//! The seam between Lifesign and its neural network runtime: load a network, run it on a tensor.
//!
//! Everything the engine needs of a runtime is the [`Network`] trait. The one backend today is
//! [tract](https://github.com/sonos/tract), pure Rust; a second one is one more file beside
//! `tract.rs` and one more arm in [`load`].

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

/// Reads an ONNX file.
///
/// # Errors
/// [`InferenceError`] when the bytes are no ONNX network or use an operator the runtime lacks.
pub fn load(onnx: &[u8]) -> Result<Box<dyn Network>, InferenceError> {
    Ok(Box::new(tract::TractNetwork::load(onnx)?))
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
