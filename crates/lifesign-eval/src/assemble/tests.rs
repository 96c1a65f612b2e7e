//! Figures of small cases worked by hand, and properties of all.
use super::*;
