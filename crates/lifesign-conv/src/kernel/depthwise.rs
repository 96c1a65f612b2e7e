//! Depthwise convolutions: each channel by a small kernel of its own.

use pulp::{Simd, WithSimd};

use super::{Bounds, Clamp, LANE};
use crate::memory::Aligned;

/// Results of a row that are computed side by side: enough that most inputs are read once.
const ABREAST: usize = 4;

/// Kernels of all channels: for each place of the kernel one float a channel.
#[derive(Debug)]
pub(crate) struct Kernels {
    side: usize,
    values: Aligned,
    bias: Aligned,
}

impl Kernels {
    /// Packs `weights`, a square kernel for each channel, and a bias for each.
    pub(crate) fn pack(weights: &[f32], bias: &[f32], side: usize) -> Self {
        let channels = bias.len();
        assert_eq!(weights.len(), channels * side * side);
        let padded = channels.next_multiple_of(LANE);
        let mut values = Aligned::zeros(side * side * padded);
        for (channel, kernel) in weights.chunks_exact(side * side).enumerate() {
            for (place, &weight) in kernel.iter().enumerate() {
                values[place * padded + channel] = weight;
            }
        }
        let mut padded_bias = Aligned::zeros(padded);
        padded_bias[..channels].copy_from_slice(bias);
        Kernels {
            side,
            values,
            bias: padded_bias,
        }
    }

    /// Channels, rounded up to a [`LANE`].
    pub(crate) fn channels(&self) -> usize {
        self.bias.len()
    }
}

/// Some rows of a depthwise convolution.
pub(crate) struct Depthwise<'a> {
    pub(crate) kernels: &'a Kernels,
    pub(crate) stride: usize,
    /// Columns that are missing on the left of the map.
    pub(crate) pad: usize,
    /// Pixels in a row of the map.
    pub(crate) width: usize,
    /// The map's rows under the kernel, from the top; none where the kernel is beyond the map.
    pub(crate) rows: [Option<&'a [f32]>; MAX_SIDE],
    /// One row of results.
    pub(crate) out: &'a mut [f32],
    pub(crate) clamp: Clamp,
}

/// The largest kernel.
pub(crate) const MAX_SIDE: usize = 5;

impl WithSimd for Depthwise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.kernels.side, self.stride) {
            (3, 1) => self.row::<S, 3, 1, 6>(simd),
            (3, _) => self.row::<S, 3, 2, 9>(simd),
            (_, 1) => self.row::<S, 5, 1, 8>(simd),
            _ => self.row::<S, 5, 2, 11>(simd),
        }
    }
}

