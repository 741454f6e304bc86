//! What goes on beside connections: sweeping, looking at the disk, reloading the certificate.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use cobijo_protocol::Day;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    connection::Shared,
    engine::{Engine, Swept},
    metrics::Metrics,
    shutdown::Shutdown,
    tls::Certificates,
};

/// How often a sweep is tried again, also when it was refused.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// How often the disk is looked at: at the rate of [`crate::config`]'s defaults it fills slower.
const DISK_EVERY: Duration = Duration::from_secs(5);
/// How often the certificate's file is looked at.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(60);

/// Sweeps on start, on every new day, and every hour.
pub(crate) async fn sweep(shared: Shared) {
    let Shared {
        engine,
        metrics,
        mut day,
        mut shutdown,
        ..
    } = shared;
    loop {
        let today = *day.borrow_and_update();
        let swept = tokio::select! {
            () = shutdown.requested() => None,
            swept = sweep_once(&engine, today, &metrics) => swept,
        };
        if swept.is_none() {
            return;
        }
        tokio::select! {
            () = shutdown.requested() => return,
            changed = day.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}

/// Sweeps, and tells the operator if it was refused; `None` when the engine has stopped.
pub(crate) async fn sweep_once(engine: &Engine, today: Day, metrics: &Metrics) -> Option<Swept> {
    let swept = engine.sweep(today).await.ok()?;
    metrics
        .sweep_refused
        .set(u64::from(swept == Swept::Refused));
    if swept == Swept::Refused {
        tracing::warn!(
            "the clock moved by more than two days since the last sweep, so nothing is removed; \
             if the clock is right, run `cobijo-relay confirm-day`"
        );
    }
    Some(swept)
}

/// Whether the disk has more than the reserve.
pub(crate) fn has_room(directory: &Path, reserve_bytes: u64) -> bool {
    free_bytes(directory).is_none_or(|free| free >= reserve_bytes)
}

/// Free bytes where the data is, if the system tells.
fn free_bytes(directory: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(directory).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Refuses writes while the disk has less than the reserve: reads go on.
pub(crate) async fn watch_disk(
    directory: PathBuf,
    reserve_bytes: u64,
    room: watch::Sender<bool>,
    shared: Shared,
) {
    let Shared {
        metrics,
        mut shutdown,
        ..
    } = shared;
    loop {
        let free = free_bytes(&directory);
        let has_room = free.is_none_or(|free| free >= reserve_bytes);
        metrics.disk_free_bytes.set(free.unwrap_or_default());
        metrics.accepts_writes.set(u64::from(has_room));
        let changed = room.send_if_modified(|room| std::mem::replace(room, has_room) != has_room);
        if changed && has_room {
            tracing::info!("the disk has room again, writes are accepted");
        } else if changed {
            tracing::warn!("the disk has less room than the reserve, writes are refused");
        }
        tokio::select! {
            () = shutdown.requested() => return,
            () = tokio::time::sleep(DISK_EVERY) => {}
        }
    }
}

/// Reloads the certificate on SIGHUP and when its file changed.
pub(crate) async fn reload(certificates: Arc<Certificates>, mut shutdown: Shutdown) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return;
    };
    let mut seen = modified(&certificates);
    loop {
        let asked = tokio::select! {
            () = shutdown.requested() => return,
            _ = hangups.recv() => true,
            () = tokio::time::sleep(CERTIFICATE_EVERY) => false,
        };
        let now = modified(&certificates);
        if !asked && now == seen {
            continue;
        }
        seen = now;
        match certificates.reload() {
            Ok(()) => tracing::info!("the certificate was reloaded"),
            Err(error) => tracing::error!("{error}; the certificate in use stays"),
        }
    }
}

fn modified(certificates: &Certificates) -> [Option<SystemTime>; 2] {
    let files = certificates.files();
    [&files.certificate, &files.key].map(|path| std::fs::metadata(path).ok()?.modified().ok())
}
