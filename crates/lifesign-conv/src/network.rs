//! A network ready to run: its steps, and the memory that they work in.

use std::sync::{Mutex, PoisonError};

use crate::fuse;
use crate::graph::{Graph, GraphError, Value};
use crate::kernel::LANE;
use crate::memory::Aligned;
use crate::run::{self, MapMut, Size};
use crate::step::{Step, Work};

/// Memory of one run that is kept for the next, in floats; a larger picture's is given back.
const KEPT: usize = 2 << 20;

/// Pixels of a side: of more, not even the decoders give out a picture.
const MOST_SIDE: usize = 1 << 16;

/// A picture that a network does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Not as many values as it has pixels and channels.
    #[error("the input has {found} values, not {expected}")]
    Length {
        /// How many there are.
        found: usize,
        /// Channels x height x width.
        expected: usize,
    },
    /// Too small for one of the network's windows, or of sides that do not meet again in a sum.
    #[error("an input {width} wide and {height} high does not fit the network")]
    Size {
        /// In pixels.
        width: usize,
        /// In pixels.
        height: usize,
    },
}

/// One output of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// How many there are.
    pub channels: usize,
    /// In pixels.
    pub height: usize,
    /// In pixels.
    pub width: usize,
    /// A plane for each channel, the width running fastest.
    pub planes: Vec<f32>,
}

/// A network that can be run, from several threads at the same time.
#[derive(Debug)]
pub struct Network {
    steps: Vec<Step>,
    outputs: Vec<Value>,
    channels: Vec<usize>,
    /// For each value, where among the memory of a run it is kept.
    places: Vec<usize>,
    idle: Mutex<Vec<Scratch>>,
}

/// The memory of one run.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) maps: Vec<Aligned>,
    /// What a step needs beside the maps it reads and writes.
    pub(crate) work: [Aligned; 2],
}

impl Network {
    /// Makes `graph` ready to compute `outputs`.
    ///
    /// # Errors
    /// [`GraphError::Unsupported`] when one of its operations cannot be run where it stands.
    pub fn new(graph: Graph, outputs: &[Value]) -> Result<Self, GraphError> {
        let channels = graph.channels.clone();
        let steps = fuse::steps(graph, outputs)?;
        let places = places(&steps, outputs, channels.len());
        Ok(Network {
            steps,
            outputs: outputs.to_vec(),
            channels,
            places,
            idle: Mutex::default(),
        })
    }

    /// Whether the network takes pictures of `height` x `width`.
    ///
    /// # Errors
    /// [`InputError::Size`] when it does not.
    pub fn fit(&self, height: usize, width: usize) -> Result<(), InputError> {
        let sizes = self.sizes(height, width);
        sizes.map(drop).ok_or(InputError::Size { width, height })
    }

    /// Computes the outputs for one picture: `planes` has a plane of `height` x `width` values for each channel, the
    /// width running fastest.
    ///
    /// # Errors
    /// [`InputError`] when the network does not take such a picture.
    pub fn run(&self, planes: &[f32], height: usize, width: usize) -> Result<Vec<Map>, InputError> {
        let expected = height
            .saturating_mul(width)
            .saturating_mul(self.channels[0]);
        if planes.len() != expected {
            let found = planes.len();
            return Err(InputError::Length { found, expected });
        }
        let sizes = self.sizes(height, width);
        let sizes = sizes.ok_or(InputError::Size { width, height })?;
        let mut scratch = self.take();
        let input = &mut scratch.maps[self.places[Graph::INPUT.0]];
        interleave(planes, self.channels[0], input.reserve(expected));
        for step in &self.steps {
            self.step(step, &sizes, &mut scratch);
        }
        let outputs = self.outputs.iter().map(|&output| {
            let size = sizes[output.0];
            let channels = self.channels[output.0];
            let map = &scratch.maps[self.places[output.0]];
            Map {
                channels,
                height: size.height,
                width: size.width,
                planes: planes_of(map, channels, size),
            }
        });
        let outputs = outputs.collect();
        // What is kept for the next run is not to show this one's picture.
        scratch.maps[self.places[Graph::INPUT.0]].fill(0.0);
        self.put_back(scratch);
        Ok(outputs)
    }

