//! What a newcomer must know of what the members told each other before she came.

use cobijo_protocol::{
    content::{ClaimNotice, SnapshotPart},
    keys::PublicKey,
};
use serde_bytes::ByteBuf;

use super::{Board, Source};
use crate::core::port::Now;

/// Claims in one part of a snapshot.
const PART_CLAIMS_MAX: usize = 1_024;
/// KeyPackage bytes in one part of a snapshot: well within one head and its bodies.
const PART_BYTES_MAX: usize = 128 * 1024;

impl Board {
    /// What a newcomer must know, in parts that each fit a message.
    pub(crate) fn snapshot(
        &self,
        claims: Vec<ClaimNotice>,
        own: (PublicKey, Vec<ByteBuf>),
        of_people: Vec<SnapshotPart>,
    ) -> Vec<SnapshotPart> {
        // A part of their own: whatever else is too long, a newcomer can open intakes.
        let keys = self.intake_keys.iter().map(|held| held.key.clone());
        let keys = SnapshotPart {
            intake_keys: keys.collect(),
            ..SnapshotPart::default()
        };
        let claims = claims.chunks(PART_CLAIMS_MAX).map(|claims| SnapshotPart {
            claims: claims.to_vec(),
            ..SnapshotPart::default()
        });
        let pools = self.pools(own).into_iter();
        let pools = pools.map(|pool| SnapshotPart {
            pool,
            ..SnapshotPart::default()
        });
        let parts = [keys].into_iter().chain(claims).chain(pools);
        let mut all: Vec<_> = parts.chain(of_people).collect();
        let parts = u32::try_from(all.len()).unwrap_or(u32::MAX);
        for (part, one) in (0..parts).zip(&mut all) {
            (one.part, one.parts) = (part, parts);
        }
        all
    }

    /// Everybody's KeyPackages, in lists that each fit a part.
    fn pools(&self, own: (PublicKey, Vec<ByteBuf>)) -> Vec<Vec<(PublicKey, Vec<ByteBuf>)>> {
        let mut pools = vec![Vec::new()];
        let mut bytes = 0;
        for entry in self.pool.iter().cloned().chain([own]) {
            let of_entry = entry.1.iter().map(|message| message.len()).sum::<usize>();
            bytes += of_entry;
            if bytes > PART_BYTES_MAX {
                bytes = of_entry;
                pools.push(Vec::new());
            }
            if let Some(pool) = pools.last_mut() {
                pool.push(entry);
            }
        }
        pools
    }

    /// Takes what a snapshot tells beyond what is known; true where an intake key is new.
    pub(crate) fn learn_snapshot(&mut self, part: SnapshotPart, from: PublicKey, now: Now) -> bool {
        for (owner, key_packages) in part.pool {
            if !self.pool.iter().any(|(known, _)| *known == owner) {
                self.announce(owner, key_packages);
            }
        }
        let mut is_new = false;
        for key in part.intake_keys {
            is_new |= self.learn_intake_key(key, Source::Retold(from), now);
        }
        is_new
    }
}
