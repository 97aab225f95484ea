//! Starts the server. Asked by git for credentials, it answers those instead.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use stackseal_server::config::{Asked, Config};
use stackseal_server::{ASKPASS_FILE, answer_askpass, process, run, telemetry};

fn main() -> anyhow::Result<()> {
    process::harden().context("the process could not be hardened")?;
    if let Some(file) = std::env::var_os(ASKPASS_FILE) {
        return Ok(answer_askpass(
            std::env::args_os().nth(1),
            Path::new(&file),
        )?);
    }
    let config = match Config::read(std::env::args_os().skip(1), &|name| std::env::var_os(name))? {
        Asked::Print(text) => return Ok(std::io::stdout().write_all(text.as_bytes())?),
        Asked::Start(config) => *config,
    };
    telemetry::start_log(config.log())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run::run(config))?;
    Ok(())
}
