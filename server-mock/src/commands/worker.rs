//! `worker`: makes the requests of webhooks that a gateway publishes on a bus.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use gatewright_server_mock::Worker;

use super::{Failure, Subcommand};
use crate::arguments::Arguments;
use crate::bus_flags::BusFlags;

pub(super) const COMMAND: Subcommand = Subcommand {
    name: "worker",
    summary: "Send the webhooks of a gateway that was started with --bus",
    help: HELP,
    run,
};

const HELP: &str = "\
Sends the webhooks of a gateway that was started with --bus, until ctrl-c or SIGTERM.

Any number of workers share the work. One that is killed loses nothing: another one
makes its requests again when their leases end.

Usage: gatewright-gateway worker --bus BUS [OPTIONS]

Options:
  --bus BUS             nats://HOST:4222, redis://HOST:6379, or embedded with --data
  --data FILE           The gateway's data file; the embedded bus is FILE.bus
  --bus-name NAME       As the gateway has it [default: gatewright]
  --bus-lease-ms N      As the gateway has it [default: 5000]
  --at-once N           Requests at the same time [default: 32]
  --trust-ca FILE       Trust the CAs in FILE too, in PEM, for https: webhooks
  --name NAME           Shown beside the attempts it makes [default: pid-N]
  --until-stdin-closes  Stop when standard input is closed
  -h, --help            Print this
";

fn run(mut arguments: Arguments) -> Result<ExitCode, Failure> {
    let mut bus = BusFlags::default();
    let mut data: Option<PathBuf> = None;
    let (mut at_once, mut worker_name, mut trust_ca) = (None, None, None);
    let mut until_stdin_closes = false;
    while let Some(argument) = arguments.next() {
        match argument.name() {
            name @ ("--bus" | "--bus-name" | "--bus-lease-ms") => {
                bus.set(name, Some(arguments.value(&argument)?))?;
            }
            "--data" => data = Some(arguments.value(&argument)?.into()),
            "--trust-ca" => trust_ca = Some(PathBuf::from(arguments.value(&argument)?)),
            "--at-once" => at_once = Some(arguments.number(&argument)?),
            "--name" => worker_name = Some(arguments.value(&argument)?),
            "--until-stdin-closes" if argument.is_bare() => until_stdin_closes = true,
            _ => return Err(arguments.unknown(&argument).into()),
        }
    }
    if data.is_some() && bus.options().is_none() {
        bus.set("--bus", Some("embedded".into()))?;
    }
    let mut options = bus
        .options()
        .ok_or_else(|| Failure::usage("a worker needs --bus or --data"))?;
    if let Some(data) = data {
        options = options.data(data);
    }
    let mut worker = Worker::new(options);
    if let Some(at_once) = at_once {
        worker = worker.at_once(at_once);
    }
    if let Some(file) = trust_ca {
        worker = worker.trust_ca(super::pem_of(&file)?);
    }
    if let Some(name) = worker_name {
        worker = worker.name(name);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let told = super::serve::told_to_stop(until_stdin_closes);
        let stopped = async {
            // Where signals cannot be had, it works until it is killed.
            let heard = match told {
                Ok(told) => told.await,
                Err(error) => Err(error),
            };
            if heard.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let _ = writeln!(io::stdout(), "worker ready");
        worker.run(stopped).await
    })?;
    Ok(ExitCode::SUCCESS)
}
