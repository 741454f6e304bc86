//! The one request to stop.

use tokio::sync::watch;

/// Asks a relay to stop, also when it is dropped.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

/// Seen by every task of a relay.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// A request to stop that has not been made yet.
pub fn shutdown() -> (ShutdownTrigger, Shutdown) {
    let (trigger, shutdown) = watch::channel(false);
    (ShutdownTrigger(trigger), Shutdown(shutdown))
}

impl ShutdownTrigger {
    /// Asks.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Returns when the relay is to stop.
    pub async fn requested(&mut self) {
        // A dropped trigger asks as well.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
