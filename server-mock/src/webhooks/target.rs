//! Where webhooks may go: public addresses and this machine, never a private network, never the gateway itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use url::{Host, Url};

/// Reads an endpoint's address, refusing what is refused for every address a name could have.
pub(crate) fn parse(text: &str, own_ports: &[u16]) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "got {}: when expecting http: or https:",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials in the address are not sent; put a secret in the path".into());
    }
    let port = url.port_or_known_default().unwrap_or(80);
    let literal = match url.host() {
        None => return Err("it has no host".into()),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
    };
    if let Some(address) = literal {
        allow(SocketAddr::new(address, port), own_ports)?;
    }
    Ok(url)
}

/// Refuses an address no webhook may reach.
pub(crate) fn allow(address: SocketAddr, own_ports: &[u16]) -> Result<(), String> {
    // Only what is loopback as it stands, or mapped: no translator leads to this machine by another way.
    let ip = address.ip().to_canonical();
    if ip.is_loopback() {
        if own_ports.contains(&address.port()) {
            return Err(format!("{address} is the gateway itself"));
        }
        return Ok(());
    }
    if !is_public(plain(ip)) {
        return Err(format!("{address} is neither public nor this machine"));
    }
    if own_ports.contains(&address.port()) && is_of_this_machine(address) {
        return Err(format!("{address} is the gateway itself"));
    }
    Ok(())
}

/// Whether a public address is one of this machine, where the gateway may listen too: what is sent there is sent from there. Nothing is
/// sent to find out.
fn is_of_this_machine(address: SocketAddr) -> bool {
    let from: SocketAddr = match address.ip() {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let local = UdpSocket::bind(from).and_then(|socket| {
        socket.connect(address)?;
        socket.local_addr()
    });
    local.is_ok_and(|own| own.ip().to_canonical() == address.ip().to_canonical())
}

/// The IPv4 address inside an IPv6 address that stands for one: NAT64 (RFC 6052), 6to4 (RFC 3056), ISATAP (RFC 5214).
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low),
        [0x2002, high, low, ..] => inner(high, low),
        [.., 0 | 0x200, 0x5efe, high, low] => inner(high, low),
        _ => ip,
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Not in the IANA IPv4 special-purpose registry (RFC 6890), not multicast, not reserved, and not Azure's metadata and agent
/// service, which has an address that looks public.
fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let relay = a == 192 && b == 88 && c == 99;
    let benchmark = a == 198 && (b == 18 || b == 19);
    let metadata = v4.octets() == [168, 63, 129, 16];
    !(a == 0
        || a >= 224
        || shared
        || protocol
        || relay
        || benchmark
        || metadata
        || v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_documentation())
}

/// Global unicast 2000::/3 without its special parts.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    match v6.segments() {
        // IETF protocol assignments with Teredo and ORCHID, documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(url: &str) -> bool {
        parse(url, &[4010, 4011]).is_ok()
    }

    #[test]
    fn public_and_loopback_addresses_are_allowed() {
        for url in [
            "http://127.0.0.1:9000/hook",
            "http://127.255.255.254:9000/",
            "http://[::1]:9000/",
            "http://[::ffff:127.0.0.1]:9000/",
            "http://[::ffff:1.1.1.1]/",
            "http://[64:ff9b::101:101]/",
            "http://[2002:101:101::1]/",
            "http://9.255.255.255/",
            "http://11.0.0.0/",
            "http://172.15.255.255/",
            "http://172.32.0.0/",
            "http://100.63.255.255/",
            "http://100.128.0.0/",
            "http://223.255.255.255/",
            "http://1.1.1.1/",
            "http://[2606:4700::1111]/",
            "http://example.com/hook?x=1",
            "http://localhost:9000",
            "https://example.com/hook",
            "https://[::1]:9000/",
        ] {
            assert!(allowed(url), "{url}");
        }
    }

    #[test]
    fn private_reserved_and_disguised_addresses_are_refused() {
        for url in [
            "http://10.0.0.1/",
            "http://172.16.5.5/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://169.254.0.1/",
            "http://168.63.129.16/machine/",
            "http://100.100.100.200/latest/meta-data",
            "http://192.0.0.192/opc/v2/",
            "http://172.16.0.0/",
            "http://172.31.255.255/",
            "http://192.168.255.255/",
            "http://100.64.0.1/",
            "http://100.127.255.255/",
            "http://0.0.0.0/",
            "http://0.1.2.3/",
            "http://0/",
            "http://192.0.0.1/",
            "http://192.0.2.1/",
            "http://198.18.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://0x0a000001/",
            "http://167772161/",
            "http://012.0.0.1/",
            "http://10.1/",
            "http://%31%30.0.0.1/",
            "http://１０.0.0.1/",
            "http://192.88.99.1/",
            "http://198.19.255.255/",
            "http://198.51.100.1/",
            "http://203.0.113.1/",
            "http://239.255.255.250/",
            "http://240.0.0.1/",
            "http://[::]/",
            "http://[fc00::1]/",
            "http://[fe80::1]/",
            "http://[ff02::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[::10.0.0.1]/",
            "http://[::127.0.0.1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::ffff:0:0]/",
            "http://[64:ff9b::a00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[64:ff9b:1::a00:1]/",
            "http://[2002:a00:1::]/",
            "http://[2002:7f00:1::]/",
            "http://[2606:4700::5efe:10.0.0.1]/",
            "http://[2606:4700::200:5efe:10.0.0.1]/",
            "http://[fd00:ec2::254]/",
            "http://[fec0::1]/",
            "http://[3fff::1]/",
            "http://[5f00::1]/",
            "http://[100::1]/",
            "http://[2001:db8::1]/",
            "http://[2001::1]/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[fd00:ec2::254]/",
        ] {
            assert!(!allowed(url), "{url}");
        }
    }

    #[test]
    fn the_gateway_does_not_call_itself() {
        for url in [
            "http://127.0.0.1:4011/admin/reset",
            "http://[::1]:4010/",
            "http://127.8.8.8:4011/",
        ] {
            assert!(!allowed(url), "{url}");
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let refused = |url| parse(url, &[1, 2]).unwrap_err();
        assert_eq!(
            refused("ftp://example.com"),
            "got ftp: when expecting http: or https:"
        );
        assert_eq!(
            refused("http://10.0.0.1/"),
            "10.0.0.1:80 is neither public nor this machine"
        );
        assert_eq!(
            refused("http://u:p@example.com/"),
            "credentials in the address are not sent; put a secret in the path"
        );
    }
}
