//! Logistic regression on two features, by Newton's method with backtracking as in H.-T. Lin,
//! C.-J. Lin and R. Weng, *A note on Platt's probabilistic outputs for support vector machines*,
//! 2007.

/// A presentation as the regression sees it.
pub(super) struct Point {
    pub features: [f64; 2],
    pub target: f64,
    pub weight: f64,
}

/// The two factors that make `weight * cross-entropy(target, sigmoid(factors * features))` least.
pub(super) fn logistic(points: &[Point]) -> [f64; 2] {
    let log_odds =
        |at: [f64; 2], point: &Point| at[0] * point.features[0] + at[1] * point.features[1];
    let loss = |at: [f64; 2]| -> f64 {
        let each = points.iter().map(|point| {
            let z = log_odds(at, point);
            // log(1 + exp(z)) - target * z, without overflow
            point.weight * (z.max(0.0) + (-z.abs()).exp().ln_1p() - point.target * z)
        });
        each.sum()
    };
    let mut at = [0.0, 0.0];
    let mut current = loss(at);
    for _ in 0..100 {
        let mut gradient = [0.0; 2];
        // The ridge keeps the second factor at 0 where its feature is.
        let (mut h00, mut h01, mut h11) = (1e-12, 0.0, 1e-12);
        for point in points {
            let p = 1.0 / (1.0 + (-log_odds(at, point)).exp());
            let [a, b] = point.features;
            let slope = point.weight * (p - point.target);
            gradient[0] += slope * a;
            gradient[1] += slope * b;
            let bend = point.weight * p * (1.0 - p);
            h00 += bend * a * a;
            h01 += bend * a * b;
            h11 += bend * b * b;
        }
        let determinant = h00 * h11 - h01 * h01;
        let step = [
            (gradient[0] * h11 - gradient[1] * h01) / determinant,
            (gradient[1] * h00 - gradient[0] * h01) / determinant,
        ];
        let slope = gradient[0] * step[0] + gradient[1] * step[1];
        if slope.is_nan() || slope < 1e-14 {
            break;
        }
        let mut size = 1.0;
        let better = loop {
            let next = [at[0] - size * step[0], at[1] - size * step[1]];
            let value = loss(next);
            if value <= current - 1e-4 * size * slope {
                break Some((next, value));
            }
            size /= 2.0;
            if size < 1e-10 {
                break None;
            }
        };
        match better {
            Some((next, value)) => (at, current) = (next, value),
            None => break,
        }
    }
    at
}
