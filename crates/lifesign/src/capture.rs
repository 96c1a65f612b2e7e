//! Decides whether a capture can be judged: one face, large enough, whole, and (in the strict
//! profile) turned to the camera.

mod pose;
mod quality;

pub use quality::Quality;

use std::fmt;
use std::str::FromStr;

use crate::detect::Face;
use crate::rejection::Rejection;

/// A second face is another person, not background, from this share of the largest face's area.
const SECOND_FACE_AREA: f32 = 0.5;
/// Share of the box that may lie outside the picture before the face counts as cut. Boxes of whole
/// faces reach outside by up to 1.4 % on the development frames.
const CUT: f32 = 0.05;
/// Distance from the picture's edge, in shares of the box, within which an eye, the nose or a
/// mouth corner means that the face is cut: the detector squeezes a cut face into the picture.
const LANDMARK_MARGIN: f32 = 0.03;

/// Which captures are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Only what cannot be judged: no face, several faces, a face box under 64 px, a face cut by
    /// the frame.
    #[default]
    Standard,
    /// The hosted service's published capture rules: face box at least 224 x 224 px, 25 px from
    /// every border, 80 px between the pupils, pitch and yaw within 30 degrees.
    Strict,
}

/// A profile's numbers, in pixels and degrees.
struct Rules {
    face_side: f32,
    border: Option<f32>,
    pupils: f32,
    angle: f32,
}

impl Profile {
    fn rules(self) -> Rules {
        match self {
            Profile::Standard => Rules {
                face_side: 64.0,
                border: None,
                pupils: 0.0,
                angle: 180.0,
            },
            Profile::Strict => Rules {
                face_side: 224.0,
                border: Some(25.0),
                pupils: 80.0,
                angle: 30.0,
            },
        }
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        match name {
            "standard" => Ok(Profile::Standard),
            "strict" => Ok(Profile::Strict),
            _ => Err(UnknownProfile),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Profile::Standard => "standard",
            Profile::Strict => "strict",
        })
    }
}

/// The name is no [`Profile`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `standard` or `strict`")]
pub struct UnknownProfile;

/// The face to judge, the largest, of all `faces` (sorted by size, the largest first) found in a
/// picture of `(width, height)` pixels.
///
/// # Errors
/// The first [`Rejection`] that applies, from the one that says most to the one that says least.
pub fn check(faces: Vec<Face>, picture: (u32, u32), profile: Profile) -> Result<Face, Rejection> {
    let rules = profile.rules();
    if people(&faces) > 1 {
        return Err(Rejection::MultipleFaces);
    }
    let face = faces.into_iter().next().ok_or(Rejection::NoFace)?;
    // First the border: what is left of a cut face is small as well.
    check_border(&face, picture, &rules)?;
    check_size(&face, &rules)?;
    let (yaw, pitch) = pose::yaw_and_pitch(&face.landmarks);
    // Negated, so that an angle that is no number is refused as well.
    if !(yaw.abs() <= rules.angle && pitch.abs() <= rules.angle) {
        return Err(Rejection::FaceAngleTooLarge { yaw, pitch });
    }
    Ok(face)
}

/// How many of `faces` (sorted by size, the largest first) are people and not background.
pub fn people(faces: &[Face]) -> usize {
    let Some(largest) = faces.first() else {
        return 0;
    };
    let enough = SECOND_FACE_AREA * largest.rect.area();
    faces
        .iter()
        .take_while(|face| face.rect.area() >= enough)
        .count()
}

fn check_size(face: &Face, rules: &Rules) -> Result<(), Rejection> {
    let pupils = face.landmarks[0].distance(face.landmarks[1]);
    for (what, found, required) in [
        ("wide", face.rect.width, rules.face_side),
        ("high", face.rect.height, rules.face_side),
        ("between the eyes", pupils, rules.pupils),
    ] {
        if found < required {
            return Err(Rejection::FaceTooSmall {
                what,
                found,
                required,
            });
        }
    }
    Ok(())
}

