//! `serve`: runs the gateway until it is told to stop.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;

use gatewright_server_mock::{Gateway, Upstream};

use super::{Failure, Subcommand};
use crate::arguments::Arguments;
use crate::flags::{self, HELP, Serve};
use crate::https_flags;

pub(super) const COMMAND: Subcommand = Subcommand {
    name: "serve",
    summary: "Run the gateway",
    help: HELP,
    run,
};

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    serve(&flags::parse(arguments.rest())?)?;
    Ok(ExitCode::SUCCESS)
}

fn serve(serve: &Serve) -> io::Result<()> {
    let mut builder = Gateway::builder();
    for (prefix, folder) in &serve.static_files {
        builder = builder.static_files(prefix, folder);
    }
    for (name, url) in &serve.upstreams {
        builder = builder.upstream(Upstream::new(name, url));
    }
    for (name, port) in &serve.regions {
        builder = builder.region(name, *port);
    }
    if let Some(file) = &serve.data {
        builder = builder.data(file);
    }
    if let Some(mb) = serve.data_max_mb {
        builder = builder.max_data_bytes(mb.saturating_mul(1 << 20));
    }
    if let Some(bus) = serve.bus.options() {
        builder = builder.bus(bus);
    }
    if let Some(format) = serve.log_format(io::stderr().is_terminal()) {
        builder = builder.log(format, serve.log_level);
    }
    let invalid = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
    if let Some(https) = serve.https.https(serve.port == 0).map_err(invalid)? {
        builder = builder.https(https);
    }
    if let Some(host) = serve.admin_host {
        builder = builder.admin_host(host);
    }
    if let Some(file) = &serve.trust_ca {
        builder = builder.trust_ca(super::pem_of(file)?);
    }
    if let Some(url) = &serve.otlp {
        builder = builder.otlp(url);
    }
    let gateway = builder
        .host(serve.host)
        .port(serve.port)
        .admin_port(serve.admin_port())
        .workers(serve.workers)
        .limits(serve.limits.clone())
        .start_blocking()
        .map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidInput {
                return error;
            }
            let ports = format!("{} and {}", serve.port, serve.admin_port());
            io::Error::new(error.kind(), format!("cannot listen on ports {ports}: {error}; choose others with --port and --admin-port"))
        })?;
    serve.https.write_ca(&gateway)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let told = told_to_stop(serve.until_stdin_closes)?;
        // Whoever reads this may stop it at once.
        announce(serve, &gateway)?;
        told.await?;
        gateway.shutdown().await;
        io::Result::Ok(())
    })
}

fn announce(serve: &Serve, gateway: &Gateway) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (url, admin_url) = (gateway.url(), gateway.admin_url());
    if serve.print_json {
        let mut line =
            serde_json::json!({ "url": url, "admin_url": admin_url, "pid": std::process::id() });
        if !serve.regions.is_empty()
            && let Some(line) = line.as_object_mut()
        {
            let regions = gateway
                .regions()
                .map(|name| (name.to_owned(), gateway.region_url(name).into()))
                .collect();
            line.insert("regions".into(), serde_json::Value::Object(regions));
        }
        if let Some(line) = line.as_object_mut() {
            https_flags::announce(gateway, line);
        }
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "gateway {url}\nadmin   {admin_url}\nlook at {admin_url}/dashboard"
        )?;
        if let Some(url) = gateway.https_url() {
            writeln!(out, "https   {url}")?;
        }
        for name in gateway.regions() {
            let url = gateway.region_url(name).unwrap_or_default();
            writeln!(out, "region  {url} {name}")?;
        }
        for (prefix, _) in &serve.static_files {
            writeln!(out, "files   {admin_url}{prefix}")?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "try: curl -i {url}/v1/contacts -H 'Authorization: Bearer sk_test_pro_acme'"
        )?;
    }
    out.flush()
}

/// From now on SIGTERM is heard. Waits for it, ctrl-c, or the end of standard input.
pub(super) fn told_to_stop(
    until_stdin_closes: bool,
) -> io::Result<impl Future<Output = io::Result<()>>> {
    let (closed, stdin_closed) = tokio::sync::oneshot::channel();
    if until_stdin_closes {
        // A thread that reads standard input cannot be cancelled; it ends with the process.
        std::thread::spawn(move || {
            let mut buffer = [0; 256];
            while matches!(io::stdin().read(&mut buffer), Ok(1..)) {}
            let _ = closed.send(());
        });
    } else {
        std::mem::forget(closed);
    }
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        let terminated = terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminated => Ok(()),
            _ = stdin_closed => Ok(()),
        }
    })
}
