//! The signature of an answer: who certifies, and when in the contract's form.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Who certifies, and in which time zone.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) issuer: String,
    pub(crate) time_zone: TimeZone,
}

impl Signature {
    /// Such as `January 16, 2024 3:44 PM`.
    pub(crate) fn date_time(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.time_zone.clone())
            .strftime("%B %-d, %Y %-I:%M %p")
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_written_as_the_contract_shows_it() {
        for (at, zone, text) in [
            ("2024-01-16T15:44:59Z", "UTC", "January 16, 2024 3:44 PM"),
            ("2025-10-10T00:05:00Z", "UTC", "October 10, 2025 12:05 AM"),
            ("2025-10-05T12:00:00Z", "UTC", "October 5, 2025 12:00 PM"),
            (
                "2024-01-16T15:44:00Z",
                "America/Bogota",
                "January 16, 2024 10:44 AM",
            ),
            (
                "2024-07-01T22:30:00Z",
                "Europe/Berlin",
                "July 2, 2024 12:30 AM",
            ),
        ] {
            let time_zone = TimeZone::get(zone).unwrap();
            let signature = Signature {
                issuer: "Lifesign".into(),
                time_zone,
            };
            assert_eq!(signature.date_time(at.parse().unwrap()), text);
        }
    }
}
