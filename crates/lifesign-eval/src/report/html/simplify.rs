//! Fewer points for the same picture: a curve of every score is thousands of points, of which a
//! screen shows hundreds.

/// The points without those that lie within `tolerance` of the line that is left (Ramer, Douglas
/// and Peucker's method).
pub(super) fn simplify(points: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    let Some(last) = points.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut kept = vec![false; points.len()];
    kept[0] = true;
    kept[last] = true;
    let mut stretches = vec![(0, last)];
    while let Some((start, end)) = stretches.pop() {
        let between = (start + 1..end).map(|nth| {
            let distance = distance(points[nth], points[start], points[end]);
            (nth, distance)
        });
        let farthest = between.max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((nth, distance)) = farthest
            && distance > tolerance
        {
            kept[nth] = true;
            stretches.push((start, nth));
            stretches.push((nth, end));
        }
    }
    let points = points.iter().zip(kept);
    points.filter(|(_, kept)| *kept).map(|(&p, _)| p).collect()
}

/// From a point to the stretch between two others.
fn distance(point: (f64, f64), start: (f64, f64), end: (f64, f64)) -> f64 {
    let (dx, dy) = (end.0 - start.0, end.1 - start.1);
    let (px, py) = (point.0 - start.0, point.1 - start.1);
    let square = dx * dx + dy * dy;
    let part = if square > 0.0 {
        ((px * dx + py * dy) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (px - part * dx).hypot(py - part * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_stay_and_what_lies_between_them_goes() {
        let across = (0..=500).map(|x| (f64::from(x), 0.0));
        let down = (1..=500).map(|y| (500.0, f64::from(y)));
        let points: Vec<(f64, f64)> = across.chain(down).collect();
        assert_eq!(
            simplify(&points, 0.3),
            [(0.0, 0.0), (500.0, 0.0), (500.0, 500.0)]
        );
    }

    #[test]
    fn no_points_are_no_trouble() {
        assert_eq!(simplify(&[], 0.3), []);
        assert_eq!(simplify(&[(1.0, 2.0)], 0.3), [(1.0, 2.0)]);
        assert_eq!(simplify(&[(1.0, 2.0); 5], 0.3), [(1.0, 2.0); 2]);
    }
}
