#![forbid(unsafe_code)]
//! Runs small convolutional networks, such as MobileNetV2, EfficientNet-Lite and what is built on them, on one core,
//! with the vector instructions of the machine it finds itself on.
//!
//! # Example
//! ```
//! use lifesign_conv::{Graph, Network, Window};
//!
//! // The mean of a picture's brightness, halved: one channel, a 1x1 convolution, a mean.
//! let mut graph = Graph::new(1);
//! let window = Window { side: 1, stride: 1, pads: [0; 4] };
//! let half = graph.convolution(graph.input(), window, vec![0.5], vec![0.0])?;
//! let mean = graph.mean(half);
//! let network = Network::new(graph, &[mean])?;
//!
//! let outputs = network.run(&[1.0, 2.0, 3.0, 6.0], 2, 2)?;
//! assert_eq!(outputs[0].planes, [1.5]);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod fuse;
mod graph;
mod kernel;
mod memory;
mod network;
mod run;
mod step;

pub use graph::{Graph, GraphError, Value, Window};
pub use network::{InputError, Map, Network};
