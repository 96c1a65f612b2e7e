//! What a network does, one step after the other: a graph's nodes with everything fused that can be, and the
//! weights packed as the kernels read them.

use crate::graph::{Value, Window};
use crate::kernel::Clamp;
use crate::kernel::depthwise::Kernels;
use crate::kernel::product::Weights;

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) input: Value,
    /// A second map that is read.
    pub(crate) add: Option<Value>,
    pub(crate) out: Value,
    pub(crate) work: Work,
}

impl Step {
    /// Whether it is a product as it stands.
    pub(crate) fn is_point(&self) -> bool {
        matches!(
            self.work,
            Work::Convolution {
                window: Window::POINT,
                ..
            }
        )
    }
}

#[derive(Debug)]
pub(crate) enum Work {
    /// A convolution of all channels; of side 1 and stride 1 it is a product as it stands.
    Convolution {
        window: Window,
        weights: Weights,
        clamp: Clamp,
    },
    Depthwise(Depthwise),
    /// An expansion (of some), a depthwise convolution and a projection, so that what lies between them never leaves
    /// the cache.
    Block {
        expand: Option<(Weights, Clamp)>,
        depthwise: Depthwise,
        project: Weights,
        clamp: Clamp,
    },
    /// One product for each of the four pixels that a pixel becomes: upper left, upper right, lower left, lower right.
    Doubling {
        weights: [Weights; 4],
        clamp: Clamp,
    },
    Clamp(Clamp),
    Sum,
    Sigmoid,
    Mean,
}

#[derive(Debug)]
pub(crate) struct Depthwise {
    pub(crate) window: Window,
    pub(crate) kernels: Kernels,
    pub(crate) clamp: Clamp,
}
