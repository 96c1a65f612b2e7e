//! Floats in memory as vector instructions like them.

use std::ops::{Deref, DerefMut};

/// A cache line, and the widest vector: what crosses one is read in twice the time.
const LINE: usize = 64;
const LINE_FLOATS: usize = LINE / size_of::<f32>();

/// A fixed number of floats from an address that is a multiple of a cache line.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    values: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        // Never grows, so never moves.
        let values = vec![0.0; len + LINE_FLOATS];
        let start = values.as_ptr().align_offset(LINE).min(LINE_FLOATS);
        Aligned { values, start, len }
    }

    /// The first `len` floats, made if there are not as many; what they hold is not said.
    pub(crate) fn reserve(&mut self, len: usize) -> &mut [f32] {
        if self.len < len {
            *self = Aligned::zeros(len);
        }
        &mut self[..len]
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..self.start + self.len]
    }
}
