//! Values as Go writes them, and as rtcd.yaml has them.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// `HOST:PORT`; Go leaves out the host for all addresses.
    Address,
    Text,
    /// Of a URL.
    Path,
    Time,
    Count,
    Level,
    Realm,
}

impl Kind {
    /// The value as it stands in YAML.
    pub(super) fn convert(self, value: &str) -> Result<String, String> {
        match self {
            Self::Address => address(value),
            Self::Text => Ok(quoted(value)),
            Self::Path if value.starts_with('/') => Ok(quoted(value)),
            Self::Path => Ok(quoted(&format!("/{value}"))),
            Self::Time => time(value),
            Self::Count => count(value),
            Self::Level => level(value),
            Self::Realm => realm(value),
        }
    }
}

/// Whether an address that [`Kind::Address`] gave is for this machine alone.
pub(super) fn is_loopback(address: &str) -> bool {
    let address = address.trim_matches('\'');
    address.parse().is_ok_and(|address: SocketAddr| address.ip().to_canonical().is_loopback())
}

/// A text, in quotes where YAML would read something else.
fn quoted(text: &str) -> String {
    serde_yaml::to_string(text).map(|yaml| yaml.trim_end().to_owned()).unwrap_or_default()
}

fn address(value: &str) -> Result<String, String> {
    if let Ok(address) = value.parse::<SocketAddr>() {
        return Ok(quoted(&address.to_string()));
    }
    let (host, port) = value.rsplit_once(':').ok_or_else(|| format!("{value} has no port"))?;
    let port: u16 = port.parse().map_err(|_| format!("{port} is no port"))?;
    let ip = match host {
        "" | "*" => Ipv4Addr::UNSPECIFIED.into(),
        "[::]" => Ipv6Addr::UNSPECIFIED.into(),
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        _ => return Err(format!("{host} is a name: rtcd listens on an address, such as 0.0.0.0:{port}")),
    };
    Ok(quoted(&SocketAddr::new(ip, port).to_string()))
}

/// A duration of Go, such as `1h2m3.5s`.
fn time(value: &str) -> Result<String, String> {
    let bad = || format!("{value} is no time, such as 500ms, 10s, 1m30s");
    let mut rest = value;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
        let (number, more) = rest.split_at(end);
        let unit_end = more.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(more.len());
        let (unit, more) = more.split_at(unit_end);
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(bad()),
        };
        let number: f64 = number.parse().map_err(|_| bad())?;
        let part = Duration::try_from_secs_f64(number * unit).map_err(|_| bad())?;
        sum = sum.checked_add(part).ok_or_else(bad)?;
        rest = more;
    }
    if sum.is_zero() {
        return Err(format!("{value}: rtcd has no time without end; leave it out for the default"));
    }
    // As it was written, if it means the same here.
    if humantime::parse_duration(value).is_ok_and(|time| time == sum) {
        return Ok(value.to_owned());
    }
    Ok(humantime::format_duration(sum).to_string())
}

fn count(value: &str) -> Result<String, String> {
    match value.parse::<u32>() {
        Ok(0) => Err("0 would let nothing through; leave it out for the default".to_owned()),
        Ok(count) => Ok(count.to_string()),
        Err(_) => Err(format!("{value} is no count")),
    }
}

fn level(value: &str) -> Result<String, String> {
    let level = match &*value.to_ascii_lowercase() {
        "trace" | "verbose" | "all" => "trace",
        "debug" => "debug",
        "info" | "information" | "notice" => "info",
        "warn" | "warning" => "warn",
        "error" | "err" | "fatal" | "panic" | "critical" | "crit" => "error",
        "off" | "none" | "disable" | "disabled" => "off",
        _ => return Err(format!("{value} is no level; levels are error, warn, info, debug, trace")),
    };
    // `off` alone is a boolean for some readers of YAML.
    Ok(if level == "off" { "'off'" } else { level }.to_owned())
}

fn realm(value: &str) -> Result<String, String> {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        Ok(quoted(value))
    } else {
        Err(format!("{value}: a realm has only letters, digits, ., - and _"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cases = [
            (":8080", Ok("0.0.0.0:8080")),
            ("127.0.0.1:1", Ok("127.0.0.1:1")),
            ("localhost:2539", Ok("127.0.0.1:2539")),
            ("[::]:80", Ok("'[::]:80'")),
            ("[::1]:80", Ok("'[::1]:80'")),
            ("rtc.test:80", Err("rtc.test is a name: rtcd listens on an address, such as 0.0.0.0:80")),
            (":http", Err("http is no port")),
            ("8080", Err("8080 has no port")),
            (":65536", Err("65536 is no port")),
        ];
        for (text, expected) in cases {
            assert_eq!(address(text).as_deref().map_err(|error| &**error), expected, "{text}");
        }
        assert!(is_loopback("'[::1]:80'") && is_loopback("127.0.0.2:1") && !is_loopback("0.0.0.0:1"));
    }

    #[test]
    fn times() {
        let cases = [
            ("10s", Some("10s")),
            ("1m30s", Some("1m30s")),
            ("1.5h", Some("1.5h")),
            ("500ms", Some("500ms")),
            ("600s", Some("600s")),
            ("2h45m30.5s", Some("2h45m30.5s")),
            ("10", None),
            ("s", None),
            ("10 s", None),
            ("1d", None),
            ("-5s", None),
            ("0s", None),
            ("1e9s", None),
            ("1.2.3s", None),
            ("99999999999999999999h", None),
            ("soon", None),
        ];
        for (text, expected) in cases {
            let time = time(text).ok();
            assert_eq!(time.as_deref(), expected, "{text}");
            if let Some(time) = time {
                humantime::parse_duration(&time).unwrap();
            }
        }
    }
}
