//! Finds faces: CenterFace (Xu et al., *CenterFace: Joint Face Detection and Alignment Using Face
//! as Point*, 2020), an anchor-free network with a heat map of face centres at a quarter of the
//! input's resolution.
//!
//! The detector looks at a small copy of the picture first, where a selfie's face is found in a
//! tenth of the time, and at a larger one only when it saw nothing.

use crate::geometry::{Point, Rect};
use crate::network::{InferenceError, Network, Output, Tensor};
use crate::resample::Filter;
use crate::sampler::Sampler;

/// Longer side of the copies looked at, in pixels, and the sides a canvas may have: one for every
/// aspect ratio would cost a network plan each.
const LOOKS: [Look; 2] = [
    Look {
        longer_side: 192,
        canvas_sides: &[128, 160, 192],
    },
    Look {
        longer_side: 640,
        canvas_sides: &[384, 480, 640],
    },
];
/// Network input pixels for one cell of its output maps.
const STRIDE: f32 = 4.0;
/// A centre this probable is a face; the value of the network's authors for its own demo.
const MIN_CONFIDENCE: f32 = 0.5;
/// Boxes that overlap a better one by this much are the same face.
const SAME_FACE_IOU: f32 = 0.3;
/// Centres looked at in one picture; far more than there are faces, so that a hostile picture
/// cannot make the pairwise comparison below expensive.
const MAX_CANDIDATES: usize = 512;

struct Look {
    longer_side: u32,
    canvas_sides: &'static [usize],
}

impl Look {
    /// Every canvas, as width and height: one side is the longer one.
    fn canvases(&self) -> impl Iterator<Item = (usize, usize)> {
        let longer = self.longer_side as usize;
        let across = self.canvas_sides.iter().map(move |&side| (longer, side));
        let upright = self.canvas_sides.iter().map(move |&side| (side, longer));
        across.chain(upright.filter(move |&(width, _)| width != longer))
    }
}

/// A face found in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// The face from forehead to chin, in pixels of the upright picture; may reach outside it.
    pub rect: Rect,
    /// The detector's confidence, 0.5 to 1.
    pub confidence: f32,
    /// Eye, eye, nose tip, mouth corner, mouth corner; of each pair the one further left in the
    /// picture comes first.
    pub landmarks: [Point; 5],
}

/// A loaded face detector.
pub struct Detector {
    network: Box<dyn Network>,
}

impl Detector {
    /// Takes a CenterFace network: input `[1, 3, H, W]`, RGB, 0 to 255, sides multiples of 32;
    /// outputs heat map, log box size, centre offset, landmarks.
    ///
    /// # Errors
    /// [`InferenceError`] when the network does not take such an input.
    pub fn new(network: Box<dyn Network>) -> Result<Self, InferenceError> {
        // Now, so that no request waits for a plan of the first look.
        for (width, height) in LOOKS[0].canvases() {
            network.prepare([1, 3, height, width])?;
        }
        Ok(Detector { network })
    }

    /// All faces in `picture`, the largest first.
    ///
    /// # Errors
    /// [`InferenceError`] when the network fails.
    pub fn find(&self, picture: &Sampler<'_>) -> Result<Vec<Face>, InferenceError> {
        let (width, height) = picture.dimensions();
        let longer_side = width.max(height);
        for (nth, look) in LOOKS.iter().enumerate() {
            if nth > 0 && longer_side <= LOOKS[nth - 1].longer_side {
                break; // an enlarged copy shows nothing new
            }
            let faces = self.look(picture, look)?;
            if !faces.is_empty() {
                return Ok(faces);
            }
        }
        Ok(Vec::new())
    }

    /// The faces that the first look shows, the largest first: all that a selfie's preview has, and none
    /// that is small in it. Where nobody is in the frame, the second look would take ten times as long to
    /// say so.
    ///
    /// # Errors
    /// [`InferenceError`] when the network fails.
    pub fn glance(&self, picture: &Sampler<'_>) -> Result<Vec<Face>, InferenceError> {
        self.look(picture, &LOOKS[0])
    }

    fn look(&self, picture: &Sampler<'_>, look: &Look) -> Result<Vec<Face>, InferenceError> {
        let (width, height) = picture.dimensions();
        let scale = look.longer_side as f32 / width.max(height) as f32;
        let copy_width = ((width as f32 * scale).round() as u32).max(1);
        let copy_height = ((height as f32 * scale).round() as u32).max(1);
        let copy = picture.whole(Filter::Antialias, copy_width, copy_height)?;
        let canvas = |side: u32| {
            let fits = look
                .canvas_sides
                .iter()
                .find(|&&canvas| canvas >= side as usize);
            *fits.unwrap_or(&(look.longer_side as usize))
        };
        let input = planes(
            &copy,
            copy_width as usize,
            canvas(copy_width),
            canvas(copy_height),
        );
        let outputs = self.network.run(input)?;
        decode(&outputs, scale)
    }
}

/// Interleaved RGB in rows of `width` pixels as planes of 0 to 255, in the top-left corner of a
/// black canvas.
fn planes(rgb: &[u8], width: usize, canvas_width: usize, canvas_height: usize) -> Tensor {
    let mut data = vec![0.0; 3 * canvas_width * canvas_height];
    for (channel, plane) in data
        .chunks_exact_mut(canvas_width * canvas_height)
        .enumerate()
    {
        let rows = rgb.chunks_exact(width * 3);
        for (row, values) in rows.zip(plane.chunks_exact_mut(canvas_width)) {
            let (pixels, _) = row.as_chunks::<3>();
            for (pixel, value) in pixels.iter().zip(values) {
                *value = f32::from(pixel[channel]);
            }
        }
    }
    Tensor {
        shape: [1, 3, canvas_height, canvas_width],
        data,
    }
}

