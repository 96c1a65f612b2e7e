//! The loops in which the time goes. Maps are kept a pixel after the other, each with its channels side by side,
//! rounded up to a [`LANE`] with zeros: so that no loop has a rest that is no vector.

pub(crate) mod depthwise;
pub(crate) mod product;

use pulp::Simd;

/// Floats that channels are rounded up to: the widest vector of the machines there are.
pub(crate) const LANE: usize = 16;

/// What results are held between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clamp {
    pub(crate) low: f32,
    pub(crate) high: f32,
}

impl Clamp {
    pub(crate) const NONE: Clamp = Clamp {
        low: f32::NEG_INFINITY,
        high: f32::INFINITY,
    };
}

/// A [`Clamp`] for vectors.
#[derive(Clone, Copy)]
struct Bounds<S: Simd> {
    low: S::f32s,
    high: S::f32s,
}

impl<S: Simd> Bounds<S> {
    #[inline(always)]
    fn new(simd: S, clamp: Clamp) -> Self {
        Bounds {
            low: simd.splat_f32s(clamp.low),
            high: simd.splat_f32s(clamp.high),
        }
    }

    #[inline(always)]
    fn hold(self, simd: S, values: S::f32s) -> S::f32s {
        simd.min_f32s(simd.max_f32s(values, self.low), self.high)
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Scalar, Simd};

    /// What is to hold in every instruction set.
    pub(super) trait OnEach {
        fn on<S: Simd>(&self, simd: S);
    }

    /// Those that this machine has.
    pub(super) fn each_instruction_set(case: &impl OnEach) {
        case.on(Scalar::new());
        #[cfg(target_arch = "x86_64")]
        {
            use pulp::x86::{V2, V3, V4};
            V2::try_new().into_iter().for_each(|simd| case.on(simd));
            V3::try_new().into_iter().for_each(|simd| case.on(simd));
            V4::try_new().into_iter().for_each(|simd| case.on(simd));
        }
        #[cfg(target_arch = "aarch64")]
        pulp::aarch64::Neon::try_new()
            .into_iter()
            .for_each(|simd| case.on(simd));
    }
}
