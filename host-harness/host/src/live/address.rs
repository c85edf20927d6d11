//! Protection against SSRF: requests go only to public addresses, unless the operator named the
//! origin. Pure, except for the resolver.
//!
//! A name is judged by the addresses that it resolves to for the connection, so DNS rebinding gains
//! nothing. An IPv4 address inside an IPv6 address is judged as IPv4.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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

/// The error of a name without a public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PrivateNetwork;

impl fmt::Display for PrivateNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the address is in a private network")
    }
}

impl std::error::Error for PrivateNetwork {}

/// The system's resolver, without private addresses.
#[derive(Clone, Debug)]
pub(super) struct PublicResolver {
    /// Names in the operator's own configuration: the proxies.
    pub(super) exempt: Arc<BTreeSet<String>>,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let exempt = self.exempt.contains(&name.as_str().to_ascii_lowercase());
        Box::pin(async move {
            // The HTTP library fills in the port.
            let addresses: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let there = !addresses.is_empty();
            let allowed: Vec<SocketAddr> =
                addresses.into_iter().filter(|address| exempt || is_public(address.ip())).collect();
            if there && allowed.is_empty() {
                return Err(PrivateNetwork.into());
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
}
