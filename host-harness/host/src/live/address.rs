//! Protection against SSRF: requests go only to public addresses, unless the operator named the
//! origin. Pure, except for the resolver.
//!
//! A name is judged by the addresses that it resolves to for the connection, so DNS rebinding gains
//! nothing. An IPv4 address inside an IPv6 address is judged as IPv4.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether an address is public: not of this machine, a link or a private network.
///
/// The other ranges are those that the IANA registries of special-purpose addresses do not call
/// globally reachable (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => wrapped(address).map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = (a, b, c) == (192, 0, 0);
    let benchmarks = a == 198 && (b == 18 || b == 19);
    let relays = (a, b, c) == (192, 88, 99);
    let special = a == 0 || a >= 240 || shared || protocols || benchmarks || relays;
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

/// Global unicast is 2000::/3, except for Teredo, benchmarks, ORCHID, documentation and segment
/// routing.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || (a == 0x3fff && b < 0x1000);
    a & 0xe000 == 0x2000 && !special
}

/// The IPv4 address inside an IPv6 address: mapped, compatible, translated (NAT64) or 6to4.
fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let joined = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) | (0, 0, 0, 0, 0xffff, 0) => {
            Some(joined(g, h))
        }
        // `::` and `::1` are not IPv4 addresses; judged as such, the result would be the same.
        (0, 0, 0, 0, 0, 0) => Some(joined(g, h)),
        (0x2002, high, low, ..) => Some(joined(high, low)),
        _ => None,
    }
}

/// Ranges that the resolver of a VPN, a zero-trust client or a company answers from. An operator
/// may declare them, or a part of one; other special ranges lead to this machine, to its link or
/// nowhere.
const DECLARABLE: [(IpAddr, u8); 6] = [
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), 10),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(198, 18, 0, 0)), 15),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
];

/// A range of special addresses that a service may have, because the operator declared it: the
/// resolver of the operator's VPN answers with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    first: IpAddr,
    length: u8,
}

/// Why a text is not a range that can be declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// It is no range.
    #[error("write a range of addresses such as 198.18.0.0/15")]
    NotARange,
    /// It is not within one of the ranges of VPNs and private networks.
    #[error(
        "only these ranges, or parts of them, can be declared: 10.0.0.0/8, 100.64.0.0/10, \
         172.16.0.0/12, 192.168.0.0/16, 198.18.0.0/15, fc00::/7"
    )]
    NotDeclarable,
}

impl Range {
    /// The range to declare for an address. `None` if none can be.
    #[must_use]
    pub fn around(address: IpAddr) -> Option<Self> {
        let ranges = DECLARABLE.into_iter().map(|(first, length)| Self { first, length });
        ranges.into_iter().find(|range| range.contains(address))
    }

    /// Whether an address is in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differs = first.to_bits() ^ address.to_bits();
                differs.checked_shr(32 - u32::from(self.length)).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differs = first.to_bits() ^ address.to_bits();
                differs.checked_shr(128 - u32::from(self.length)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (first, length) = text.trim().split_once('/').ok_or(RangeError::NotARange)?;
        let first: IpAddr = first.parse().map_err(|_| RangeError::NotARange)?;
        let length: u8 = length.parse().map_err(|_| RangeError::NotARange)?;
        if length > if first.is_ipv4() { 32 } else { 128 } {
            return Err(RangeError::NotARange);
        }
        let within = Self::around(first).is_some_and(|range| range.length <= length);
        if within { Ok(Self { first, length }) } else { Err(RangeError::NotDeclarable) }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.first, self.length)
    }
}

/// The error of a name without a public address, with one that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PrivateNetwork(pub(super) IpAddr);

impl fmt::Display for PrivateNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the address {} is in a private network", self.0)
    }
}

impl std::error::Error for PrivateNetwork {}

