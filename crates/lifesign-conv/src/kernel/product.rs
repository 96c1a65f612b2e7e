//! Matrix products: rows of pixels times packed weights, which is what a 1x1 convolution is.
//!
//! The weights are cut into panels of as many columns as one tile of results has, and a tile of results stays in
//! registers while the depth runs. Bias, clamp and a sum with another map are part of writing a tile.

use pulp::{Arch, Simd, WithSimd};

use super::{Bounds, Clamp, LANE};
use crate::memory::Aligned;

/// Weights of `depth` inputs and some outputs, as the product reads them.
#[derive(Debug)]
pub(crate) struct Weights {
    depth: usize,
    /// Columns of each panel, in lanes of [`LANE`].
    panels: Vec<usize>,
    /// Panel after panel, each `depth` rows of its columns.
    values: Aligned,
    /// One for each column.
    bias: Aligned,
}

impl Weights {
    /// Packs `weights`, `outputs` rows of `depth`, and a bias for each output, for this machine.
    pub(crate) fn pack(weights: &[f32], bias: &[f32], depth: usize) -> Self {
        Self::pack_for(Arch::new().dispatch(WidestPanel), weights, bias, depth)
    }

    fn pack_for(widest: usize, weights: &[f32], bias: &[f32], depth: usize) -> Self {
        let outputs = bias.len();
        assert_eq!(weights.len(), outputs * depth);
        let lanes = outputs.div_ceil(LANE);
        let mut packed = Aligned::zeros(depth * lanes * LANE);
        let panels = panels(lanes, widest);
        let mut first = 0;
        let mut panel_start = 0;
        for &panel in &panels {
            let columns = panel * LANE;
            for column in 0..columns.min(outputs - first) {
                let row = &weights[(first + column) * depth..][..depth];
                for (k, &weight) in row.iter().enumerate() {
                    packed[panel_start + k * columns + column] = weight;
                }
            }
            first += columns;
            panel_start += depth * columns;
        }
        let mut padded = Aligned::zeros(lanes * LANE);
        padded[..outputs].copy_from_slice(bias);
        Weights {
            depth,
            panels,
            values: packed,
            bias: padded,
        }
    }

    /// Inputs of one result.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }
}

/// Cuts `lanes` into panels as even as can be, none wider than `widest`.
fn panels(lanes: usize, widest: usize) -> Vec<usize> {
    let count = lanes.div_ceil(widest);
    (0..count)
        .map(|nth| (nth + 1) * lanes / count - nth * lanes / count)
        .collect()
}

/// How many lanes a panel may have on this machine.
struct WidestPanel;

impl WithSimd for WidestPanel {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        // Three times eight vectors of results, three of weights and one input fill 32 registers. Where a vector
        // is less than a lane, a lane is wide enough.
        if S::F32_LANES == LANE { 3 } else { 1 }
    }
}

/// One product: `count` rows of the inputs, each `row_step` floats after the one before, give as many rows of results.
pub(crate) struct Product<'a> {
    pub(crate) weights: &'a Weights,
    pub(crate) rows: &'a [f32],
    pub(crate) row_step: usize,
    pub(crate) count: usize,
    pub(crate) out: &'a mut [f32],
    pub(crate) out_step: usize,
    pub(crate) clamp: Clamp,
    /// Laid out as `out`; summed with the clamped results.
    pub(crate) add: Option<&'a [f32]>,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut column = 0;
        let mut start = 0;
        for &lanes in &self.weights.panels {
            let end = start + self.weights.depth * lanes * LANE;
            let panel = &self.weights.values[start..end];
            // The second number is the most rows whose results fit into the registers.
            match (S::F32_LANES, S::REGISTER_COUNT, lanes) {
                (16, _, 3) => self.panel::<S, 3, 8>(simd, panel, column),
                (16, _, 2) => self.panel::<S, 2, 12>(simd, panel, column),
                (16, _, _) => self.panel::<S, 1, 12>(simd, panel, column),
                (8, _, _) => self.panel::<S, 2, 6>(simd, panel, column),
                (4, 32, _) => self.panel::<S, 4, 6>(simd, panel, column),
                (4, _, _) => self.panel::<S, 4, 3>(simd, panel, column),
                _ => self.panel::<S, 16, 1>(simd, panel, column),
            }
            column += lanes * LANE;
            start = end;
        }
    }
}