fn check_border(face: &Face, (width, height): (u32, u32), rules: &Rules) -> Result<(), Rejection> {
    let (width, height) = (width as f32, height as f32);
    let rect = &face.rect;
    let inside = match rules.border {
        Some(margin) => {
            rect.x >= margin
                && rect.y >= margin
                && rect.right() <= width - margin
                && rect.bottom() <= height - margin
        }
        None => {
            let (across, down) = (CUT * rect.width, CUT * rect.height);
            rect.x >= -across
                && rect.y >= -down
                && rect.right() <= width + across
                && rect.bottom() <= height + down
        }
    };
    let (across, down) = (LANDMARK_MARGIN * rect.width, LANDMARK_MARGIN * rect.height);
    let whole = face.landmarks.iter().all(|point| {
        (across..=width - across).contains(&point.x) && (down..=height - down).contains(&point.y)
    });
    if inside && whole {
        Ok(())
    } else {
        Err(Rejection::FaceCloseToBorder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Point, Rect};

    /// A face that looks straight ahead: a box of `width` whose top-left corner is at (x, y).
    fn face(x: f32, y: f32, width: f32) -> Face {
        let rect = Rect {
            x,
            y,
            width,
            height: 1.3 * width,
        };
        let eyes = 0.45 * width;
        let point = |dx: f32, dy: f32| Point {
            x: x + width / 2.0 + dx * eyes,
            y: y + 0.5 * width + dy * eyes,
        };
        Face {
            rect,
            confidence: 0.9,
            landmarks: [
                point(-0.5, 0.0),
                point(0.5, 0.0),
                point(0.0, 0.58),
                point(-0.41, 1.03),
                point(0.41, 1.03),
            ],
        }
    }

    const PICTURE: (u32, u32) = (1000, 1000);

    fn code(faces: Vec<Face>, profile: Profile) -> &'static str {
        check(faces, PICTURE, profile).map_or_else(|why| why.code(), |_| "ok")
    }

    #[test]
    fn a_second_face_counts_from_half_the_area_of_the_first() {
        let large = face(100.0, 100.0, 400.0);
        let background = face(600.0, 100.0, 0.7 * 400.0);
        let companion = face(600.0, 100.0, 0.72 * 400.0);
        assert_eq!(code(vec![], Profile::Standard), "ERR_NO_FACE_DETECTED");
        assert_eq!(
            code(vec![large.clone(), background], Profile::Standard),
            "ok"
        );
        assert_eq!(
            code(vec![large, companion], Profile::Standard),
            "ERR_MULTIPLE_FACES_DETECTED"
        );
    }

    #[test]
    fn standard_takes_a_face_of_64_pixels_and_strict_asks_for_224() {
        assert_eq!(
            code(vec![face(300.0, 300.0, 64.0)], Profile::Standard),
            "ok"
        );
        assert_eq!(
            code(vec![face(300.0, 300.0, 63.0)], Profile::Standard),
            "ERR_LIVENESS_FACE_TOO_SMALL"
        );
        assert_eq!(code(vec![face(300.0, 300.0, 224.0)], Profile::Strict), "ok");
        assert_eq!(
            code(vec![face(300.0, 300.0, 223.0)], Profile::Strict),
            "ERR_LIVENESS_FACE_TOO_SMALL"
        );
    }

    #[test]
    fn strict_asks_for_80_pixels_between_the_pupils() {
        let mut close_set = face(300.0, 300.0, 250.0);
        close_set.landmarks[1].x = close_set.landmarks[0].x + 79.0;
        assert_eq!(
            code(vec![close_set.clone()], Profile::Strict),
            "ERR_LIVENESS_FACE_TOO_SMALL"
        );
        assert_eq!(code(vec![close_set], Profile::Standard), "ok");
    }

    #[test]
    fn standard_refuses_a_cut_face_and_strict_one_within_25_pixels_of_the_border() {
        assert_eq!(
            code(vec![face(-10.0, 300.0, 300.0)], Profile::Standard),
            "ok"
        );
        assert_eq!(
            code(vec![face(-20.0, 300.0, 300.0)], Profile::Standard),
            "ERR_LIVENESS_FACE_CLOSE_TO_BORDER"
        );
        assert_eq!(code(vec![face(25.0, 300.0, 300.0)], Profile::Strict), "ok");
        assert_eq!(
            code(vec![face(24.0, 300.0, 300.0)], Profile::Strict),
            "ERR_LIVENESS_FACE_CLOSE_TO_BORDER"
        );
    }

    #[test]
    fn only_strict_refuses_a_turned_head() {
        let mut turned = face(300.0, 300.0, 300.0);
        turned.landmarks[2].x += 60.0;
        assert_eq!(code(vec![turned.clone()], Profile::Standard), "ok");
        assert_eq!(
            code(vec![turned], Profile::Strict),
            "ERR_LIVENESS_FACE_ANGLE_TOO_LARGE"
        );
    }

    #[test]
    fn a_profile_is_read_back_from_its_name() {
        for profile in [Profile::Standard, Profile::Strict] {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert_eq!("lenient".parse::<Profile>(), Err(UnknownProfile));
    }
}
