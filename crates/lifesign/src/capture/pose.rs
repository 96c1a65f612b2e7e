//! Head rotation from five landmarks: a mean face in three dimensions, seen by a camera far enough
//! away that perspective within the face can be left out (scaled orthographic projection).

use crate::geometry::Point;

// The mean face in units of the distance between the pupils: x to the right, y down, z towards the
// camera, the origin between the eyes. x and y are medians over the bona fide frames of the
// development data; the depths follow adult head measurements (nose tip about 3 cm, mouth corners
// a few millimetres before the plane of the pupils, which are 6.3 cm apart).
const EYE_X: f32 = 0.5;
const NOSE_Y: f32 = 0.58;
const NOSE_Z: f32 = 0.5;
const MOUTH_X: f32 = 0.41;
const MOUTH_Y: f32 = 1.03;
const MOUTH_Z: f32 = 0.05;

/// Yaw (to the side) and pitch (up or down) in degrees, 0 when facing the camera. Positive yaw:
/// the nose points to the right of the picture; positive pitch: downwards.
pub(super) fn yaw_and_pitch(landmarks: &[Point; 5]) -> (f32, f32) {
    let [left_eye, right_eye, nose, left_mouth, right_mouth] = *landmarks;
    let eyes = middle(left_eye, right_eye);
    let mouth = middle(left_mouth, right_mouth);

    // Least squares for the projections of the three axes of the mean face. Its symmetry makes the
    // x axis independent of the others, and leaves two equations for y and z.
    let side = |left: f32, right: f32, left_m: f32, right_m: f32| {
        (EYE_X * (right - left) + MOUTH_X * (right_m - left_m))
            / (2.0 * (EYE_X * EYE_X + MOUTH_X * MOUTH_X))
    };
    let determinant = NOSE_Y * MOUTH_Z - MOUTH_Y * NOSE_Z;
    let down = |nose: f32, mouth: f32| (nose * MOUTH_Z - mouth * NOSE_Z) / determinant;
    let forward = |nose: f32, mouth: f32| (mouth * NOSE_Y - nose * MOUTH_Y) / determinant;

    let first_row = [
        side(left_eye.x, right_eye.x, left_mouth.x, right_mouth.x),
        down(nose.x - eyes.x, mouth.x - eyes.x),
        forward(nose.x - eyes.x, mouth.x - eyes.x),
    ];
    let second_row = [
        side(left_eye.y, right_eye.y, left_mouth.y, right_mouth.y),
        down(nose.y - eyes.y, mouth.y - eyes.y),
        forward(nose.y - eyes.y, mouth.y - eyes.y),
    ];
    let (i, j) = (unit(first_row), unit(second_row));
    // Where the nose points: the third column of the rotation, whose third row is i x j.
    let towards_camera = i[0] * j[1] - i[1] * j[0];
    let yaw = i[2].atan2(towards_camera);
    let pitch = j[2].atan2(towards_camera.hypot(i[2]));
    (yaw.to_degrees(), pitch.to_degrees())
}

fn middle(a: Point, b: Point) -> Point {
    Point {
        x: (a.x + b.x) / 2.0,
        y: (a.y + b.y) / 2.0,
    }
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = v.iter().map(|c| c * c).sum::<f32>().sqrt();
    v.map(|c| c / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean face turned by yaw, then pitch, then rolled in the picture plane; enlarged, moved.
    fn seen(yaw: f32, pitch: f32, roll: f32) -> [Point; 5] {
        let (ys, yc) = yaw.to_radians().sin_cos();
        let (ps, pc) = pitch.to_radians().sin_cos();
        let (rs, rc) = roll.to_radians().sin_cos();
        [
            [-EYE_X, 0.0, 0.0],
            [EYE_X, 0.0, 0.0],
            [0.0, NOSE_Y, NOSE_Z],
            [-MOUTH_X, MOUTH_Y, MOUTH_Z],
            [MOUTH_X, MOUTH_Y, MOUTH_Z],
        ]
        .map(|[x, y, z]| {
            let (y, z) = (pc * y + ps * z, pc * z - ps * y);
            let (x, z) = (yc * x + ys * z, yc * z - ys * x);
            let _ = z;
            Point {
                x: 300.0 + 80.0 * (rc * x - rs * y),
                y: 200.0 + 80.0 * (rs * x + rc * y),
            }
        })
    }

    #[test]
    fn a_frontal_face_has_no_rotation_whatever_its_place_and_size() {
        let (yaw, pitch) = yaw_and_pitch(&seen(0.0, 0.0, 0.0));
        assert!(yaw.abs() < 0.01 && pitch.abs() < 0.01, "{yaw} {pitch}");
    }

    #[test]
    fn yaw_and_pitch_of_the_mean_face_are_recovered() {
        for degrees in [-45.0, -29.0, -10.0, 10.0, 31.0, 45.0] {
            let (yaw, pitch) = yaw_and_pitch(&seen(degrees, 0.0, 0.0));
            assert!(
                (yaw - degrees).abs() < 0.1 && pitch.abs() < 0.1,
                "yaw {degrees}: {yaw} {pitch}"
            );
            let (yaw, pitch) = yaw_and_pitch(&seen(0.0, degrees, 0.0));
            assert!(
                (pitch - degrees).abs() < 0.1 && yaw.abs() < 0.1,
                "pitch {degrees}: {yaw} {pitch}"
            );
        }
    }

    #[test]
    fn a_tilted_head_is_not_a_turned_one() {
        let (yaw, pitch) = yaw_and_pitch(&seen(0.0, 0.0, 25.0));
        assert!(yaw.abs() < 0.1 && pitch.abs() < 0.1, "{yaw} {pitch}");
    }
}
