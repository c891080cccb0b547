//! The options of `gatewright-gateway serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use gatewright_server_mock::{LimitsSettings, LogFormat, LogLevel};

use crate::arguments::UsageError;
use crate::bus_flags::BusFlags;
use crate::https_flags::HttpsFlags;
use crate::limits_flags;

/// How to serve.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Serve {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) admin_port: Option<u16>,
    pub(crate) admin_host: Option<IpAddr>,
    pub(crate) workers: usize,
    pub(crate) print_json: bool,
    pub(crate) until_stdin_closes: bool,
    /// Prefixes and folders of `--static`.
    pub(crate) static_files: Vec<(String, PathBuf)>,
    /// Names and ports of `--region`.
    pub(crate) regions: Vec<(String, u16)>,
    /// Names and URLs of `--upstream`.
    pub(crate) upstreams: Vec<(String, String)>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) data_max_mb: Option<u64>,
    pub(crate) bus: BusFlags,
    pub(crate) log: LogTo,
    pub(crate) log_level: LogLevel,
    pub(crate) otlp: Option<String>,
    pub(crate) trust_ca: Option<PathBuf>,
    pub(crate) https: HttpsFlags,
    pub(crate) limits: LimitsSettings,
}

/// How requests are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogTo {
    Off,
    /// For people where they look on, else not at all.
    Terminal,
    Lines(LogFormat),
}

pub(crate) const HELP: &str = "\
Runs the gateway until ctrl-c or SIGTERM.

Usage: gatewright-gateway serve [OPTIONS]

Options:
  --port N              Data port; 0 takes any free one [default: 4010]
  --admin-port N        Admin port [default: 4011, or any free one with --port 0]
  --admin-host ADDRESS  Address of the admin port, for containers: whoever reaches it may do everything [default: 127.0.0.1]
  --host ADDRESS        Address of the data port [default: 127.0.0.1]
  --workers N           Threads that serve [default: 1]
  --print-json          Print one line of JSON with url, admin_url and pid when ready
  --until-stdin-closes  Stop when standard input is closed
  --region NAME[=PORT]  One more data port of that name, any free one without PORT; may be repeated
  --log HOW             A line a request on standard error: json, text or off [default: text on a terminal, else off]
  --log-level LEVEL     warn (5xx and no answer), info (all but health checks) or debug (all) [default: info]
  --upstream NAME=URL   Send /upstream/NAME/... on to a real server, behind a circuit breaker; may be repeated
  --otlp URL            Send spans and metrics to the OTLP collector at URL, such as http://127.0.0.1:4318
  --static PREFIX=DIR   Serve the files of DIR on the admin port, at PREFIX; may be repeated
  --data FILE           Keep all state in FILE, an SQLite database that is made if it is not there
  --data-max-mb N       Largest size of that file in MiB [default: 4096]
  --https[=PORT]        Serve HTTPS too [default: 4443, or any free port with --port 0]
  --https-only[=PORT]   The same, and refuse API calls on the plain ports
  --https-name NAME     One more name or address the certificate is made for; may be repeated
  --cert FILE --key FILE  A certificate chain and key of your own, in PEM
  --ca-file FILE        Write the CA to trust there, in PEM
  --trust-ca FILE       Trust the CAs in FILE too, in PEM, for https: webhooks, upstreams, providers and collectors
  --hsts SECONDS        max-age of Strict-Transport-Security [default: 300]
  --limits WHERE        Where limits are counted: memory, sqlite:FILE, redis://HOST:PORT or
                        redis+cluster://HOST:PORT,HOST:PORT [default: memory]
  --limits-fail MODE    While they cannot be counted there: closed (503), open, or local, a share
                        counted in memory [default: closed]
  --limits-share N      How many gateways share them, for local [default: 8]
  --limits-deadline-ms N
                        How long a decision may take there [default: 250]
  --limits-lease-ms N   How long calls in progress of a gateway that died count [default: 10000]
  --bus BUS             Have webhooks sent by workers over embedded, nats://HOST:4222 or redis://HOST:6379
  --bus-name NAME       Keeps gateways that share a broker apart [default: gatewright]
  --bus-workers N       Workers in this process; 0 leaves all to `gatewright-gateway worker` [default: 1]
  --bus-events GROUPS   Publish every event for these consumer groups too, such as billing,search
  --bus-lease-ms N      How long a job belongs to a worker that is silent [default: 5000]
  -h, --help            Print this
