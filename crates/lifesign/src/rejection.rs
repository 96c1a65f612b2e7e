//! Why a photograph cannot be judged, in the three forms its readers need: a code for programs, a
//! short reason for statistics, and a sentence for the person in front of the camera.

use crate::decode::ImageError;

/// A photograph that cannot be judged. `Display` says what the person should do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The bytes are no readable picture, or are over a limit.
    #[error("The photograph cannot be read: {0}. Send a JPEG, PNG or WebP photograph.")]
    InvalidImage(#[from] ImageError),
    /// No face was found.
    #[error(
        "No face was found. Look straight into the camera, in good light, with your whole face in the picture."
    )]
    NoFace,
    /// A second face is at least half as large as the largest.
    #[error("More than one face was found. Make sure that only you are in the picture.")]
    MultipleFaces,
    /// The face box, or the distance between the pupils, is below the profile's minimum.
    #[error(
        "The face is too small ({found:.0} pixels {what}, at least {required:.0} are needed). Move closer to the camera."
    )]
    FaceTooSmall {
        /// What was measured: `wide`, `high` or `between the eyes`.
        what: &'static str,
        /// Pixels found.
        found: f32,
        /// Pixels the profile asks for.
        required: f32,
    },
    /// The face is cut by the frame, or closer to it than the profile allows.
    #[error(
        "The face is too close to the edge of the picture. Move to the middle, so that there is space on all sides."
    )]
    FaceCloseToBorder,
    /// The head is turned further than the profile allows.
    #[error("The head is turned too far. Look straight into the camera.")]
    FaceAngleTooLarge {
        /// Rotation to the side, in degrees.
        yaw: f32,
        /// Rotation up or down, in degrees.
        pitch: f32,
    },
}

impl Rejection {
    /// The stable code of the HTTP contract.
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::InvalidImage(_) => "ERR_INVALID_IMAGE",
            Rejection::NoFace => "ERR_NO_FACE_DETECTED",
            Rejection::MultipleFaces => "ERR_MULTIPLE_FACES_DETECTED",
            Rejection::FaceTooSmall { .. } => "ERR_LIVENESS_FACE_TOO_SMALL",
            Rejection::FaceCloseToBorder => "ERR_LIVENESS_FACE_CLOSE_TO_BORDER",
            Rejection::FaceAngleTooLarge { .. } => "ERR_LIVENESS_FACE_ANGLE_TOO_LARGE",
        }
    }

    /// The stable reason of the HTTP contract (`failureReason`).
    pub fn failure_reason(&self) -> &'static str {
        match self {
            Rejection::InvalidImage(_) => "invalid_image",
            Rejection::NoFace => "no_face_detected",
            Rejection::MultipleFaces => "multiple_faces_detected",
            Rejection::FaceTooSmall { .. } => "face_too_far",
            Rejection::FaceCloseToBorder => "face_close_to_border",
            Rejection::FaceAngleTooLarge { .. } => "face_rotation_too_large",
        }
    }
}
