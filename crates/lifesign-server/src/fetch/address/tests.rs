//! Every entry of the IANA special-purpose registries (IPv4 and IPv6, as of 2025) and every IPv6 form
//! that carries an IPv4 address, by its first and last address and the neighbours outside.

use super::*;

/// A network and who reserves it; the neighbours are those addresses just outside that are public.
struct Row {
    first: &'static str,
    last: &'static str,
    public_neighbours: &'static [&'static str],
    what: &'static str,
}

const fn row(
    first: &'static str,
    last: &'static str,
    public_neighbours: &'static [&'static str],
    what: &'static str,
) -> Row {
    Row {
        first,
        last,
        public_neighbours,
        what,
    }
}

#[rustfmt::skip]
const REGISTRY: &[Row] = &[
    // https://www.iana.org/assignments/iana-ipv4-special-registry
    row("0.0.0.0", "0.255.255.255", &["1.0.0.0"], "RFC 791 this network"),
    row("0.0.0.0", "0.0.0.0", &[], "RFC 1122 this host, unspecified"),
    row("10.0.0.0", "10.255.255.255", &["9.255.255.255", "11.0.0.0"], "RFC 1918 private"),
    row("100.64.0.0", "100.127.255.255", &["100.63.255.255", "100.128.0.0"], "RFC 6598 shared (carrier-grade NAT)"),
    row("127.0.0.0", "127.255.255.255", &["126.255.255.255", "128.0.0.0"], "RFC 1122 loopback"),
    row("169.254.0.0", "169.254.255.255", &["169.253.255.255", "169.255.0.0"], "RFC 3927 link-local"),
    row("172.16.0.0", "172.31.255.255", &["172.15.255.255", "172.32.0.0"], "RFC 1918 private"),
    row("192.0.0.0", "192.0.0.255", &["191.255.255.255", "192.0.1.0"], "RFC 6890 IETF protocol assignments"),
    row("192.0.0.0", "192.0.0.7", &[], "RFC 7335 IPv4 service continuity"),
    row("192.0.0.8", "192.0.0.8", &[], "RFC 7600 dummy address"),
    row("192.0.0.9", "192.0.0.9", &[], "RFC 7723 port control anycast"),
    row("192.0.0.10", "192.0.0.10", &[], "RFC 8155 TURN anycast"),
    row("192.0.0.170", "192.0.0.171", &[], "RFC 8880, 7050 NAT64 discovery"),
    row("192.0.2.0", "192.0.2.255", &["192.0.1.255", "192.0.3.0"], "RFC 5737 documentation 1"),
    row("192.31.196.0", "192.31.196.255", &["192.31.195.255", "192.31.197.0"], "RFC 7535 AS112"),
    row("192.52.193.0", "192.52.193.255", &["192.52.192.255", "192.52.194.0"], "RFC 7450 AMT"),
    row("192.88.99.0", "192.88.99.255", &["192.88.98.255", "192.88.100.0"], "RFC 7526 6to4 relay anycast"),
    row("192.88.99.2", "192.88.99.2", &[], "RFC 6751 6a44 relay anycast"),
    row("192.168.0.0", "192.168.255.255", &["192.167.255.255", "192.169.0.0"], "RFC 1918 private"),
    row("192.175.48.0", "192.175.48.255", &["192.175.47.255", "192.175.49.0"], "RFC 7534 AS112"),
    row("198.18.0.0", "198.19.255.255", &["198.17.255.255", "198.20.0.0"], "RFC 2544 benchmarking"),
    row("198.51.100.0", "198.51.100.255", &["198.51.99.255", "198.51.101.0"], "RFC 5737 documentation 2"),
    row("203.0.113.0", "203.0.113.255", &["203.0.112.255", "203.0.114.0"], "RFC 5737 documentation 3"),
    row("224.0.0.0", "239.255.255.255", &["223.255.255.255"], "RFC 5771 multicast"),
    row("240.0.0.0", "255.255.255.255", &[], "RFC 1112 reserved"),
    row("255.255.255.255", "255.255.255.255", &[], "RFC 919, 8190 limited broadcast"),
    // Metadata services of clouds; those not in a range above.
    row("168.63.129.16", "168.63.129.16", &["168.63.129.15", "168.63.129.17"], "Azure's WireServer"),
    row("169.254.169.254", "169.254.169.254", &[], "RFC 3927 AWS, Azure, Google, Oracle, DigitalOcean, Hetzner"),
    row("169.254.170.2", "169.254.170.2", &[], "RFC 3927 AWS containers"),
    row("100.100.100.200", "100.100.100.200", &[], "RFC 6598 Alibaba"),
    row("192.0.0.192", "192.0.0.192", &[], "RFC 6890 Oracle Classic"),
    row("fd00:ec2::254", "fd00:ec2::254", &[], "RFC 4193 AWS by IPv6"),
    row("fd20:ce::254", "fd20:ce::254", &[], "RFC 4193 Google by IPv6"),

    // https://www.iana.org/assignments/iana-ipv6-special-registry
    row("::1", "::1", &[], "RFC 4291 loopback"),
    row("::", "::", &[], "RFC 4291 unspecified"),
    row("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", &[], "RFC 8215 local NAT64"),
    row("100::", "100::ffff:ffff:ffff:ffff", &[], "RFC 6666 discard only"),
    row("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", &[], "RFC 9780 dummy prefix"),
    row("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", &["2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"], "RFC 2928 IETF protocol assignments"),
    row("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 4380, 8190 Teredo"),
    row("2001:1::1", "2001:1::1", &[], "RFC 7723 port control anycast"),
    row("2001:1::2", "2001:1::2", &[], "RFC 8155 TURN anycast"),
    row("2001:1::3", "2001:1::3", &[], "RFC 9665 DNS-SD registration anycast"),
    row("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", &[], "RFC 5180 benchmarking"),
    row("2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 7450 AMT"),
    row("2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", &[], "RFC 7535 AS112"),
    row("2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 4843 ORCHID, deprecated"),
    row("2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 7343 ORCHIDv2"),
    row("2001:30::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 9374 drone ids"),
    row("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", &["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"], "RFC 3849 documentation"),
    row("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", &["2620:4f:7fff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8001::"], "RFC 7534 AS112"),
    row("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", &["3fff:1000::"], "RFC 9637 documentation"),
    row("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 9602 segment routing"),
    row("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 4193, 8190 unique-local"),
    row("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 4291 link-local"),
    // Not in the registry, and not public either.
    row("::2", "::ffff:ffff", &[], "RFC 4291 IPv4-compatible"),
    row("200::", "3ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 4048 NSAP"),
    row("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], "RFC 4291 unassigned"),
    row("1::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["2000::"], "RFC 4291 unassigned"),
    row("3ffe::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["3ffd:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], "RFC 3701 6bone"),
    row("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 3879 site-local"),
    row("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &[], "RFC 4291 multicast"),
];

fn address(text: &str) -> IpAddr {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no address"))
}

#[test]
fn no_address_of_a_special_purpose_range_is_public_and_its_neighbours_are() {
    for row in REGISTRY {
        for inside in [row.first, row.last] {
            assert!(!is_public(address(inside)), "{inside}: {}", row.what);
        }
        for outside in row.public_neighbours {
            assert!(is_public(address(outside)), "{outside}: {}", row.what);
        }
    }
}

/// The IPv6 forms that carry an IPv4 address, and whether one that carries a public address is
/// itself public: those of a tunnel within a site or through strangers are not.
#[rustfmt::skip]
type Form = (&'static str, fn(Ipv4Addr) -> Ipv6Addr, bool);

fn ends(prefix: [u16; 6], inside: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d, e, f] = prefix;
    let [g, h] = halves(inside);
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

fn halves(inside: Ipv4Addr) -> [u16; 2] {
    let bits = inside.to_bits();
    [(bits >> 16) as u16, bits as u16]
}

#[rustfmt::skip]
const FORMS: &[Form] = &[
    ("RFC 4291 mapped", |v4| ends([0, 0, 0, 0, 0, 0xffff], v4), true),
    ("RFC 4291 compatible", |v4| ends([0; 6], v4), false),
    ("RFC 2765 translated (SIIT)", |v4| ends([0, 0, 0, 0, 0xffff, 0], v4), true),
    ("RFC 6052 NAT64", |v4| ends([0x64, 0xff9b, 0, 0, 0, 0], v4), true),
    ("RFC 8215 local NAT64, /96", |v4| ends([0x64, 0xff9b, 1, 0, 0, 0], v4), false),
    ("RFC 8215 local NAT64, /48", |v4| { let [a, b] = halves(v4); Ipv6Addr::new(0x64, 0xff9b, 1, a, b >> 8, b << 8, 0, 0) }, false),
    ("RFC 3056 6to4", |v4| { let [a, b] = halves(v4); Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1) }, true),
    ("RFC 3056 6to4, another subnet", |v4| { let [a, b] = halves(v4); Ipv6Addr::new(0x2002, a, b, 0xffff, 1, 2, 3, 4) }, true),
    ("RFC 4380 Teredo, the server", |v4| { let [a, b] = halves(v4); Ipv6Addr::new(0x2001, 0, a, b, 0x8000, 0xffff, !0x0808, !0x0808) }, false),
    ("RFC 4380 Teredo, the client", |v4| { let [a, b] = halves(v4); Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0x8000, 0xffff, !a, !b) }, false),
    ("RFC 5214 ISATAP, link-local", |v4| ends([0xfe80, 0, 0, 0, 0, 0x5efe], v4), false),
    ("RFC 5214 ISATAP, global prefix", |v4| ends([0x2606, 0x4700, 1, 2, 0, 0x5efe], v4), true),
    ("RFC 5214 ISATAP, global prefix, unique", |v4| ends([0x2606, 0x4700, 1, 2, 0x200, 0x5efe], v4), true),
    ("RFC 5214 ISATAP behind 6to4", |v4| ends([0x2002, 0x808, 0x808, 1, 0, 0x5efe], v4), true),
];

#[test]
fn an_ipv6_address_is_no_more_public_than_the_ipv4_address_it_carries() {
    for (what, form, public) in FORMS {
        for row in REGISTRY {
            for text in [row.first, row.last] {
                let IpAddr::V4(inside) = address(text) else {
                    continue;
                };
                let carrier = form(inside);
                assert!(
                    !is_public(carrier.into()),
                    "{what}: {carrier} carries {text}"
                );
            }
        }
        let carrier = form(Ipv4Addr::new(8, 8, 8, 8));
        assert_eq!(is_public(carrier.into()), *public, "{what}: {carrier}");
    }
}

#[test]
fn ordinary_public_addresses_are_public() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "2001:4860:4860::8888",
        "2600:1f18::a00:1",
    ] {
        assert!(is_public(address(text)), "{text}");
    }
}
