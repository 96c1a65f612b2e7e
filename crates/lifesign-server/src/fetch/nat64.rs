//! Translators to IPv4 (NAT64) whose prefixes only the operator of the network knows.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::rules::listed;

/// The lengths that a prefix may have (RFC 6052, 2.2).
const LENGTHS: [u8; 6] = [32, 40, 48, 56, 64, 96];
/// Of the octets that follow a prefix this one, bits 64 to 71, carries nothing.
const RESERVED_OCTET: usize = 8;

/// The NAT64 prefixes of a network beside the well-known 64:ff9b::/96.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nat64(Vec<(Ipv6Addr, u8)>);

impl Nat64 {
    /// The IPv4 address that a translator would send packets to this address to.
    pub(super) fn inside(&self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        let octets = address.octets();
        let &(_, length) = self
            .0
            .iter()
            .find(|&&(prefix, length)| mask(address, length) == prefix)?;
        let mut inside = (usize::from(length) / 8..16)
            .filter(|&at| at != RESERVED_OCTET)
            .map(|at| octets[at]);
        let mut next = || inside.next();
        Some(Ipv4Addr::new(next()?, next()?, next()?, next()?))
    }
}

fn mask(address: Ipv6Addr, length: u8) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & u128::MAX << (128 - u32::from(length)))
}

/// What was written is no list of prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPrefix;

impl FromStr for Nat64 {
    type Err = BadPrefix;

    /// Reads a list with commas, such as `64:ff9b:1::/96, 2001:db8:64::/48`; none is an empty one.
    fn from_str(text: &str) -> Result<Nat64, BadPrefix> {
        listed(text)
            .map(prefix)
            .collect::<Result<_, _>>()
            .map(Nat64)
    }
}

fn prefix(text: &str) -> Result<(Ipv6Addr, u8), BadPrefix> {
    let (address, length) = text.split_once('/').ok_or(BadPrefix)?;
    let address: Ipv6Addr = address.parse().map_err(|_| BadPrefix)?;
    let length: u8 = length.parse().map_err(|_| BadPrefix)?;
    let whole = LENGTHS.contains(&length) && mask(address, length) == address;
    whole.then_some((address, length)).ok_or(BadPrefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ipv4_address_is_where_the_prefix_says() {
        // The table of RFC 6052, 2.4.
        for (prefix, address) in [
            ("2001:db8::/32", "2001:db8:c000:221::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
        ] {
            let known: Nat64 = format!("64:ff9b:1::/96, {prefix}").parse().unwrap();
            let inside = known.inside(address.parse().unwrap());
            assert_eq!(inside, Some(Ipv4Addr::new(192, 0, 2, 33)), "{prefix}");
            assert_eq!(known.inside("2606:4700::1111".parse().unwrap()), None);
        }
        assert_eq!("".parse(), Ok(Nat64::default()));
    }

    #[test]
    fn what_is_no_prefix_of_a_translator_is_refused() {
        for text in [
            "64:ff9b::",
            "64:ff9b::/95",
            "64:ff9b::1/96",
            "10.0.0.0/32",
            "x/96",
        ] {
            assert_eq!(text.parse::<Nat64>(), Err(BadPrefix), "{text}");
        }
    }
}
