//! The model card a machine reads: everything needed to run PAD networks as they were trained.

use serde::Deserialize;

use super::calibration::{Calibrations, unknown_format};
use crate::resample::Filter;

/// `card.toml` of a PAD model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Version of this format: 1.
    pub format: u32,
    /// The model's name.
    pub name: String,
    /// The model's version.
    pub version: String,
    /// The networks, whose weighted logits are added up.
    #[serde(rename = "view")]
    pub views: Vec<ViewCard>,
    /// From the sum to a probability.
    pub calibration: Calibrations,
    /// Origin, licence, figures: for people, not read by the engine.
    #[serde(default)]
    pub info: toml::Table,
}

/// One network and the part of the picture it sees.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewCard {
    /// For messages.
    pub name: String,
    /// The ONNX file, beside the card.
    pub weights: String,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: String,
    /// Factor of this view's logit in the raw score.
    pub weight: f64,
    /// What the network takes.
    pub input: InputCard,
    /// Which part of the picture it sees.
    pub crop: CropCard,
    /// What it answers.
    pub output: OutputCard,
}

/// Input of a network: `[1, 3, height, width]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputCard {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Order of the channels.
    pub colour: Colour,
    /// Subtracted from a channel's value in 0 to 1, in the order of `colour`.
    pub mean: [f32; 3],
    /// Divides the difference: `(value / 255 - mean) / std`.
    pub std: [f32; 3],
}

impl InputCard {
    /// Batch, channels, height, width.
    pub fn shape(&self) -> [usize; 4] {
        [1, 3, self.height as usize, self.width as usize]
    }
}

/// Order of the colour channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// Where a crop lies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropCard {
    /// How it is placed.
    pub rule: CropRule,
    /// Its size: for `square-inside` the side in longer sides of the face box, for `box-inside`
    /// in face boxes.
    pub factor: f64,
    /// How it is brought to the input's size.
    #[serde(default)]
    pub resample: Filter,
}

/// How a crop is placed around a face box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CropRule {
    /// A square about the box's centre, reduced to the picture's shorter side, then shifted inside
    /// the picture.
    SquareInside,
    /// The box enlarged about its centre, reduced to fit the picture, then shifted inside it; its
    /// aspect ratio is lost when it is brought to the input's size.
    BoxInside,
}

/// Where a network's answer is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputCard {
    /// What the values are.
    pub kind: OutputKind,
    /// Position of the bona fide value in the network's first output.
    pub index: usize,
}

/// What a network's output values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// A bona fide logit.
    Logit,
    /// Logits of classes that exclude each other.
    Softmax,
}

impl Card {
    /// Reads a card.
    ///
    /// # Errors
    /// A sentence that names the key at fault.
    pub fn parse(text: &str) -> Result<Card, String> {
        let card: Card = toml::from_str(text).map_err(|error| error.to_string())?;
        card.check().map(|()| card)
    }

    fn check(&self) -> Result<(), String> {
        if self.format != 1 {
            return Err(unknown_format(self.format));
        }
        if self.views.is_empty() {
            return Err("there is no [[view]]".to_owned());
        }
        self.calibration.check()?;
        self.views.iter().try_for_each(ViewCard::check)
    }
}

impl ViewCard {
    /// Whether the view can be meant.
    ///
    /// # Errors
    /// A sentence that names the view and the key at fault.
    pub fn check(&self) -> Result<(), String> {
        let ViewCard { name, input, .. } = self;
        if !(1..=1024).contains(&input.width) || !(1..=1024).contains(&input.height) {
            return Err(format!(
                "view `{name}`: input sides must be 1 to 1024 pixels"
            ));
        }
        if !input.mean.iter().all(|mean| mean.is_finite())
            || !input.std.iter().all(|std| std.is_finite() && *std > 0.0)
        {
            return Err(format!(
                "view `{name}`: input mean must be numbers, std above 0"
            ));
        }
        if !(self.crop.factor.is_finite() && self.crop.factor > 0.0) {
            return Err(format!("view `{name}`: crop factor must be above 0"));
        }
        if !self.weight.is_finite() {
            return Err(format!("view `{name}`: weight must be a number"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = r#"
        format = 1
        name = "example"
        version = "1.0.0"
        [[view]]
        name = "wide"
        weights = "wide.onnx"
        sha256 = "00"
        weight = 1.0
        input = { width = 80, height = 80, colour = "bgr", mean = [0, 0, 0], std = [1, 1, 1] }
        crop = { rule = "square-inside", factor = 2.7 }
        output = { kind = "softmax", index = 1 }
        [calibration.default]
        slope = 1.0
        intercept = 0.0
    "#;

    #[test]
    fn a_complete_card_is_read() {
        let card = Card::parse(CARD).unwrap();
        assert_eq!(card.views[0].input.shape(), [1, 3, 80, 80]);
        assert_eq!(card.views[0].input.colour, Colour::Bgr);
    }

    #[test]
    fn a_card_that_cannot_be_meant_is_refused_with_the_key_named() {
        for (from, to, named) in [
            ("format = 1", "format = 2", "format 2"),
            ("slope = 1.0", "slope = -1.0", "slope"),
            ("factor = 2.7", "factor = 0", "factor"),
            ("factor = 2.7", "faktor = 2.7", "faktor"),
            ("std = [1, 1, 1]", "std = [1, 0, 1]", "std"),
            ("width = 80", "width = 4000", "input sides"),
            ("\"bgr\"", "\"gray\"", "gray"),
        ] {
            let error = Card::parse(&CARD.replace(from, to)).unwrap_err();
            assert!(error.contains(named), "{to}: {error}");
        }
    }
}
