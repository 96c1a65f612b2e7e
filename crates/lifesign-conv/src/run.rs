//! One step: from maps to a map.

use pulp::Arch;

use crate::graph::Window;
use crate::kernel::Clamp;
use crate::kernel::depthwise::{self, MAX_SIDE};
use crate::kernel::product::{Product, Weights};
use crate::memory::Aligned;
use crate::step::{Depthwise, Work};

/// What lies between the convolutions of a block at any time, in floats: half of a small second-level cache.
const STRIP: usize = 96 << 10;

/// In pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Size {
    pub(crate) fn pixels(self) -> usize {
        self.height * self.width
    }

    /// The results of `window`, where it fits.
    pub(crate) fn under(self, window: Window) -> Option<Size> {
        let [above, left, below, right] = window.pads;
        Some(Size {
            height: window.results(self.height, above, below)?,
            width: window.results(self.width, left, right)?,
        })
    }
}

/// Pixels, `stride` floats from one to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Map<'a> {
    pub(crate) size: Size,
    pub(crate) stride: usize,
    pub(crate) values: &'a [f32],
}

pub(crate) struct MapMut<'a> {
    pub(crate) size: Size,
    /// Floats of a pixel that mean something.
    pub(crate) channels: usize,
    pub(crate) stride: usize,
    pub(crate) values: &'a mut [f32],
}

pub(crate) fn step(
    work: &Work,
    map: Map<'_>,
    add: Option<Map<'_>>,
    out: MapMut<'_>,
    scratch: &mut [Aligned; 2],
) {
    let add = add.map(|map| map.values);
    match work {
        Work::Convolution {
            window,
            weights,
            clamp,
        } => convolution(*window, weights, *clamp, map, add, out, &mut scratch[0]),
        Work::Depthwise(work) => {
            let row = out.size.width * out.stride;
            for (y, out) in out.values.chunks_exact_mut(row).enumerate() {
                depthwise_row(work, map.values, map.size, 0, y, out);
            }
        }
        Work::Block {
            expand,
            depthwise,
            project,
            clamp,
        } => {
            let block = Block {
                expand: expand.as_ref(),
                depthwise,
                project,
                clamp: *clamp,
            };
            block.run(map, add, out, scratch);
        }
        Work::Doubling { weights, clamp } => doubling(weights, *clamp, map, out),
        Work::Clamp(clamp) => each(map, out, |value| value.max(clamp.low).min(clamp.high)),
        Work::Sum => {
            for ((out, a), b) in out
                .values
                .iter_mut()
                .zip(map.values)
                .zip(add.unwrap_or(&[]))
            {
                *out = a + b;
            }
        }
        Work::Sigmoid => sigmoid(map, out),
        Work::Mean => mean(map, out),
    }
}

fn each(map: Map<'_>, out: MapMut<'_>, of: impl Fn(f32) -> f32) {
    for (out, &value) in out.values.iter_mut().zip(map.values) {
        *out = of(value);
    }
}

/// Of no more than the channels that there are: it takes long.
fn sigmoid(map: Map<'_>, out: MapMut<'_>) {
    let pixels = map.values.chunks_exact(map.stride);
    for (result, pixel) in out.values.chunks_exact_mut(out.stride).zip(pixels) {
        for (out, value) in result.iter_mut().zip(pixel).take(out.channels) {
            *out = 1.0 / (1.0 + (-value).exp());
        }
    }
}

fn mean(map: Map<'_>, out: MapMut<'_>) {
    out.values.fill(0.0);
    for pixel in map.values.chunks_exact(map.stride) {
        for (sum, value) in out.values.iter_mut().zip(pixel) {
            *sum += value;
        }
    }
    let count = map.size.pixels() as f32;
    out.values.iter_mut().for_each(|sum| *sum /= count);
}

/// A convolution of all channels: what is under the kernel is gathered for a row of results, and multiplied.
fn convolution(
    window: Window,
    weights: &Weights,
    clamp: Clamp,
    map: Map<'_>,
    add: Option<&[f32]>,
    out: MapMut<'_>,
    gathered: &mut Aligned,
) {
    let arch = Arch::new();
    if window == Window::POINT {
        return arch.dispatch(Product {
            weights,
            rows: map.values,
            row_step: map.stride,
            count: map.size.pixels(),
            out: out.values,
            out_step: out.stride,
            clamp,
            add,
        });
    }
    let depth = weights.depth();
    let gathered = gathered.reserve(out.size.width * depth);
    let row = out.size.width * out.stride;
    for (y, values) in out.values.chunks_exact_mut(row).enumerate() {
        gather(window, map, y * window.stride, gathered, depth);
        arch.dispatch(Product {
            weights,
            rows: gathered,
            row_step: depth,
            count: out.size.width,
            out: values,
            out_step: out.stride,
            clamp,
            add: add.map(|add| &add[y * row..][..row]),
        });
    }
}

