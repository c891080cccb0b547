//! The guides of the gateway: every block of shell in them is run as pasted, in its order, beside one gateway for each guide.

use std::process::Command;

use crate::Result;
use crate::apt::{install, may_install, on_path};
use crate::examples::blocks_of;
use crate::gateway::{Gateway, with_gateway};
use crate::report::Report;
use crate::workspace::Workspace;

const GUIDES: &[&str] = &[
    "docs/gateway.md",
    "docs/gateway-dashboard.md",
    "docs/gateway-webhooks.md",
    "docs/integrations.md",
    "docs/oauth-setup.md",
];

/// The gateway's usual ports, as guides have them.
const HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

pub(crate) fn run(workspace: &Workspace, report: &mut Report) {
    if let Err(why) = curl() {
        return report.skip("the guides' blocks of shell", &why.to_string());
    }
    for guide in GUIDES {
        let blocks = report.prepare_by(&format!("read {guide}"), || {
            let mut blocks = blocks_of(workspace, &[guide], "sh")?;
            let consoles = blocks_of(workspace, &[guide], "console")?.into_iter();
            let typed =
                consoles.map(|(name, block)| (format!("{name} of a console"), curls_of(&block)));
            blocks.extend(typed.filter(|(_, block)| !block.is_empty()));
            Ok(blocks)
        });
        let Some(blocks) = blocks.filter(|blocks| !blocks.is_empty()) else {
            continue;
        };
        with_gateway(workspace, report, guide, |report, gateway| {
            for (name, block) in &blocks {
                let mut shell = Command::new("bash");
                shell.args(["-euo", "pipefail", "-c", &beside(block, gateway)]);
                report.check(&format!("shell: {name}"), &mut shell);
            }
        });
    }
}

fn curl() -> Result<()> {
    if on_path(&["curl"]).is_some() {
        return Ok(());
    }
    if !may_install() {
        return Err("there is no curl: install it".into());
    }
    install("there is no curl", &["curl"])
}

/// What is typed in a console and begins with curl; a gateway runs already.
fn curls_of(console: &str) -> String {
    let typed = console.lines().filter_map(|line| line.strip_prefix("$ "));
    // This gateway has no port for HTTPS.
    let curls: Vec<&str> = typed
        .filter(|line| line.starts_with("curl ") && !line.contains("https://"))
        .collect();
    curls.join("\n")
}

/// A block for a gateway with other ports.
fn beside(block: &str, gateway: &Gateway) -> String {
    let mut block = block.to_owned();
    for host in HOSTS {
        for (port, url) in [(4010, &gateway.url), (4011, &gateway.admin_url)] {
            block = block.replace(&format!("http://{host}:{port}"), url);
        }
    }
    block
}
