//! What a network computes, as its file says it: one node for each operation.

use crate::kernel::Clamp;
use crate::kernel::depthwise::MAX_SIDE;

/// A map that a node of a [`Graph`] computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value(pub(crate) usize);

/// Why a graph cannot be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// It is a network, but not one that this crate runs.
    #[error("{0} is not among what small convolutional networks are made of here")]
    Unsupported(&'static str),
    /// Its parts do not fit together.
    #[error("{what} has {found} values, not {expected}")]
    Mismatch {
        /// The part.
        what: &'static str,
        /// How many values it has.
        found: usize,
        /// How many it needs.
        expected: usize,
    },
}

/// How a convolution moves over a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Side of the kernel, which is a square.
    pub side: usize,
    /// Pixels from one result to the next, either way.
    pub stride: usize,
    /// Rows or columns of zeros around the map: above, left, below, right.
    pub pads: [usize; 4],
}

impl Window {
    /// One pixel after the other.
    pub const POINT: Window = Window {
        side: 1,
        stride: 1,
        pads: [0; 4],
    };

    /// Results along a side of the map, where the kernel fits.
    pub(crate) fn results(self, side: usize, before: usize, after: usize) -> Option<usize> {
        let free = (side + before + after).checked_sub(self.side)?;
        Some(free / self.stride + 1)
    }
}

#[derive(Debug)]
pub(crate) enum Node {
    Input,
    /// Weights in the order output, input, row, column.
    Convolution {
        input: Value,
        window: Window,
        depthwise: bool,
        weights: Vec<f32>,
        bias: Vec<f32>,
    },
    /// Each pixel becomes two by two; weights in the order input, output, row, column.
    Doubling {
        input: Value,
        weights: Vec<f32>,
        bias: Vec<f32>,
    },
    Scale {
        input: Value,
        scale: Vec<f32>,
        shift: Vec<f32>,
    },
    Clamp {
        input: Value,
        clamp: Clamp,
    },
    Sum(Value, Value),
    Sigmoid(Value),
    Mean(Value),
}

/// A network in the making: each method adds a node and names its result.
///
/// Weights come in the order that ONNX and PyTorch have them in.
#[derive(Debug)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// Of each node's result.
    pub(crate) channels: Vec<usize>,
}

impl Graph {
    pub(crate) const INPUT: Value = Value(0);

    /// A network whose input has `channels` channels.
    pub fn new(channels: usize) -> Self {
        Graph {
            nodes: vec![Node::Input],
            channels: vec![channels],
        }
    }

    /// The network's input.
    pub fn input(&self) -> Value {
        Graph::INPUT
    }

    /// A convolution of all channels with each other: weights are outputs x inputs x side x side, `bias` has a
    /// value for each output.
    ///
    /// # Errors
    /// [`GraphError`] when the weights are too few or too many.
    pub fn convolution(
        &mut self,
        input: Value,
        window: Window,
        weights: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<Value, GraphError> {
        check_window(window)?;
        check_any(&bias)?;
        let per_output = self.channels(input) * window.side * window.side;
        check("the weights", weights.len(), bias.len() * per_output)?;
        let outputs = bias.len();
        let node = Node::Convolution {
            input,
            window,
            depthwise: false,
            weights,
            bias,
        };
        Ok(self.add(node, outputs))
    }

    /// A convolution of each channel by itself, of side 3 or 5 and stride 1 or 2: weights are channels x side x side.
    ///
    /// # Errors
    /// [`GraphError`] when the weights are too few or too many, or the kernel is of another kind.
    pub fn depthwise(
        &mut self,
        input: Value,
        window: Window,
        weights: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<Value, GraphError> {
        check_window(window)?;
        if !matches!((window.side, window.stride), (3 | MAX_SIDE, 1 | 2)) {
            return Err(GraphError::Unsupported("this kind of depthwise kernel"));
        }
        let channels = self.channels(input);
        check("the bias", bias.len(), channels)?;
        let expected = channels * window.side * window.side;
        check("the weights", weights.len(), expected)?;
        let node = Node::Convolution {
            input,
            window,
            depthwise: true,
            weights,
            bias,
        };
        Ok(self.add(node, channels))
    }

    /// A transposed convolution of side 2 and stride 2, which makes each pixel two by two: weights are inputs x
    /// outputs x 2 x 2.
    ///
    /// # Errors
    /// [`GraphError`] when the weights are too few or too many.
    pub fn doubling(
        &mut self,
        input: Value,
        weights: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<Value, GraphError> {
        check_any(&bias)?;
        let expected = self.channels(input) * bias.len() * 4;
        check("the weights", weights.len(), expected)?;
        let outputs = bias.len();
        let node = Node::Doubling {
            input,
            weights,
            bias,
        };
        Ok(self.add(node, outputs))
    }

    /// Each channel times its `scale`, plus its `shift`: a normalisation whose statistics are fixed.
    ///
    /// # Errors
    /// [`GraphError`] when they are not one for each channel.
    pub fn scale(
        &mut self,
        input: Value,
        scale: Vec<f32>,
        shift: Vec<f32>,
    ) -> Result<Value, GraphError> {
        let channels = self.channels(input);
        check("the scale", scale.len(), channels)?;
        check("the shift", shift.len(), channels)?;
        let node = Node::Scale {
            input,
            scale,
            shift,
        };
        Ok(self.add(node, channels))
    }

    /// Values held between `low` and `high`; ReLU is 0 and infinity.
    pub fn clamp(&mut self, input: Value, low: f32, high: f32) -> Value {
        let clamp = Clamp { low, high };
        self.add(Node::Clamp { input, clamp }, self.channels(input))
    }

    /// Two maps, value by value.
    ///
    /// # Errors
    /// [`GraphError`] when they differ in channels.
    pub fn sum(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        check("a summand", self.channels(b), self.channels(a))?;
        Ok(self.add(Node::Sum(a, b), self.channels(a)))
    }

    /// 1 / (1 + exp(-x)).
    pub fn sigmoid(&mut self, input: Value) -> Value {
        self.add(Node::Sigmoid(input), self.channels(input))
    }

    /// The mean of each channel: a map of one pixel.
    pub fn mean(&mut self, input: Value) -> Value {
        self.add(Node::Mean(input), self.channels(input))
    }

    /// Channels of a map.
    pub fn channels(&self, value: Value) -> usize {
        self.channels[value.0]
    }

    fn add(&mut self, node: Node, channels: usize) -> Value {
        self.nodes.push(node);
        self.channels.push(channels);
        Value(self.nodes.len() - 1)
    }
}

fn check_window(window: Window) -> Result<(), GraphError> {
    // A result that lies wholly in the zeros, or a stride of nothing, is no convolution that anybody trains.
    match window.stride == 0 || window.side == 0 || window.pads.iter().any(|&p| p >= window.side) {
        true => Err(GraphError::Unsupported("such a window")),
        false => Ok(()),
    }
}

fn check_any(bias: &[f32]) -> Result<(), GraphError> {
    match bias.is_empty() {
        true => Err(GraphError::Unsupported("a convolution without outputs")),
        false => Ok(()),
    }
}

fn check(what: &'static str, found: usize, expected: usize) -> Result<(), GraphError> {
    match found == expected {
        true => Ok(()),
        false => Err(GraphError::Mismatch {
            what,
            found,
            expected,
        }),
    }
}