impl Depthwise<'_> {
    /// `SPAN` columns of the map are under `ABREAST` kernels side by side.
    #[inline(always)]
    fn row<S: Simd, const SIDE: usize, const STRIDE: usize, const SPAN: usize>(self, simd: S) {
        let (bias, _) = S::as_simd_f32s(&self.kernels.bias);
        let vectors = bias.len();
        let (weights, _) = S::as_simd_f32s(&self.kernels.values);
        let (out, _) = S::as_mut_simd_f32s(self.out);
        let columns = out.len() / vectors;
        let bounds = Bounds::new(simd, self.clamp);
        let rows: [Option<&[S::f32s]>; SIDE] = std::array::from_fn(|nth| {
            self.rows[nth].map(|row| &S::as_simd_f32s(row).0[..self.width * vectors])
        });
        // Results whose kernels lie wholly in the map.
        let inner = self.pad.div_ceil(STRIDE).min(columns);
        let inner_end = match (self.width + self.pad).checked_sub(SIDE) {
            Some(last) => (last / STRIDE + 1).clamp(inner, columns),
            None => inner,
        };
        let abreast_end = inner + (inner_end - inner) / ABREAST * ABREAST;
        for channel in 0..vectors {
            let mut kernel = [[simd.splat_f32s(0.0); SIDE]; SIDE];
            for (y, kernel) in kernel.iter_mut().enumerate() {
                for (x, weight) in kernel.iter_mut().enumerate() {
                    *weight = weights[(y * SIDE + x) * vectors + channel];
                }
            }
            // Not in a closure: one that is not inlined, as happens, is compiled without the instruction set
            // and calls every single instruction.
            for column in (0..inner).chain(abreast_end..columns) {
                let mut sum = bias[channel];
                for (row, kernel) in rows.iter().zip(&kernel) {
                    let Some(row) = row else { continue };
                    for (x, &weight) in kernel.iter().enumerate() {
                        let Some(at) = (column * STRIDE + x).checked_sub(self.pad) else {
                            continue;
                        };
                        if at < self.width {
                            sum = simd.mul_add_e_f32s(row[at * vectors + channel], weight, sum);
                        }
                    }
                }
                out[column * vectors + channel] = bounds.hold(simd, sum);
            }
            for column in (inner..abreast_end).step_by(ABREAST) {
                let mut sums = [bias[channel]; ABREAST];
                let left = column * STRIDE - self.pad;
                for (row, kernel) in rows.iter().zip(&kernel) {
                    let Some(row) = row else { continue };
                    let mut inputs = [simd.splat_f32s(0.0); SPAN];
                    for (nth, input) in inputs.iter_mut().enumerate() {
                        *input = row[(left + nth) * vectors + channel];
                    }
                    for (nth, sum) in sums.iter_mut().enumerate() {
                        for (x, &weight) in kernel.iter().enumerate() {
                            *sum = simd.mul_add_e_f32s(inputs[nth * STRIDE + x], weight, *sum);
                        }
                    }
                }
                for (nth, &sum) in sums.iter().enumerate() {
                    out[(column + nth) * vectors + channel] = bounds.hold(simd, sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::tests::{OnEach, each_instruction_set};

    struct Case {
        side: usize,
        stride: usize,
        pad: usize,
        width: usize,
    }

    impl OnEach for Case {
        /// The kernel's first row is above the map.
        fn on<S: Simd>(&self, simd: S) {
            let &Case {
                side,
                stride,
                pad,
                width,
            } = self;
            let channels = 20usize;
            let padded = channels.next_multiple_of(LANE);
            let value = |nth: usize| (nth * 37 % 23) as f32 / 8.0 - 1.0;
            let weights: Vec<f32> = (0..channels * side * side).map(value).collect();
            let bias: Vec<f32> = (0..channels).map(value).collect();
            let map: Vec<f32> = (0..side * width * padded).map(value).collect();
            let row = |y: usize| &map[y * width * padded..][..width * padded];
            let columns = (width + pad - side) / stride + 1;
            let mut out = vec![f32::NAN; columns * padded];
            simd.vectorize(Depthwise {
                kernels: &Kernels::pack(&weights, &bias, side),
                stride,
                pad,
                width,
                rows: std::array::from_fn(|nth| (1..side).contains(&nth).then(|| row(nth))),
                out: &mut out,
                clamp: Clamp {
                    low: -1.0,
                    high: 4.0,
                },
            });
            for (x, out) in out.chunks_exact(padded).enumerate() {
                for (channel, &found) in out[..channels].iter().enumerate() {
                    let mut sum = bias[channel];
                    for ky in 1..side {
                        for kx in 0..side {
                            let under = (x * stride + kx).checked_sub(pad).filter(|&x| x < width);
                            let under = under.map_or(0.0, |x| row(ky)[x * padded + channel]);
                            sum += under * weights[(channel * side + ky) * side + kx];
                        }
                    }
                    let expected = sum.clamp(-1.0, 4.0);
                    assert!(
                        (found - expected).abs() < 1e-3,
                        "{x}, {channel}: {found}, {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn rows_of_every_shape_are_the_same_in_every_instruction_set() {
        for (side, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
            for pad in 0..side {
                for width in side..side + 14 {
                    each_instruction_set(&Case {
                        side,
                        stride,
                        pad,
                        width,
                    });
                }
            }
        }
    }
}