";

/// Reads the words after `serve`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Serve, UsageError> {
    let mut arguments = arguments.into_iter();
    let mut serve = Serve {
        host: Ipv4Addr::LOCALHOST.into(),
        port: 4010,
        admin_port: None,
        admin_host: None,
        workers: 1,
        print_json: false,
        until_stdin_closes: false,
        static_files: Vec::new(),
        regions: Vec::new(),
        upstreams: Vec::new(),
        data: None,
        data_max_mb: None,
        log: LogTo::Terminal,
        limits: LimitsSettings::default(),
        log_level: LogLevel::default(),
        otlp: None,
        trust_ca: None,
        https: HttpsFlags::default(),
        bus: BusFlags::default(),
    };
    while let Some(argument) = arguments.next() {
        let (name, joined) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || joined.clone().or_else(|| arguments.next());
        if let Some(taken) = serve.https.take(name, joined.as_deref(), &mut value) {
            taken.map_err(UsageError)?;
            continue;
        }
        match name {
            "--port" => serve.port = number(name, value())?,
            "--admin-port" => serve.admin_port = Some(number(name, value())?),
            "--workers" => serve.workers = number::<u16>(name, value())?.max(1).into(),
            "--admin-host" => serve.admin_host = Some(number(name, value())?),
            "--host" => serve.host = number(name, value())?,
            "--print-json" if joined.is_none() => serve.print_json = true,
            "--until-stdin-closes" if joined.is_none() => serve.until_stdin_closes = true,
            "--static" => serve.static_files.push(mount(name, value())?),
            "--data" => serve.data = Some(file(name, value())?),
            "--trust-ca" => serve.trust_ca = Some(file(name, value())?),
            "--data-max-mb" => serve.data_max_mb = Some(number::<u64>(name, value())?.max(1)),
            "--bus" | "--bus-name" | "--bus-workers" | "--bus-lease-ms" | "--bus-events" => {
                serve.bus.set(name, value())?;
            }
            "--region" => serve.regions.push(region(name, value())?),
            "--upstream" => serve.upstreams.push(upstream(name, value())?),
            "--log" => serve.log = log_to(name, value())?,
            "--otlp" => serve.otlp = Some(number(name, value())?),
            "--log-level" => serve.log_level = number(name, value())?,
            name if limits_flags::is_one(name) => {
                serve.limits = limits_flags::apply(name, value(), serve.limits)?;
            }
            _ => {
                return Err(UsageError(format!(
                    "got {argument:?}, which is no option of serve"
                )));
            }
        }
    }
    Ok(serve)
}

/// `PREFIX=DIR`.
fn mount(name: &str, value: Option<String>) -> Result<(String, PathBuf), UsageError> {
    let Some(value) = value else {
        return Err(UsageError(format!("{name} needs a value")));
    };
    match value.split_once('=') {
        Some((prefix, folder)) if prefix.starts_with('/') && !folder.is_empty() => {
            Ok((prefix.to_owned(), PathBuf::from(folder)))
        }
        _ => Err(UsageError(format!(
            "{name} cannot be {value:?} when expecting PREFIX=DIR, such as /=web"
        ))),
    }
}

fn file(name: &str, value: Option<String>) -> Result<PathBuf, UsageError> {
    match value {
        Some(value) if !value.is_empty() => Ok(value.into()),
        _ => Err(UsageError(format!("{name} needs a value"))),
    }
}

/// `NAME=URL`.
fn upstream(name: &str, value: Option<String>) -> Result<(String, String), UsageError> {
    let Some(value) = value else {
        return Err(UsageError(format!("{name} needs a value")));
    };
    match value.split_once('=') {
        Some((upstream, url)) if !url.is_empty() => Ok((upstream.to_owned(), url.to_owned())),
        _ => Err(UsageError(format!(
            "{name} cannot be {value:?} when expecting NAME=URL, such as orders=http://localhost:3000"
        ))),
    }
}

/// `NAME` or `NAME=PORT`.
fn region(name: &str, value: Option<String>) -> Result<(String, u16), UsageError> {
    match value.as_deref().map(|value| value.split_once('=')) {
        Some(Some((region, port))) => Ok((region.into(), number(name, Some(port.into()))?)),
        Some(None) => Ok((value.unwrap_or_default(), 0)),
        None => Err(UsageError(format!("{name} needs a value"))),
    }
}