impl Product<'_> {
    /// All rows times one panel, as tiles of as equal a height as can be.
    #[inline(always)]
    fn panel<S: Simd, const VECTORS: usize, const MOST: usize>(
        &mut self,
        simd: S,
        panel: &[f32],
        column: usize,
    ) {
        let tiles = self.count.div_ceil(MOST);
        let height = self.count.div_ceil(tiles.max(1));
        let mut row = 0;
        while row < self.count {
            // The last tile may repeat rows of the one before rather than be a shape of its own.
            let first = row.min(self.count - height.min(self.count));
            match height {
                12 => self.tile::<S, VECTORS, 12>(simd, panel, column, first),
                11 => self.tile::<S, VECTORS, 11>(simd, panel, column, first),
                10 => self.tile::<S, VECTORS, 10>(simd, panel, column, first),
                9 => self.tile::<S, VECTORS, 9>(simd, panel, column, first),
                8 => self.tile::<S, VECTORS, 8>(simd, panel, column, first),
                7 => self.tile::<S, VECTORS, 7>(simd, panel, column, first),
                6 => self.tile::<S, VECTORS, 6>(simd, panel, column, first),
                5 => self.tile::<S, VECTORS, 5>(simd, panel, column, first),
                4 => self.tile::<S, VECTORS, 4>(simd, panel, column, first),
                3 => self.tile::<S, VECTORS, 3>(simd, panel, column, first),
                2 => self.tile::<S, VECTORS, 2>(simd, panel, column, first),
                _ => self.tile::<S, VECTORS, 1>(simd, panel, column, first),
            }
            row += height;
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const VECTORS: usize, const HEIGHT: usize>(
        &mut self,
        simd: S,
        panel: &[f32],
        column: usize,
        first: usize,
    ) {
        let depth = self.weights.depth;
        let width = VECTORS * S::F32_LANES;
        let rows: [&[f32]; HEIGHT] =
            std::array::from_fn(|row| &self.rows[(first + row) * self.row_step..][..depth]);
        let (panel, _) = S::as_simd_f32s(panel).0.as_chunks::<VECTORS>();
        let panel = &panel[..depth];
        let bias = &S::as_simd_f32s(&self.weights.bias[column..][..width]).0[..VECTORS];

        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; HEIGHT];
        for sums in &mut sums {
            sums.copy_from_slice(bias);
        }
        for k in 0..depth {
            for row in 0..HEIGHT {
                let input = simd.splat_f32s(rows[row][k]);
                for nth in 0..VECTORS {
                    sums[row][nth] = simd.mul_add_e_f32s(input, panel[k][nth], sums[row][nth]);
                }
            }
        }

        let bounds = Bounds::new(simd, self.clamp);
        for (row, sums) in sums.iter_mut().enumerate() {
            let start = (first + row) * self.out_step + column;
            for sum in sums.iter_mut() {
                *sum = bounds.hold(simd, *sum);
            }
            if let Some(add) = self.add {
                let add = &S::as_simd_f32s(&add[start..start + width]).0[..VECTORS];
                for nth in 0..VECTORS {
                    sums[nth] = simd.add_f32s(sums[nth], add[nth]);
                }
            }
            let out = S::as_mut_simd_f32s(&mut self.out[start..start + width]).0;
            out[..VECTORS].copy_from_slice(sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::tests::{OnEach, each_instruction_set};

    struct Case {
        count: usize,
        depth: usize,
        outputs: usize,
    }

    impl OnEach for Case {
        fn on<S: Simd>(&self, simd: S) {
            let &Case {
                count,
                depth,
                outputs,
            } = self;
            let value = |nth: usize| (nth * 37 % 23) as f32 / 8.0 - 1.0;
            let weights: Vec<f32> = (0..outputs * depth).map(value).collect();
            let bias: Vec<f32> = (0..outputs).map(value).collect();
            let rows: Vec<f32> = (0..count * depth).map(|nth| value(nth + 5)).collect();
            let stride = outputs.next_multiple_of(LANE);
            let add: Vec<f32> = (0..count * stride).map(value).collect();
            let mut out = vec![f32::NAN; count * stride];
            let widest = simd.vectorize(WidestPanel);
            simd.vectorize(Product {
                weights: &Weights::pack_for(widest, &weights, &bias, depth),
                rows: &rows,
                row_step: depth,
                count,
                out: &mut out,
                out_step: stride,
                clamp: Clamp {
                    low: -2.0,
                    high: 5.0,
                },
                add: Some(&add),
            });
            for (row, out) in out.chunks_exact(stride).enumerate() {
                for (output, &found) in out[..outputs].iter().enumerate() {
                    let products =
                        (0..depth).map(|k| weights[output * depth + k] * rows[row * depth + k]);
                    let sum = bias[output] + products.sum::<f32>();
                    let expected = sum.clamp(-2.0, 5.0) + add[row * stride + output];
                    assert!(
                        (found - expected).abs() < 1e-3,
                        "{row}, {output}: {found}, {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn products_of_every_shape_are_the_same_in_every_instruction_set() {
        for count in [1, 2, 3, 5, 7, 8, 9, 11, 12, 13, 25, 30] {
            for outputs in [1, 16, 17, 40, 64, 100] {
                each_instruction_set(&Case {
                    count,
                    depth: 9,
                    outputs,
                });
            }
        }
    }

    #[test]
    fn panels_are_even_and_none_is_too_wide() {
        assert_eq!(panels(4, 3), [2, 2]);
        assert_eq!(panels(7, 3), [2, 2, 3]);
        assert_eq!(panels(1, 3), [1]);
        assert_eq!(panels(3, 1), [1, 1, 1]);
    }
}
