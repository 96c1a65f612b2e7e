//! From a raw score to a probability: Platt scaling (J. Platt, *Probabilistic Outputs for Support
//! Vector Machines*, 1999), one pair of parameters for each kind of device the card knows.

use serde::{Deserialize, Serialize};

/// Origin of a capture, as the request's `os` field names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Device {
    /// A computer's webcam.
    Desktop,
    /// An iPhone or iPad.
    Ios,
    /// An Android phone or tablet.
    Android,
    /// Anything else.
    #[default]
    Unknown,
}

impl Device {
    /// Reads an `os` value without regard to case; what it does not know is [`Device::Unknown`].
    ///
    /// ```
    /// use lifesign::Device;
    /// assert_eq!(Device::from_os("iOS"), Device::Ios);
    /// assert_eq!(Device::from_os("Symbian"), Device::Unknown);
    /// ```
    pub fn from_os(os: &str) -> Device {
        match os.to_ascii_uppercase().as_str() {
            "DESKTOP" => Device::Desktop,
            "IOS" => Device::Ios,
            "ANDROID" => Device::Android,
            _ => Device::Unknown,
        }
    }
}

/// `probability = 1 / (1 + exp(-(slope * raw + intercept)))`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Probability rises with the raw score: above 0.
    pub slope: f64,
    /// Log-odds of bona fide at a raw score of 0.
    pub intercept: f64,
}

impl Calibration {
    /// Probability of bona fide, 0 to 1.
    pub fn probability(&self, raw: f64) -> f64 {
        1.0 / (1.0 + (-(self.slope * raw + self.intercept)).exp())
    }

    fn is_sound(&self) -> bool {
        self.slope.is_finite() && self.slope > 0.0 && self.intercept.is_finite()
    }
}

/// The calibrations of a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibrations {
    /// For every device without one of its own.
    pub default: Calibration,
    /// For computers' webcams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desktop: Option<Calibration>,
    /// For iPhones and iPads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ios: Option<Calibration>,
    /// For Android phones and tablets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub android: Option<Calibration>,
}

impl Calibrations {
    /// The calibration for `device`: its own where the card has one, else the default.
    pub fn of(&self, device: Device) -> &Calibration {
        let own = match device {
            Device::Desktop => &self.desktop,
            Device::Ios => &self.ios,
            Device::Android => &self.android,
            Device::Unknown => &None,
        };
        own.as_ref().unwrap_or(&self.default)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let own = [&self.desktop, &self.ios, &self.android];
        if self.default.is_sound() && own.into_iter().flatten().all(Calibration::is_sound) {
            Ok(())
        } else {
            Err("calibration: slope must be above 0, intercept a number".to_owned())
        }
    }
}

/// A calibration that replaces the one of a model card, made for one's own cameras by
/// `lifesign calibrate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationFile {
    /// Version of this format: 1.
    pub format: u32,
    /// SHA-256 of the PAD networks it was made for, in the card's order.
    pub weights: Vec<String>,
    /// From the raw score to a probability.
    pub calibration: Calibrations,
    /// Origin and figures: for people, not read by the engine.
    #[serde(default)]
    pub info: toml::Table,
}

impl CalibrationFile {
    /// A calibration for the networks whose SHA-256 are given.
    pub fn new(weights: Vec<String>, calibration: Calibrations) -> CalibrationFile {
        CalibrationFile {
            format: 1,
            weights,
            calibration,
            info: toml::Table::new(),
        }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// A sentence that names the key at fault.
    pub fn parse(text: &str) -> Result<CalibrationFile, String> {
        let file: CalibrationFile = toml::from_str(text).map_err(|error| error.to_string())?;
        match file.format {
            1 => file.calibration.check().map(|()| file),
            other => Err(unknown_format(other)),
        }
    }

    /// The file's text.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers, strings and tables of them serialise")
    }
}

/// What is said of a card or calibration of a later version.
pub(super) fn unknown_format(format: u32) -> String {
    format!("format {format} is not known; this version reads format 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probability_is_half_at_the_midpoint_and_rises_to_its_bounds() {
        let calibration = Calibration {
            slope: 2.0,
            intercept: -1.0,
        };
        assert_eq!(calibration.probability(0.5), 0.5);
        assert!(calibration.probability(0.6) > 0.5);
        assert_eq!(calibration.probability(1e6), 1.0);
        assert_eq!(calibration.probability(-1e6), 0.0);
    }

    #[test]
    fn a_device_has_its_own_calibration_where_the_card_has_one() {
        let calibrations: Calibrations = toml::from_str(
            "default = { slope = 1, intercept = 0 }\nandroid = { slope = 3, intercept = 0 }",
        )
        .unwrap();
        assert_eq!(calibrations.of(Device::Android).slope, 3.0);
        assert_eq!(calibrations.of(Device::Ios).slope, 1.0);
        assert_eq!(calibrations.of(Device::Unknown).slope, 1.0);
    }

    #[test]
    fn a_calibration_file_is_read_as_it_was_written() {
        let text = "format = 1\nweights = ['ab']\n\
                    [calibration]\ndefault = { slope = 1.5, intercept = -0.25 }\n\
                    ios = { slope = 3.0, intercept = 0.0 }\n[info]\nmade = 'here'\n";
        let file = CalibrationFile::parse(text).unwrap();
        assert_eq!(CalibrationFile::parse(&file.to_toml()).unwrap(), file);
        for (from, to, named) in [
            ("format = 1", "format = 7", "format 7"),
            ("slope = 1.5", "slope = 0.0", "slope"),
            ("weights", "weight", "weight"),
        ] {
            let error = CalibrationFile::parse(&text.replace(from, to)).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
