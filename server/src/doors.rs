//! The places of open connections, under a lock that nothing is awaited under.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::{
    metrics::Metrics,
    relay::admission::{Admission, PlaceId},
};

/// A handle.
#[derive(Clone)]
pub(crate) struct Doors {
    open: Arc<Mutex<Open>>,
    metrics: Arc<Metrics>,
}

struct Open {
    admission: Admission,
    /// Dropped when the connection has to give way.
    lines: HashMap<PlaceId, oneshot::Sender<()>>,
}

/// A place that is given back when the connection ends.
pub(crate) struct Place {
    doors: Doors,
    id: PlaceId,
    gave_way: oneshot::Receiver<()>,
}

impl Doors {
    /// Nobody is there yet.
    pub(crate) fn new(admission: Admission, metrics: Arc<Metrics>) -> Self {
        let lines = HashMap::new();
        let open = Arc::new(Mutex::new(Open { admission, lines }));
        Self { open, metrics }
    }

    /// Takes a place, perhaps from a connection that was no use to anybody.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<Place> {
        let (line, gave_way) = oneshot::channel();
        let mut open = self.lock();
        let now = tokio::time::Instant::now().into_std();
        let Some(admitted) = open.admission.admit(address, now) else {
            self.metrics.connections_refused.increment();
            return None;
        };
        if let Some(id) = admitted.gave_way {
            open.lines.remove(&id);
            self.metrics.connections_gave_way.increment();
        }
        open.lines.insert(admitted.place, line);
        self.metrics.connections.increment();
        self.metrics.connections_open.increment();
        Some(Place {
            doors: self.clone(),
            id: admitted.place,
            gave_way,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Keeps the place from now on, whoever comes.
    pub(crate) fn keep(&self) {
        self.doors.lock().admission.handle_used(self.id);
    }

    /// Returns when it was taken away.
    pub(crate) async fn gave_way(&mut self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = (&mut self.gave_way).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.doors.lock();
        open.admission.release(self.id);
        open.lines.remove(&self.id);
        self.doors.metrics.connections_open.decrement();
    }
}
