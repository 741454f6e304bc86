//! The real programs, as people run them: `Relay::start()`, `relay.client("asha")`.
//!
//! Nothing here sleeps: whatever is waited for is an event that a program prints, with a deadline.
//! What is dropped is killed.

mod client;
mod desk;
mod impostor;
mod past;
mod photo;
mod proxy;
mod relay;
mod search;
mod slots;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context, ensure};

pub use self::{
    client::{Client, Done, Live, letter},
    desk::{Desk, creating},
    impostor::{Impostor, make_certificate},
    photo::{check_export, photo, tells_where},
    proxy::{PEOPLE_IP, Proxy},
    relay::Relay,
    search::{Finding, Needle, search},
    slots::{file_slots, named_slots},
};

/// Longest wait for anything: far above what a loaded machine takes.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Where a program of the workspace lies; all are built once for each run, so that none is old.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    let folder = folder
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(folder.join(name))
}

fn build() -> anyhow::Result<PathBuf> {
    let folder = std::env::current_exe()?;
    let folder = folder
        .ancestors()
        .find(|folder| is_profile(folder))
        .context("no target folder")?;
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.args(["build", "--quiet", "--workspace", "--bins"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no workspace")?;
    ensure!(
        cargo.current_dir(workspace).status()?.success(),
        "the programs don't build"
    );
    Ok(folder.to_owned())
}

fn is_profile(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|name| name == "debug" || name == "release")
}
