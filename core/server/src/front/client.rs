//! Where a client is, behind proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use crate::config::Network;

const FORWARDED: &str = "x-forwarded-for";

/// Whether `X-Forwarded-For` of a peer is believed.
pub(super) fn is_trusted(address: IpAddr, proxies: &[Network]) -> bool {
    proxies.iter().any(|proxy| proxy.contains(address))
}

/// The client's address, as a trusted peer tells: the last one in `X-Forwarded-For` that is no trusted proxy itself. What stands
/// before it was written by the client, and is not looked at. If there is none, or something on the way to it is no address, the
/// peer's own. A proxy seldom tells the port: 0 then.
pub(super) fn forwarded(peer: SocketAddr, headers: &HeaderMap, proxies: &[Network]) -> SocketAddr {
    let lines: Vec<_> = headers.get_all(FORWARDED).iter().collect();
    for line in lines.into_iter().rev() {
        let Ok(line) = line.to_str() else { return peer };
        for entry in line.rsplit(',') {
            let Some(address) = address(entry.trim()) else { return peer };
            if !is_trusted(address.ip(), proxies) {
                return address;
            }
        }
    }
    peer
}

/// An address, with or without a port.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let mut address = match bare.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, 0),
        Err(_) => text.parse().ok()?,
    };
    address.set_ip(address.ip().to_canonical());
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_that_is_no_proxy() {
        let proxies: Vec<Network> = ["10.0.0.0/8", "2001:db8:1::/48"]
            .into_iter()
            .map(|text| Network::try_from(text.to_owned()).unwrap())
            .collect();
        let peer: SocketAddr = "10.0.0.1:5000".parse().unwrap();
        for (lines, client) in [
            (&[][..], "10.0.0.1:5000"),
            (&["203.0.113.7"], "203.0.113.7:0"),
            (&["203.0.113.7:4711"], "203.0.113.7:4711"),
            (&["2001:db8::7"], "[2001:db8::7]:0"),
            (&["[2001:db8::7]"], "[2001:db8::7]:0"),
            (&["[2001:db8::7]:80"], "[2001:db8::7]:80"),
            (&["::ffff:203.0.113.7"], "203.0.113.7:0"),
            (&["198.51.100.1, 203.0.113.7, 10.1.1.1"], "203.0.113.7:0"),
            (&["198.51.100.1", "203.0.113.7,10.1.1.1,2001:db8:1::1"], "203.0.113.7:0"),
            (&["nonsense, 203.0.113.7"], "203.0.113.7:0"),
            (&["203.0.113.7, nonsense"], "10.0.0.1:5000"),
            (&["203.0.113.7, nonsense, 10.1.1.1"], "10.0.0.1:5000"),
            (&["203.0.113.7,"], "10.0.0.1:5000"),
            (&["203.0.113.7", ""], "10.0.0.1:5000"),
            (&["unknown"], "10.0.0.1:5000"),
            (&["10.1.1.1, 10.2.2.2"], "10.0.0.1:5000"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED, line.parse().unwrap());
            }
            assert_eq!(forwarded(peer, &headers, &proxies).to_string(), client, "{lines:?}");
        }
    }
}
