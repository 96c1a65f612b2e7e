//! From a raw score to a probability: Platt scaling (J. Platt, *Probabilistic Outputs for Support
//! Vector Machines*, 1999), one pair of parameters for each kind of device the card knows.

use serde::Deserialize;

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
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibrations {
    default: Calibration,
    desktop: Option<Calibration>,
    ios: Option<Calibration>,
    android: Option<Calibration>,
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

    pub(super) fn are_sound(&self) -> bool {
        let own = [&self.desktop, &self.ios, &self.android];
        self.default.is_sound() && own.into_iter().flatten().all(Calibration::is_sound)
    }
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
}