/// Turns the four output maps into faces in pixels of the picture that was shrunk by `scale`.
fn decode(outputs: &[Output], scale: f32) -> Result<Vec<Face>, InferenceError> {
    let [heat, sizes, offsets, landmarks] = outputs else {
        return Err(InferenceError::new(format!(
            "the detector has {} outputs, not 4",
            outputs.len()
        )));
    };
    let &[_, 1, rows, columns] = heat.shape.as_slice() else {
        return Err(InferenceError::new(format!(
            "the heat map has shape {:?}",
            heat.shape
        )));
    };
    let cells = rows * columns;
    if sizes.data.len() != 2 * cells
        || offsets.data.len() != 2 * cells
        || landmarks.data.len() != 10 * cells
    {
        return Err(InferenceError::new(
            "the detector's output maps differ in size",
        ));
    }

    let mut centres: Vec<usize> = (0..cells)
        .filter(|&cell| heat.data[cell] > MIN_CONFIDENCE)
        .collect();
    centres.sort_by(|&a, &b| heat.data[b].total_cmp(&heat.data[a]));
    centres.truncate(MAX_CANDIDATES);

    let mut faces: Vec<Face> = Vec::new();
    for cell in centres {
        // Maps with two channels hold the vertical value first.
        let height = sizes.data[cell].exp() * STRIDE;
        let width = sizes.data[cells + cell].exp() * STRIDE;
        let row = (cell / columns) as f32 + offsets.data[cell] + 0.5;
        let column = (cell % columns) as f32 + offsets.data[cells + cell] + 0.5;
        let left = column * STRIDE - width / 2.0;
        let top = row * STRIDE - height / 2.0;
        let rect = Rect {
            x: left / scale,
            y: top / scale,
            width: width / scale,
            height: height / scale,
        };
        let landmark = |nth: usize| Point {
            x: (landmarks.data[(2 * nth + 1) * cells + cell] * width + left) / scale,
            y: (landmarks.data[2 * nth * cells + cell] * height + top) / scale,
        };
        let usable = rect.x.is_finite() && rect.y.is_finite() && rect.area().is_finite();
        if usable
            && faces
                .iter()
                .all(|better| better.rect.iou(&rect) < SAME_FACE_IOU)
        {
            faces.push(Face {
                rect,
                confidence: heat.data[cell],
                landmarks: std::array::from_fn(landmark),
            });
        }
    }
    faces.sort_by(|a, b| b.rect.area().total_cmp(&a.rect.area()));
    Ok(faces)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output maps of `rows` x `columns` with the given centres: (row, column, confidence, log size).
    fn maps(rows: usize, columns: usize, centres: &[(usize, usize, f32, f32)]) -> Vec<Output> {
        let cells = rows * columns;
        let map = |channels: usize| Output {
            shape: vec![1, channels, rows, columns],
            data: vec![0.0; channels * cells],
        };
        let mut outputs = vec![map(1), map(2), map(2), map(10)];
        for &(row, column, confidence, log_size) in centres {
            let cell = row * columns + column;
            outputs[0].data[cell] = confidence;
            outputs[1].data[cell] = log_size;
            outputs[1].data[cells + cell] = log_size;
            for nth in 0..5 {
                outputs[3].data[2 * nth * cells + cell] = 0.25; // y
                outputs[3].data[(2 * nth + 1) * cells + cell] = 0.75; // x
            }
        }
        outputs
    }

    #[test]
    fn a_centre_becomes_a_box_and_landmarks_in_the_pictures_own_pixels() {
        let faces = decode(&maps(10, 10, &[(4, 6, 0.9, 2f32.ln())]), 0.5).unwrap();
        // Centre (6.5, 4.5) cells of 4 px, box 2 cells = 8 px wide, all doubled by the scale.
        assert_eq!(faces.len(), 1);
        let Rect {
            x,
            y,
            width,
            height,
        } = faces[0].rect;
        for (found, expected) in [(x, 44.0), (y, 28.0), (width, 16.0), (height, 16.0)] {
            assert!((found - expected).abs() < 1e-4, "{:?}", faces[0].rect);
        }
        assert!(faces[0].landmarks[0].distance(Point { x: 56.0, y: 32.0 }) < 1e-3);
    }

    #[test]
    fn neighbouring_centres_of_one_face_are_merged_and_faces_sorted_by_size() {
        let centres = [
            (2, 2, 0.7, 1.0),
            (2, 3, 0.8, 1.0),
            (8, 8, 0.6, 1.6),
            (5, 9, 0.4, 1.0),
        ];
        let faces = decode(&maps(12, 12, &centres), 1.0).unwrap();
        let confidences: Vec<f32> = faces.iter().map(|face| face.confidence).collect();
        assert_eq!(confidences, [0.6, 0.8]);
    }

    #[test]
    fn outputs_of_another_network_are_an_error_not_a_panic() {
        assert!(decode(&[], 1.0).is_err());
        let mut outputs = maps(4, 4, &[]);
        outputs[3].data.pop();
        assert!(decode(&outputs, 1.0).is_err());
    }

    #[test]
    fn boxes_of_infinite_size_are_dropped() {
        assert!(
            decode(&maps(4, 4, &[(1, 1, 0.9, 500.0)]), 1.0)
                .unwrap()
                .is_empty()
        );
    }
}
