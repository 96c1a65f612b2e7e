//! What an image's address may be: https, on some ports, of some hosts, without a user name.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use reqwest::Url;

use super::{Nat64, address};

const HTTPS: u16 = 443;
/// Longest name of a host (RFC 1035, 2.3.4).
pub(super) const LONGEST_HOST: usize = 255;

/// Which addresses of images are followed. None of this makes an address that is not public one
/// that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The ports.
    pub ports: Ports,
    /// The hosts.
    pub hosts: Hosts,
    /// The translators to IPv4 in the network of this machine.
    pub nat64: Nat64,
}

impl Rules {
    /// What can be seen from the URL alone. Names are judged again when they are resolved; an address
    /// in place of a name never reaches the resolver, so it is judged here.
    pub(super) fn check(&self, url: &Url) -> Result<(), &'static str> {
        if url.scheme() != "https" {
            return Err("not https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it carries a user name or a password");
        }
        if !self.ports.0.contains(&url.port().unwrap_or(HTTPS)) {
            return Err("its port is not among `fetch_ports`");
        }
        let host = url.host_str().ok_or("it names no host")?;
        if host.len() > LONGEST_HOST {
            return Err("its host has too long a name");
        }
        if !self.hosts.allow(host) {
            return Err("its host is not among `fetch_hosts`");
        }
        match literal(host) {
            Some(address) if !self.permit(address) => Err("its address is not public"),
            _ => Ok(()),
        }
    }

    /// Whether connections to this address are permitted.
    pub(super) fn permit(&self, address: IpAddr) -> bool {
        let inside = match address {
            IpAddr::V6(address) => self.nat64.inside(address),
            IpAddr::V4(_) => None,
        };
        address::is_public(inside.map_or(address, IpAddr::V4))
    }
}

/// The address that stands in a URL in place of a name.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok()
}

/// Ports that an image may come from. By default 443 and its usual stand-in 8443: both are nobody's
/// but https, so that nothing is learnt from being refused there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports(Vec<u16>);

impl Default for Ports {
    fn default() -> Ports {
        Ports(vec![HTTPS, 8443])
    }
}

/// What was written is no list of ports or hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadList;

impl FromStr for Ports {
    type Err = BadList;

    fn from_str(text: &str) -> Result<Ports, BadList> {
        let port = |part: &str| match part.trim().parse() {
            Ok(0) | Err(_) => Err(BadList),
            Ok(port) => Ok(port),
        };
        text.split(',')
            .map(port)
            .collect::<Result<_, _>>()
            .map(Ports)
    }
}

/// Hosts that an image may come from; an empty list is every public one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// This name or address.
    Exactly(String),
    /// Every name that ends so; it begins with a dot.
    Below(String),
}

impl Hosts {
    /// Whether a host may be asked, as it stands in a parsed URL: in lower case, and in punycode.
    fn allow(&self, host: &str) -> bool {
        // The name of the root may be written or not.
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.is_empty()
            || self.0.iter().any(|pattern| match pattern {
                Pattern::Exactly(name) => host == name,
                Pattern::Below(suffix) => host.ends_with(suffix) && host.len() > suffix.len(),
            })
    }
}

impl FromStr for Hosts {
    type Err = BadList;

    /// Reads a list with commas: names, `.example.org` or `*.example.org` for every name below one,
    /// addresses.
    fn from_str(text: &str) -> Result<Hosts, BadList> {
        listed(text)
            .map(pattern)
            .collect::<Result<_, _>>()
            .map(Hosts)
    }
}

/// The parts of a list with commas, which may be empty.
pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn pattern(text: &str) -> Result<Pattern, BadList> {
    let below = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
    let host = normal(below.unwrap_or(text))?;
    match below {
        None => Ok(Pattern::Exactly(host)),
        Some(_) if literal(&host).is_some() => Err(BadList),
        Some(_) => Ok(Pattern::Below(format!(".{host}"))),
    }
}

