//! Which web pages may speak to the server. Loopback pages may unless the operator names others; `null` and the absence
//! of an origin never may open a socket.

/// The list of origins that are let in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origins {
    allowed: Vec<String>,
}

impl Origins {
    /// These origins alone; none means every loopback origin. Each is `scheme://host` with an optional port.
    pub fn new(allowed: &[String]) -> Result<Origins, String> {
        let normal = |origin: &String| {
            normalize(origin).ok_or_else(|| {
                format!("'{origin}' is no origin: write scheme, host and port alone, like https://app.example:8443")
            })
        };
        Ok(Origins { allowed: allowed.iter().map(normal).collect::<Result<_, _>>()? })
    }

    /// Whether a page of this origin may speak to the server.
    pub fn allows(&self, origin: &str) -> bool {
        let Some(origin) = normalize(origin) else { return false };
        if self.allowed.is_empty() { is_loopback(&origin) } else { self.allowed.contains(&origin) }
    }
}

/// The origin in lower case without the scheme's own port; `None` for what is not exactly an http origin.
pub fn normalize(origin: &str) -> Option<String> {
    let lower = origin.to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://")?;
    let own_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let (host, port) = split_port(rest)?;
    let host_is_plain = !host.is_empty()
        && (host.starts_with('[')
            && host.ends_with(']')
            && host[1..host.len() - 1].parse::<std::net::Ipv6Addr>().is_ok()
            || host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'));
    if !host_is_plain {
        return None;
    }
    Some(match port {
        Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

fn split_port(rest: &str) -> Option<(&str, Option<u16>)> {
    let after_host = rest.rfind(']').map_or(0, |at| at + 1);
    match rest[after_host..].find(':') {
        None => Some((rest, None)),
        Some(at) => {
            let (host, port) = (&rest[..after_host + at], &rest[after_host + at + 1..]);
            let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            if digits { Some((host, Some(port.parse().ok()?))) } else { None }
        }
    }
}

fn is_loopback(origin: &str) -> bool {
    let Some((_, rest)) = origin.split_once("://") else { return false };
    let Some((host, _)) = split_port(rest) else { return false };
    if host == "localhost" || host == "[::1]" {
        return true;
    }
    host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}
