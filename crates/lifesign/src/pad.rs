//! Presentation attack detection: a face in, a calibrated probability of bona fide out.
//!
//! The networks, their crops, their preprocessing and their calibration are one replaceable thing,
//! described by a [`card::Card`].

pub mod calibration;
pub mod card;
pub mod crop;
#[cfg(test)]
mod golden_test;

use crate::geometry::Rect;
use crate::network::{InferenceError, Network, Output};
use crate::sampler::Sampler;
use calibration::{Calibrations, Device};
use card::{OutputKind, ViewCard};

/// Loaded PAD networks with their calibration.
pub struct Pad {
    views: Vec<View>,
    calibrations: Calibrations,
}

/// What the networks of a [`Pad`] say of a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PadScore {
    /// The weighted sum of the views' bona fide logits, before calibration.
    pub raw: f64,
    /// Probability of bona fide, 0 to 1.
    pub probability: f64,
}

impl Pad {
    /// Joins views with their calibration.
    pub fn new(views: Vec<View>, calibrations: Calibrations) -> Self {
        Pad {
            views,
            calibrations,
        }
    }

    /// Whether the face at `face` (pixels of `picture`) is bona fide.
    ///
    /// # Errors
    /// [`InferenceError`] when a network fails or its output is not what the card describes.
    pub fn score(
        &self,
        picture: &Sampler<'_>,
        face: &Rect,
        device: Device,
    ) -> Result<PadScore, InferenceError> {
        let mut raw = 0.0;
        for view in &self.views {
            raw += view.card.weight * view.logit(picture, face)?;
        }
        let probability = self.calibrations.of(device).probability(raw);
        Ok(PadScore { raw, probability })
    }
}

/// One loaded network and the part of the picture it sees.
pub struct View {
    card: ViewCard,
    network: Box<dyn Network>,
}

impl View {
    /// Joins a card's view with its loaded network.
    ///
    /// # Errors
    /// [`InferenceError`] when the network does not take the input that the card describes.
    pub fn new(card: ViewCard, network: Box<dyn Network>) -> Result<Self, InferenceError> {
        network.prepare(card.input.shape())?;
        Ok(View { card, network })
    }

    /// The network's log-odds that the face at `face` (pixels of `picture`) is bona fide.
    ///
    /// # Errors
    /// [`InferenceError`] when the network fails or its output is not what the card describes.
    pub fn logit(&self, picture: &Sampler<'_>, face: &Rect) -> Result<f64, InferenceError> {
        let input = crop::input(picture, face, &self.card)?;
        live_logit(&self.network.run(input)?, &self.card)
    }
}

/// The bona fide logit in a network's first output.
fn live_logit(outputs: &[Output], view: &ViewCard) -> Result<f64, InferenceError> {
    let values = outputs.first().map_or(&[][..], |output| &output.data);
    let index = view.output.index;
    let live = values.get(index).copied().ok_or_else(|| {
        let found = values.len();
        InferenceError::new(format!(
            "view `{}` has {found} outputs, none at {index}",
            view.name
        ))
    })?;
    let logit = match view.output.kind {
        OutputKind::Logit => f64::from(live),
        // log(p / (1 - p)) of the softmax is the live logit over the log-sum-exp of the others.
        OutputKind::Softmax => {
            let others = values.iter().enumerate().filter(|&(nth, _)| nth != index);
            let others: Vec<f64> = others.map(|(_, &value)| f64::from(value)).collect();
            let largest = others.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = others.iter().map(|value| (value - largest).exp()).sum();
            f64::from(live) - largest - sum.ln()
        }
    };
    if logit.is_finite() {
        Ok(logit)
    } else {
        Err(InferenceError::new(format!(
            "view `{}` answered {logit}",
            view.name
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(kind: &str, index: usize) -> ViewCard {
        let card = format!(
            r#"name = "v"
            weights = "v.onnx"
            sha256 = ""
            weight = 1.0
            input = {{ width = 8, height = 8, colour = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }}
            crop = {{ rule = "square-inside", factor = 2.0 }}
            output = {{ kind = "{kind}", index = {index} }}"#
        );
        toml::from_str(&card).unwrap()
    }

    fn output(data: &[f32]) -> Vec<Output> {
        vec![Output {
            shape: vec![1, data.len()],
            data: data.to_vec(),
        }]
    }

    #[test]
    fn a_logit_is_taken_as_it_is() {
        assert_eq!(
            live_logit(&output(&[0.5, -3.0]), &view("logit", 1)).unwrap(),
            -3.0
        );
    }

    #[test]
    fn a_softmax_becomes_the_logit_of_its_live_probability() {
        let values = [1.0f32, 2.0, 0.5];
        let total: f64 = values.iter().map(|&value| f64::from(value).exp()).sum();
        let live = 2f64.exp() / total;
        let logit = live_logit(&output(&values), &view("softmax", 1)).unwrap();
        assert!((logit - (live / (1.0 - live)).ln()).abs() < 1e-9);
    }

    #[test]
    fn outputs_that_are_missing_or_no_numbers_are_errors() {
        assert!(live_logit(&[], &view("logit", 0)).is_err());
        assert!(live_logit(&output(&[1.0]), &view("logit", 1)).is_err());
        assert!(live_logit(&output(&[f32::NAN]), &view("logit", 0)).is_err());
        assert!(live_logit(&output(&[1.0]), &view("softmax", 0)).is_err());
    }
}
