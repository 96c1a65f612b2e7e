//! Points and rectangles in pixels: x to the right, y downwards, the origin at the picture's
//! top-left corner.

/// A point in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

impl Point {
    /// Straight-line distance to `other`, in pixels.
    pub fn distance(self, other: Point) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// An axis-aligned rectangle in pixels. It may reach outside the picture it was found in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Extent to the right.
    pub width: f32,
    /// Extent downwards.
    pub height: f32,
}

impl Rect {
    /// Covered area, in square pixels.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// The x of the right edge.
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// The y of the bottom edge.
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// The shorter side, in pixels.
    pub fn shorter_side(&self) -> f32 {
        self.width.min(self.height)
    }

    /// Intersection over union with `other`: 0 when apart, 1 when equal.
    pub fn iou(&self, other: &Rect) -> f32 {
        let width = self.right().min(other.right()) - self.x.max(other.x);
        let height = self.bottom().min(other.bottom()) - self.y.max(other.y);
        let shared = width.max(0.0) * height.max(0.0);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Rect = Rect {
        x: 0.0,
        y: 0.0,
        width: 2.0,
        height: 2.0,
    };

    #[test]
    fn iou_of_equal_apart_and_overlapping_rectangles() {
        assert_eq!(UNIT.iou(&UNIT), 1.0);
        assert_eq!(UNIT.iou(&Rect { x: 5.0, ..UNIT }), 0.0);
        let shifted = Rect { x: 1.0, ..UNIT };
        assert!((UNIT.iou(&shifted) - 1.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn iou_of_empty_rectangles_is_zero_not_nan() {
        let empty = Rect {
            width: 0.0,
            height: 0.0,
            ..UNIT
        };
        assert_eq!(empty.iou(&empty), 0.0);
    }
}