    /// The size of each value, where they fit together.
    fn sizes(&self, height: usize, width: usize) -> Option<Vec<Size>> {
        if [height, width]
            .iter()
            .any(|side| !(1..=MOST_SIDE).contains(side))
        {
            return None;
        }
        let mut sizes = vec![Size { height, width }; self.channels.len()];
        for step in &self.steps {
            let input = sizes[step.input.0];
            let size = match &step.work {
                Work::Convolution { window, .. } => input.under(*window)?,
                Work::Depthwise(depthwise) | Work::Block { depthwise, .. } => {
                    input.under(depthwise.window)?
                }
                Work::Doubling { .. } => Size {
                    height: 2 * input.height,
                    width: 2 * input.width,
                },
                Work::Mean => Size {
                    height: 1,
                    width: 1,
                },
                Work::Clamp(_) | Work::Sum | Work::Sigmoid => input,
            };
            if size.pixels() == 0 || step.add.is_some_and(|add| sizes[add.0] != size) {
                return None;
            }
            sizes[step.out.0] = size;
        }
        Some(sizes)
    }

    fn step(&self, step: &Step, sizes: &[Size], scratch: &mut Scratch) {
        let place = self.places[step.out.0];
        // Taken out, so that the maps which are read can be borrowed beside it.
        let mut memory = std::mem::take(&mut scratch.maps[place]);
        let size = sizes[step.out.0];
        let stride = self.stride(step.out);
        let out = MapMut {
            size,
            channels: self.channels[step.out.0],
            stride,
            values: memory.reserve(size.pixels() * stride),
        };
        let map = |value: Value| {
            let size = sizes[value.0];
            let stride = self.stride(value);
            run::Map {
                size,
                stride,
                values: &scratch.maps[self.places[value.0]][..size.pixels() * stride],
            }
        };
        let (input, add) = (map(step.input), step.add.map(map));
        run::step(&step.work, input, add, out, &mut scratch.work);
        scratch.maps[place] = memory;
    }

    /// Floats from one pixel to the next.
    fn stride(&self, value: Value) -> usize {
        match value {
            Graph::INPUT => self.channels[0],
            _ => self.channels[value.0].next_multiple_of(LANE),
        }
    }

    fn take(&self) -> Scratch {
        let idle = &mut self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_else(|| {
            let count = self.places.iter().max().map_or(0, |last| last + 1);
            Scratch {
                maps: std::iter::repeat_with(Aligned::default)
                    .take(count)
                    .collect(),
                work: Default::default(),
            }
        })
    }

    fn put_back(&self, scratch: Scratch) {
        let held: usize = scratch
            .maps
            .iter()
            .chain(&scratch.work)
            .map(|map| map.len())
            .sum();
        if held <= KEPT {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(scratch);
        }
    }
}

/// Where each value is kept, so that a place is used again once what it holds has been read for the last time.
fn places(steps: &[Step], outputs: &[Value], values: usize) -> Vec<usize> {
    let mut last_read = vec![0; values];
    for (nth, step) in steps.iter().enumerate() {
        for value in [Some(step.input), step.add].into_iter().flatten() {
            last_read[value.0] = nth;
        }
    }
    for output in outputs {
        last_read[output.0] = steps.len();
    }
    let mut places = vec![0; values];
    let mut free: Vec<usize> = Vec::new();
    // The input has the first.
    let mut count = 1;
    for (nth, step) in steps.iter().enumerate() {
        places[step.out.0] = free.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        });
        // Not before the step has its own place: it reads while it writes.
        let mut over = vec![step.input, step.out];
        over.extend(step.add);
        over.sort_by_key(|value| value.0);
        over.dedup();
        over.retain(|value| last_read[value.0] <= nth);
        free.extend(over.iter().map(|value| places[value.0]));
    }
    places
}

/// A pixel after the other, from a plane for each channel.
fn interleave(planes: &[f32], channels: usize, pixels: &mut [f32]) {
    let count = planes.len() / channels;
    for (channel, plane) in planes.chunks_exact(count).enumerate() {
        for (pixel, &value) in pixels.chunks_exact_mut(channels).zip(plane) {
            pixel[channel] = value;
        }
    }
}

fn planes_of(map: &[f32], channels: usize, size: Size) -> Vec<f32> {
    let stride = channels.next_multiple_of(LANE);
    let mut planes = Vec::with_capacity(channels * size.pixels());
    for channel in 0..channels {
        let pixels = map.chunks_exact(stride).take(size.pixels());
        planes.extend(pixels.map(|pixel| pixel[channel]));
    }
    planes
}