/// The system's resolver, without private addresses.
#[derive(Clone, Debug)]
pub(super) struct PublicResolver {
    /// Names in the operator's own configuration: the proxies.
    pub(super) exempt: Arc<BTreeSet<String>>,
    /// Ranges that the operator declared.
    pub(super) ranges: Arc<[Range]>,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let exempt = self.exempt.contains(&name.as_str().to_ascii_lowercase());
        let ranges = Arc::clone(&self.ranges);
        Box::pin(async move {
            // The HTTP library fills in the port.
            let addresses: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let first = addresses.first().map(SocketAddr::ip);
            let is_allowed = |address: IpAddr| {
                exempt || is_public(address) || ranges.iter().any(|range| range.contains(address))
            };
            let allowed: Vec<SocketAddr> =
                addresses.into_iter().filter(|address| is_allowed(address.ip())).collect();
            if let Some(address) = first.filter(|_| allowed.is_empty()) {
                return Err(PrivateNetwork(address).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_open_internet_are_public() {
        for address in [
            "1.1.1.1",
            "104.192.141.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_of_a_machine_a_link_or_a_network_of_our_own_are_not() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
            for wrapped in [
                format!("::ffff:{address}"),
                format!("::{address}"),
                format!("64:ff9b::{address}"),
                format!("::ffff:0:{address}"),
            ] {
                assert!(!is_public(wrapped.parse().unwrap()), "{wrapped}");
            }
        }
        for address in [
            "::",
            "::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2001:20::1",
            "3fff::1",
            "64:ff9b:1::1",
            "100::1",
            "5f00::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "4000::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_range_that_can_be_declared_is_one_of_a_vpn_or_a_private_network() {
        for (text, inside, outside) in [
            ("198.18.0.0/15", "198.19.255.255", "198.20.0.0"),
            (" 198.18.0.0/24 ", "198.18.0.25", "198.18.1.0"),
            ("100.64.0.0/10", "100.127.0.1", "100.128.0.0"),
            ("10.1.2.3/32", "10.1.2.3", "10.1.2.4"),
            ("fd00::/8", "fdff::1", "fc00::1"),
            ("fc00::/18", "fc00::1", "::ffff:10.0.0.1"),
        ] {
            let range: Range = text.parse().unwrap();
            assert_eq!(range.to_string(), text.trim());
            assert!(range.contains(inside.parse().unwrap()), "{text}");
            assert!(!range.contains(outside.parse().unwrap()), "{text}");
        }
        for (text, error) in [
            ("198.18.0.0", RangeError::NotARange),
            ("198.18.0.0/33", RangeError::NotARange),
            ("vpn/8", RangeError::NotARange),
            ("198.18.0.0/-1", RangeError::NotARange),
            ("", RangeError::NotARange),
            ("0.0.0.0/0", RangeError::NotDeclarable),
            ("198.18.0.0/14", RangeError::NotDeclarable),
            ("10.0.0.0/7", RangeError::NotDeclarable),
            ("127.0.0.0/8", RangeError::NotDeclarable),
            ("169.254.0.0/16", RangeError::NotDeclarable),
            ("1.1.1.0/24", RangeError::NotDeclarable),
            ("::/0", RangeError::NotDeclarable),
            ("fe80::/10", RangeError::NotDeclarable),
            ("::1/128", RangeError::NotDeclarable),
        ] {
            assert_eq!(text.parse::<Range>().unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn the_range_to_declare_is_that_of_the_address() {
        for (address, range) in [
            ("198.18.0.25", Some("198.18.0.0/15")),
            ("100.100.0.1", Some("100.64.0.0/10")),
            ("192.168.1.7", Some("192.168.0.0/16")),
            ("fd12::1", Some("fc00::/7")),
            ("127.0.0.1", None),
            ("169.254.169.254", None),
            ("1.1.1.1", None),
        ] {
            let found = Range::around(address.parse().unwrap()).map(|range| range.to_string());
            assert_eq!(found.as_deref(), range, "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_may_have_an_address_in_a_declared_range_alone() {
        let resolved = async |name: &str, ranges: &[&str]| {
            let ranges = ranges.iter().map(|text| text.parse().unwrap()).collect();
            let resolver = PublicResolver { exempt: Arc::default(), ranges };
            let addresses = resolver.resolve(name.parse().unwrap()).await;
            addresses.map(|addresses| addresses.map(|address| address.ip()).collect::<Vec<_>>())
        };
        // An address is its own name, which no resolver is asked for.
        let there: IpAddr = "198.18.0.25".parse().unwrap();
        let refused = resolved("198.18.0.25", &["198.18.1.0/24"]).await.unwrap_err();
        assert_eq!(refused.downcast_ref::<PrivateNetwork>(), Some(&PrivateNetwork(there)));
        assert_eq!(resolved("198.18.0.25", &["198.18.0.0/15"]).await.unwrap(), [there]);
        assert!(resolved("127.0.0.1", &["198.18.0.0/15"]).await.is_err());
    }
}