/// For each result of a row whose kernel begins at `top` (pads above counted), what is under it: row, column, channel.
fn gather(window: Window, map: Map<'_>, top: usize, gathered: &mut [f32], depth: usize) {
    let [above, left, ..] = window.pads;
    let side = window.side;
    let channels = depth / (side * side);
    for (x, result) in gathered.chunks_exact_mut(depth).enumerate() {
        let x = x * window.stride;
        let inner = x >= left && x - left + side <= map.size.width;
        for (ky, result) in result.chunks_exact_mut(side * channels).enumerate() {
            let y = (top + ky).checked_sub(above);
            let Some(y) = y.filter(|&y| y < map.size.height) else {
                result.fill(0.0);
                continue;
            };
            let row = &map.values[y * map.size.width * map.stride..];
            if inner && map.stride == channels {
                result.copy_from_slice(&row[(x - left) * channels..][..side * channels]);
                continue;
            }
            for (kx, result) in result.chunks_exact_mut(channels).enumerate() {
                match (x + kx).checked_sub(left) {
                    Some(x) if x < map.size.width => {
                        result.copy_from_slice(&row[x * map.stride..][..channels]);
                    }
                    _ => result.fill(0.0),
                }
            }
        }
    }
}

/// One row of results of a depthwise convolution. `values` are rows of a map of `size`, beginning with its row `first`.
fn depthwise_row(
    work: &Depthwise,
    values: &[f32],
    size: Size,
    first: usize,
    y: usize,
    out: &mut [f32],
) {
    let [above, left, ..] = work.window.pads;
    let channels = work.kernels.channels();
    let row = size.width * channels;
    let mut rows = [None; MAX_SIDE];
    for (nth, under) in rows.iter_mut().take(work.window.side).enumerate() {
        let y = (y * work.window.stride + nth).checked_sub(above);
        *under = y
            .filter(|&y| y < size.height)
            .map(|y| &values[(y - first) * row..][..row]);
    }
    Arch::new().dispatch(depthwise::Depthwise {
        kernels: &work.kernels,
        stride: work.window.stride,
        pad: left,
        width: size.width,
        rows,
        out,
        clamp: work.clamp,
    });
}

/// Four products for each row, whose results lie two pixels apart.
fn doubling(weights: &[Weights; 4], clamp: Clamp, map: Map<'_>, out: MapMut<'_>) {
    let row_in = map.size.width * map.stride;
    let row_out = out.size.width * out.stride;
    let rows = map.values.chunks_exact(row_in);
    for (rows, out_rows) in rows.zip(out.values.chunks_exact_mut(2 * row_out)) {
        for (place, weights) in weights.iter().enumerate() {
            let start = place / 2 * row_out + place % 2 * out.stride;
            Arch::new().dispatch(Product {
                weights,
                rows,
                row_step: map.stride,
                count: map.size.width,
                out: &mut out_rows[start..],
                out_step: 2 * out.stride,
                clamp,
                add: None,
            });
        }
    }
}

/// Expansion, depthwise convolution and projection, a strip of rows after the other.
struct Block<'a> {
    expand: Option<&'a (Weights, Clamp)>,
    depthwise: &'a Depthwise,
    project: &'a Weights,
    clamp: Clamp,
}

impl Block<'_> {
    fn run(self, map: Map<'_>, add: Option<&[f32]>, out: MapMut<'_>, scratch: &mut [Aligned; 2]) {
        let arch = Arch::new();
        let window = self.depthwise.window;
        let channels = self.depthwise.kernels.channels();
        let wide_row = map.size.width * channels;
        let deep_row = out.size.width * channels;
        let out_row = out.size.width * out.stride;
        // As many rows of results as keep what lies between in the cache.
        let free = STRIP.saturating_sub(window.side * wide_row);
        let strip = (free / (window.stride * wide_row + deep_row)).clamp(1, out.size.height);
        let [expanded, deep] = scratch;
        let span = ((strip - 1) * window.stride + window.side).min(map.size.height);
        let expanded = expanded.reserve(span * wide_row);
        let deep = deep.reserve(strip * deep_row);

        // Rows of the expanded map that are there: `first` to `end`.
        let (mut first, mut end) = (0, 0usize);
        for top in (0..out.size.height).step_by(strip) {
            let bottom = (top + strip).min(out.size.height);
            if let Some((weights, clamp)) = self.expand {
                let above = window.pads[0];
                let from = (top * window.stride)
                    .saturating_sub(above)
                    .min(map.size.height);
                let to = ((bottom - 1) * window.stride + window.side).saturating_sub(above);
                let to = to.clamp(from, map.size.height);
                // What this strip shares with the one before moves to the front.
                let kept = end.saturating_sub(from);
                if kept > 0 {
                    expanded.copy_within((from - first) * wide_row..(end - first) * wide_row, 0);
                }
                (first, end) = (from, to);
                let new = from + kept;
                arch.dispatch(Product {
                    weights,
                    rows: &map.values[new * map.size.width * map.stride..],
                    row_step: map.stride,
                    count: (to - new) * map.size.width,
                    out: &mut expanded[kept * wide_row..(to - from) * wide_row],
                    out_step: channels,
                    clamp: *clamp,
                    add: None,
                });
            }
            let wide: &[f32] = match self.expand {
                Some(_) => expanded,
                None => map.values,
            };
            for (y, deep) in (top..bottom).zip(deep.chunks_exact_mut(deep_row)) {
                depthwise_row(self.depthwise, wide, map.size, first, y, deep);
            }
            arch.dispatch(Product {
                weights: self.project,
                rows: deep,
                row_step: channels,
                count: (bottom - top) * out.size.width,
                out: &mut out.values[top * out_row..bottom * out_row],
                out_step: out.stride,
                clamp: self.clamp,
                add: add.map(|add| &add[top * out_row..bottom * out_row]),
            });
        }
    }
}