/// A host as a parsed URL has it.
fn normal(host: &str) -> Result<String, BadList> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match bare.unwrap_or(host).parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) if host.contains([':', '/', '\\', '?', '#', '@']) => return Err(BadList),
        Err(_) => host.to_owned(),
    };
    let url = Url::parse(&format!("https://{host}/")).map_err(|_| BadList)?;
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_suffix('.').unwrap_or(host);
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if host.is_empty() || !(literal(host).is_some() || host.bytes().all(name)) {
        return Err(BadList);
    }
    Ok(host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &Rules, url: &str) -> Result<(), &'static str> {
        rules.check(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_url_is_refused_for_its_scheme_its_user_its_port_or_its_address() {
        let rules = Rules::default();
        for url in [
            "http://example.org/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https://user@example.org/",
            "https://:word@example.org/",
            "https://8.8.8.8@127.0.0.1/",
            "https://example.org:80/",
            "https://example.org:22/",
            "https://example.org:6443/",
            "https://127.0.0.1/",
            "https://127.0.0.1./",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://①②⑦.0.0.1/",
            "https://127。0。0。1/",
            "https://0/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[64:ff9b:1::808:808]/",
            "https://169.254.169.254/latest",
        ] {
            assert!(check(&rules, url).is_err(), "{url}");
        }
        for url in [
            "https://example.org/a?b",
            "https://EXAMPLE.org:8443/a?b",
            "https://example.org./",
            "https://bücher.example/",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            // Names are judged by what they resolve to.
            "https://localhost/",
            "https://metadata.google.internal/",
        ] {
            assert_eq!(check(&rules, url), Ok(()), "{url}");
        }
        let long = format!("https://{}example/", "a.".repeat(200));
        assert!(check(&rules, &long).is_err());
        // A zone has no place in an address of the web.
        assert!(Url::parse("https://[fe80::1%25eth0]/").is_err());
    }

    #[test]
    fn only_the_listed_hosts_may_be_asked() {
        let hosts = "photos.example.org, *.shop.example, .xn--bcher-kva.example, Grün.example, 8.8.4.4, 2606:4700:0:0::1111";
        let rules = Rules {
            hosts: hosts.parse().unwrap(),
            ..Rules::default()
        };
        for url in [
            "https://photos.example.org/",
            "https://PHOTOS.example.org./",
            "https://a.shop.example/",
            "https://a.b.shop.example/",
            "https://www.bücher.example/",
            "https://xn--grn-ioa.example/",
            "https://8.8.4.4/",
            "https://[2606:4700::1111]/",
        ] {
            assert_eq!(check(&rules, url), Ok(()), "{url}");
        }
        for url in [
            "https://example.org/",
            "https://a.photos.example.org/",
            "https://photos.example.org.evil.example/",
            "https://shop.example/",
            "https://evilshop.example/",
            "https://.shop.example/",
            "https://photos.example.org@evil.example/",
            "https://8.8.8.8/",
            "https://[2606:4700::1112]/",
        ] {
            assert!(check(&rules, url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_listed_host_is_refused_all_the_same_where_its_address_is_not_public() {
        let rules = Rules {
            hosts: "10.0.0.1, ::1".parse().unwrap(),
            ..Rules::default()
        };
        for url in ["https://10.0.0.1/", "https://[::1]/"] {
            assert_eq!(check(&rules, url), Err("its address is not public"));
        }
    }

    #[test]
    fn behind_a_translator_that_is_known_the_ipv4_address_is_judged() {
        let rules = Rules {
            nat64: "64:ff9b:1::/96, 2606:64::/96".parse().unwrap(),
            ..Rules::default()
        };
        for (address, permitted) in [
            ("64:ff9b:1::8.8.8.8", true),
            ("64:ff9b:1::10.0.0.1", false),
            ("2606:64::8.8.8.8", true),
            ("2606:64::127.0.0.1", false),
            ("2606:65::127.0.0.1", true),
        ] {
            assert_eq!(
                rules.permit(address.parse().unwrap()),
                permitted,
                "{address}"
            );
        }
    }

    #[test]
    fn lists_that_cannot_be_read_are_refused() {
        for text in ["", "0", "443,", "https", "65536", "443 8443"] {
            assert_eq!(text.parse::<Ports>(), Err(BadList), "{text}");
        }
        assert_eq!("443, 8443".parse(), Ok(Ports::default()));
        for text in [
            "=?!=",
            "https://example.org",
            "example.org/photos",
            "example.org:443",
            "user@example.org",
            "*",
            "*.",
            "*.8.8.8.8",
            "a b",
            "[::1",
        ] {
            assert_eq!(text.parse::<Hosts>(), Err(BadList), "{text}");
        }
        assert_eq!(" ".parse(), Ok(Hosts::default()));
    }
}
