//! sled, and the promise that nothing is shown before it is on disk.
//!
//! sled 0.34's `flush` hands its log to the operating system (`sync_file_range`), which is no promise
//! about the disk, so a commit is `apply_batch`, `flush`, then `fdatasync` of sled's file. Between the
//! first and the last a change is visible in sled and not durable: a reader that was shown it, and acted
//! on it, would know more than a relay that is killed then. So readers wait for keys in [`InFlight`].
//!
//! Known limit: sled gives no space back to the disk, it reuses it.

use std::{
    collections::BTreeSet,
    fs::File,
    ops::Range,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{group::Changes, layout::RawKey};
use crate::engine::EngineError;

/// Memory for sled's cache: a relay has to run on the smallest rented machine.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Folder of sled's files in the data directory.
const FOLDER: &str = "cells";
/// sled's log in that folder.
const LOG_FILE: &str = "db";
/// Held by the one relay that may use the data directory.
const LOCK_FILE: &str = "lock";

/// What is on disk.
pub(super) struct Durable {
    db: sled::Db,
    log: File,
    in_flight: InFlight,
    _lock: File,
}

impl Durable {
    /// Opens, or makes, the store in `directory`.
    pub(super) fn open(directory: &Path) -> Result<Self, EngineError> {
        let disk = |_| EngineError::Disk;
        std::fs::create_dir_all(directory).map_err(disk)?;
        let lock = File::create(directory.join(LOCK_FILE)).map_err(disk)?;
        lock.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => EngineError::Locked,
            std::fs::TryLockError::Error(_) => EngineError::Disk,
        })?;
        let folder = directory.join(FOLDER);
        let db = sled::Config::new()
            .path(&folder)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open()
            .map_err(|error| failure(&error))?;
        let log = File::open(folder.join(LOG_FILE)).map_err(disk)?;
        for made in [folder.as_path(), directory] {
            File::open(made)
                .and_then(|made| made.sync_all())
                .map_err(disk)?;
        }
        Ok(Self {
            db,
            log,
            in_flight: InFlight::default(),
            _lock: lock,
        })
    }

    /// Makes `changes` durable, all or none of them. Only the writer calls this.
    pub(super) fn commit(&self, changes: Changes) -> Result<(), EngineError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.in_flight.begin(changes.keys().cloned().collect());
        let committed = self.write(changes);
        self.in_flight.end(committed);
        committed
    }

    /// For the writer, which has nothing in flight while it decides.
    pub(super) fn get(&self, key: &RawKey) -> Result<Option<Vec<u8>>, EngineError> {
        let value = self.db.get(key).map_err(|error| failure(&error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// Up to `count` keys of a range, in order. For the writer.
    pub(super) fn range(
        &self,
        range: Range<RawKey>,
        count: usize,
    ) -> Result<Vec<RawKey>, EngineError> {
        collect_keys(self.db.range(range).take(count))
    }

    /// All keys with a prefix. For the writer.
    pub(super) fn with_prefix(&self, prefix: &[u8]) -> Result<Vec<RawKey>, EngineError> {
        collect_keys(self.db.scan_prefix(prefix))
    }

    /// What stands at a key, once it is durable. For readers.
    pub(super) fn read<T>(
        &self,
        key: &RawKey,
        parse: impl Fn(&[u8]) -> Result<T, EngineError>,
    ) -> Result<Option<T>, EngineError> {
        let value = self.db.get(key).map_err(|error| failure(&error))?;
        self.in_flight.wait_for([key])?;
        value.map(|value| parse(&value)).transpose()
    }

    /// All keys with a prefix, once each is durable. For readers.
    pub(super) fn read_prefix(&self, prefix: &[u8]) -> Result<Vec<RawKey>, EngineError> {
        let keys = collect_keys(self.db.scan_prefix(prefix))?;
        self.in_flight.wait_for(&keys)?;
        Ok(keys)
    }

    fn write(&self, changes: Changes) -> Result<(), EngineError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db
            .apply_batch(batch)
            .map_err(|error| failure(&error))?;
        self.db.flush().map_err(|error| failure(&error))?;
        self.log.sync_data().map_err(|_| EngineError::Disk)
    }
}

/// Keys of the commit that is under way.
#[derive(Default)]
struct InFlight {
    commit: Mutex<Commit>,
    ended: Condvar,
}

#[derive(Default)]
struct Commit {
    keys: BTreeSet<RawKey>,
    failed: Option<EngineError>,
}

impl InFlight {
    fn begin(&self, keys: BTreeSet<RawKey>) {
        self.lock().keys = keys;
    }

    fn end(&self, committed: Result<(), EngineError>) {
        let mut commit = self.lock();
        commit.failed = committed.err();
        commit.keys.clear();
        self.ended.notify_all();
    }

    fn wait_for<'k>(&self, keys: impl IntoIterator<Item = &'k RawKey>) -> Result<(), EngineError> {
        let mut commit = self.lock();
        for key in keys {
            while commit.keys.contains(key) {
                commit = self
                    .ended
                    .wait(commit)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
        commit.failed.map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Commit> {
        self.commit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn collect_keys(
    pairs: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
) -> Result<Vec<RawKey>, EngineError> {
    pairs
        .map(|pair| match pair {
            Ok((key, _)) => Ok(key.to_vec()),
            Err(error) => Err(failure(&error)),
        })
        .collect()
}

fn failure(error: &sled::Error) -> EngineError {
    match error {
        sled::Error::Corruption { .. } | sled::Error::Unsupported(_) => EngineError::Foreign,
        sled::Error::Io(_) | sled::Error::CollectionNotFound(_) | sled::Error::ReportableBug(_) => {
            EngineError::Disk
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            mpsc::{self, RecvTimeoutError},
        },
        time::Duration,
    };

    use super::*;

    ///
    #[test]
    fn a_reader_waits_for_what_is_not_on_disk_yet_and_for_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let durable = Arc::new(Durable::open(directory.path()).unwrap());
        let (hot, cold) = (vec![1], vec![2]);
        durable.in_flight.begin([hot.clone()].into());
        durable.db.insert(&hot, b"new").unwrap();
        assert_eq!(read(&durable, &cold), Ok(None));
        let (sender, receiver) = mpsc::channel();
        let reader = {
            let (durable, hot) = (Arc::clone(&durable), hot.clone());
            std::thread::spawn(move || sender.send(read(&durable, &hot)))
        };
        let waits = receiver.recv_timeout(Duration::from_millis(100));
        assert_eq!(waits, Err(RecvTimeoutError::Timeout));
        durable.in_flight.end(Ok(()));
        assert_eq!(receiver.recv(), Ok(Ok(Some(b"new".to_vec()))));
        reader.join().unwrap().unwrap();

        durable.in_flight.begin([hot.clone()].into());
        durable.in_flight.end(Err(EngineError::Disk));
        assert_eq!(read(&durable, &hot), Err(EngineError::Disk));
    }

    #[test]
    fn one_relay_at_a_time_has_the_data_directory() {
        let directory = tempfile::tempdir().unwrap();
        let first = Durable::open(directory.path()).unwrap();
        let second = Durable::open(directory.path()).err();
        assert_eq!(second, Some(EngineError::Locked));
        drop(first);
        assert!(Durable::open(directory.path()).is_ok());
    }

    fn read(durable: &Durable, key: &RawKey) -> Result<Option<Vec<u8>>, EngineError> {
        durable.read(key, |value| Ok(value.to_vec()))
    }
}
