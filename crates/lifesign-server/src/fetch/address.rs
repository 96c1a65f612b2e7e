//! Which addresses are public. Everything that the IANA special-purpose registries reserve is not,
//! and neither is an IPv6 address that carries such an IPv4 address inside.
//!
//! A module of our own: the crates for this either lag behind the registries or answer another
//! question, "globally reachable", to which an anycast relay or a translator is no exception.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is on the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Networks of IPv4 that are not public.
const NOT_PUBLIC_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),        // this network, unspecified
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // carrier-grade NAT
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // Azure's own services, reached from inside a machine there
    ([169, 254, 0, 0], 16),   // link-local, cloud metadata
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 31, 196, 0], 24),  // AS112
    ([192, 52, 193, 0], 24),  // automatic multicast tunnelling
    ([192, 88, 99, 0], 24),   // 6to4 relays
    ([192, 168, 0, 0], 16),   // private
    ([192, 175, 48, 0], 24),  // AS112
    ([198, 18, 0, 0], 15),    // benchmarking
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 4),      // multicast
    ([240, 0, 0, 0], 4),      // reserved, broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !NOT_PUBLIC_V4.iter().any(|&(network, length)| {
        let mask = u32::MAX << (32 - length);
        bits & mask == u32::from_be_bytes(network)
    })
}

/// Networks inside 2000::/3 that are not public.
const NOT_PUBLIC_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, with Teredo and ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16), // 6bone, given back
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inside) = isatap(address)
        && !is_public_v4(inside)
    {
        return false;
    }
    if let Some(inside) = translated(address) {
        return is_public_v4(inside);
    }
    let bits = address.to_bits();
    // Only 2000::/3 is global unicast: this leaves out loopback, compatible, unique-local,
    // link-local, site-local, multicast and all that is unassigned.
    bits >> 125 == 0b001
        && !NOT_PUBLIC_V6.iter().any(|&(network, length)| {
            let mask = u128::MAX << (128 - length);
            bits & mask == network.to_bits()
        })
}

/// The IPv4 address that packets to this IPv6 address would reach, where its prefix says so.
/// Teredo and the compatible addresses are refused whatever they carry, and so is the local NAT64
/// prefix unless the operator names the part in use ([`Nat64`](super::Nat64)).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] => Some(v4(g, h)),    // mapped
        [0, 0, 0, 0, 0xffff, 0] => Some(v4(g, h)),    // translated (SIIT)
        [0x64, 0xff9b, 0, 0, 0, 0] => Some(v4(g, h)), // NAT64
        [0x2002, ..] => Some(v4(b, c)),               // 6to4
        _ => None,
    }
}

/// The IPv4 address in an ISATAP interface id, which may follow any prefix.
fn isatap(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., flags, 0x5efe, high, low] = address.segments() else {
        return None;
    };
    // Only the bit that says whether the IPv4 address is unique may be set.
    matches!(flags, 0 | 0x200).then(|| v4(high, low))
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}