fn log_to(name: &str, value: Option<String>) -> Result<LogTo, UsageError> {
    match value.as_deref() {
        Some("json") => Ok(LogTo::Lines(LogFormat::Json)),
        Some("text") => Ok(LogTo::Lines(LogFormat::Text)),
        Some("off") => Ok(LogTo::Off),
        Some(other) => Err(UsageError(format!(
            "{name} cannot be {other:?} when expecting json, text or off"
        ))),
        None => Err(UsageError(format!("{name} needs a value"))),
    }
}

fn number<T: std::str::FromStr>(name: &str, value: Option<String>) -> Result<T, UsageError> {
    let Some(value) = value else {
        return Err(UsageError(format!("{name} needs a value")));
    };
    value
        .parse()
        .map_err(|_| UsageError(format!("{name} cannot be {value:?}")))
}

impl Serve {
    /// How lines are written, if they are.
    pub(crate) fn log_format(&self, on_terminal: bool) -> Option<LogFormat> {
        match self.log {
            LogTo::Lines(format) => Some(format),
            LogTo::Terminal if on_terminal => Some(LogFormat::Text),
            LogTo::Terminal | LogTo::Off => None,
        }
    }

    /// With any free data port goes any free admin port, so that gateways can run side by side.
    pub(crate) fn admin_port(&self) -> u16 {
        self.admin_port
            .unwrap_or(if self.port == 0 { 0 } else { 4011 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Serve, String> {
        parse(line.split_whitespace().map(String::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let serve = parsed("").unwrap();
        assert_eq!(
            (serve.port, serve.admin_port(), serve.host.to_string()),
            (4010, 4011, "127.0.0.1".into())
        );
    }

    #[test]
    fn a_free_data_port_goes_with_a_free_admin_port() {
        let serve = parsed("--port 0 --print-json --until-stdin-closes").unwrap();
        assert_eq!(
            (
                serve.admin_port(),
                serve.print_json,
                serve.until_stdin_closes
            ),
            (0, true, true)
        );
        let serve = parsed("--port=0 --admin-port=5000").unwrap();
        assert_eq!(serve.admin_port(), 5000);
    }

    #[test]
    fn folders_come_with_their_prefixes() {
        let serve = parsed("--static /=web --static=/lib/=a=b").unwrap();
        let expected = [("/", "web"), ("/lib/", "a=b")];
        assert_eq!(
            serve.static_files,
            expected.map(|(prefix, folder)| (prefix.to_owned(), PathBuf::from(folder)))
        );
    }

    #[test]
    fn a_log_is_for_people_on_a_terminal_unless_it_is_said() {
        let plain = parsed("").unwrap();
        assert_eq!(
            (plain.log_format(true), plain.log_format(false)),
            (Some(LogFormat::Text), None)
        );
        let json = parsed("--log json --log-level=warn").unwrap();
        assert_eq!(
            (json.log_format(false), json.log_level),
            (Some(LogFormat::Json), LogLevel::Warn)
        );
        assert_eq!(parsed("--log off").unwrap().log_format(true), None);
        assert!(parsed("--log loud").is_err() && parsed("--log-level all").is_err());
    }

    #[test]
    fn regions_come_with_their_ports() {
        let serve = parsed("--region eu --region=us=4020").unwrap();
        let expected = [("eu", 0), ("us", 4020)];
        assert_eq!(
            serve.regions,
            expected.map(|(name, port)| (name.to_owned(), port))
        );
        assert!(parsed("--region").is_err() && parsed("--region eu=x").is_err());
    }

    #[test]
    fn mistakes_are_named() {
        let see = "; see gatewright-gateway --help";
        for wrong in ["web", "web=/", "/="] {
            assert_eq!(
                parsed(&format!("--static {wrong}")).unwrap_err(),
                format!(
                    "--static cannot be {wrong:?} when expecting PREFIX=DIR, such as /=web{see}"
                )
            );
        }
        assert_eq!(
            parsed("--port").unwrap_err(),
            format!("--port needs a value{see}")
        );
        assert_eq!(
            parsed("--port 99999").unwrap_err(),
            format!("--port cannot be \"99999\"{see}")
        );
        assert_eq!(
            parsed("--prot 1").unwrap_err(),
            format!("got \"--prot\", which is no option of serve{see}")
        );
    }
}
