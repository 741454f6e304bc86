//! A contest: numbered slots, the first valid cell wins. [C-6]
//!
//! The one machine behind the order of commits, replies, claims, takings, Welcomes and everything
//! appended to a thread. It doesn't judge: it gives the caller what stands at the current index, and
//! looks at the next one only when told that this one is void.

use cobijo_protocol::{
    parts::{PAYLOAD_BYTES_MAX, Split},
    slot::{Kind, Slot, ThreadSecret, TooLong},
};
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};

use super::{
    port::{Chain, Put, Rng, Seen, Wants},
    thread::{Content, OnEmpty, Reading},
};

/// Where a reader, and perhaps a contender, stands in a thread.
#[derive(Clone, Serialize, Deserialize)]
pub struct Contest {
    secret: ThreadSecret,
    kind: Kind,
    leaf: u32,
    index: u64,
    own: Option<Own>,
    #[serde(skip)]
    reading: Option<Reading>,
}

/// What a contender wants to stand at the current index: saved before it is put, so that a retry
/// after a crash puts the same bytes.
#[derive(Clone, Serialize, Deserialize)]
struct Own {
    payload: Vec<u8>,
    /// What must be stored before it, whatever the index.
    before: Chain,
    /// Bodies, then the cell of the contest's own slot.
    chain: Chain,
    /// What goes behind it in the same frame.
    after: Chain,
}

/// What stands at the current index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The index.
    pub index: u64,
    /// What stands there.
    pub content: Content,
    /// Whether it is what the contender put.
    pub mine: bool,
}

impl Contest {
    /// A reader at index 0.
    pub fn new(secret: ThreadSecret, kind: Kind, leaf: u32) -> Self {
        Self {
            secret,
            kind,
            leaf,
            index: 0,
            own: None,
            reading: None,
        }
    }

    /// A reader who knows what stands below `index`.
    pub fn at(secret: ThreadSecret, kind: Kind, leaf: u32, index: u64) -> Self {
        let mut contest = Self::new(secret, kind, leaf);
        contest.index = index;
        contest
    }

    /// The index looked at.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The slot looked at.
    pub fn slot(&self) -> Slot {
        Slot::derive(&self.secret, self.kind, self.leaf, self.index)
    }

    /// Whether something of one's own is to stand at the current index.
    pub fn is_contending(&self) -> bool {
        self.own.is_some()
    }

    /// Whether the relay has said on this connection that nobody has written at the current index.
    pub fn is_free(&self) -> bool {
        self.reading.as_ref().is_some_and(Reading::is_empty)
    }

    /// Wants `payload` to stand at the first free index.
    ///
    /// # Errors
    /// [`TooLong`] above [`PAYLOAD_BYTES_MAX`].
    pub fn contend(&mut self, payload: Vec<u8>, rng: &mut Rng) -> Result<(), TooLong> {
        self.contend_between(Vec::new(), payload, Vec::new(), rng)
    }

    /// As [`Self::contend`], with puts that are stored before the payload, and puts that go behind it
    /// in the same frame.
    ///
    /// # Errors
    /// [`TooLong`] above [`PAYLOAD_BYTES_MAX`].
    pub fn contend_between(
        &mut self,
        before: Chain,
        payload: Vec<u8>,
        after: Chain,
        rng: &mut Rng,
    ) -> Result<(), TooLong> {
        let chain = seal_payload(&self.slot(), &payload, rng)?;
        self.own = Some(Own {
            payload,
            before,
            chain,
            after,
        });
        Ok(())
    }

    /// Wants nothing of its own to stand there any more.
    pub fn withdraw(&mut self) {
        self.own = None;
    }

    /// What must be watched or put to get on.
    pub fn wants(&self, wants: &mut Wants) {
        let Some(reading) = &self.reading else {
            wants.watch.push(self.slot().address());
            return;
        };
        reading.wants(wants);
        if let Some(own) = self.own.as_ref().filter(|_| reading.is_empty()) {
            wants
                .chains
                .push([&own.before[..], &own.chain, &own.after].concat());
        }
    }

    /// Takes what the relay said; gives the candidate as soon as it is known.
    pub fn handle_seen(&mut self, seen: &Seen) -> Option<Candidate> {
        if matches!(seen, Seen::Connected(_)) {
            // What an earlier connection said was gone may have been a lie.
            self.reading = None;
        }
        let slot = self.slot();
        // The own cell is put only where the slot was empty: else `Stored` speaks of a void cell.
        if let (Some(own), Seen::Stored(at)) = (self.own.as_ref().filter(|_| self.is_free()), seen)
            && *at == slot.address()
        {
            let content = Content::Payload(own.payload.clone());
            return Some(Candidate {
                index: self.index,
                content,
                mine: true,
            });
        }
        let reading = self
            .reading
            .get_or_insert_with(|| Reading::new(slot, OnEmpty::Wait));
        let content = reading.handle_seen(seen)?;
        // A crash between the put and its answer: the own cell is found by reading.
        let mine = self
            .own
            .as_ref()
            .is_some_and(|own| content == Content::Payload(own.payload.clone()));
        Some(Candidate {
            index: self.index,
            content,
            mine,
        })
    }

    /// The own payload, where one is to stand at the current index.
    pub fn own_payload(&self) -> Option<&[u8]> {
        self.own.as_ref().map(|own| own.payload.as_slice())
    }

    /// The own cells of the current index: bodies, then the slot's own.
    pub(crate) fn own_chain(&self) -> &[Put] {
        self.own.as_ref().map_or(&[], |own| own.chain.as_slice())
    }

    /// Goes on to the next index; the own payload goes there too.
    pub fn skip(&mut self, rng: &mut Rng) {
        self.index += 1;
        self.reading = None;
        if let Some(own) = self.own.take() {
            let resealed = seal_payload(&self.slot(), &own.payload, rng);
            self.own = resealed.ok().map(|chain| Own { chain, ..own });
        }
    }
}

impl std::fmt::Debug for Contest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contest").finish_non_exhaustive()
    }
}

/// Seals a payload into `slot`: bodies first, the slot's own cell last. [H-1]
pub(crate) fn seal_payload(slot: &Slot, payload: &[u8], rng: &mut Rng) -> Result<Chain, TooLong> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(TooLong);
    }
    let split = Split::of(payload, ThreadSecret::from_bytes(random(rng)))?;
    let mut chain = seal_bodies(&split, slot.erase_key().is_some(), rng)?;
    chain.push(Put::new(
        slot,
        slot.seal(&split.data.encode(), random(rng))?,
    ));
    Ok(chain)
}

/// Seals the bodies of a split payload.
pub(crate) fn seal_bodies(split: &Split, erasable: bool, rng: &mut Rng) -> Result<Chain, TooLong> {
    let cobijo_protocol::parts::Data::Head(head) = &split.data else {
        return Ok(Vec::new());
    };
    let seal = |(index, body): (usize, &Vec<u8>)| {
        let slot = head.body_slot(index, erasable);
        Ok(Put::new(&slot, slot.seal(body, random(rng))?))
    };
    split.bodies.iter().enumerate().map(seal).collect()
}

/// Random bytes.
pub(crate) fn random<const N: usize>(rng: &mut Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::cell::Cell;
    use rand_core::SeedableRng as _;

    use super::*;

    const SECRET: ThreadSecret = ThreadSecret::from_bytes([5; 32]);

    fn contest() -> (Contest, Rng) {
        (Contest::new(SECRET, Kind::Reply, 0), Rng::seed_from_u64(1))
    }

    fn address(index: u64) -> cobijo_protocol::slot::Address {
        Slot::derive(&SECRET, Kind::Reply, 0, index).address()
    }

    fn chains(contest: &Contest) -> Vec<Chain> {
        let mut wants = Wants::default();
        contest.wants(&mut wants);
        wants.chains
    }

    #[test]
    fn nothing_is_put_before_the_slot_is_known_to_be_empty() {
        let (mut contest, mut rng) = contest();
        contest.contend(b"mine".to_vec(), &mut rng).unwrap();
        assert!(chains(&contest).is_empty());
        assert_eq!(contest.handle_seen(&Seen::Empty(address(0))), None);
        assert_eq!(chains(&contest)[0][0].address(), address(0));
    }

    #[test]
    fn who_is_stored_stands_there() {
        let (mut contest, mut rng) = contest();
        contest.contend(b"mine".to_vec(), &mut rng).unwrap();
        contest.handle_seen(&Seen::Empty(address(0)));
        let candidate = contest.handle_seen(&Seen::Stored(address(0))).unwrap();
        assert_eq!(
            candidate,
            Candidate {
                index: 0,
                content: Content::Payload(b"mine".to_vec()),
                mine: true
            }
        );
    }

    #[test]
    fn after_a_crash_the_very_same_cell_is_put_and_found() {
        let (mut contest, mut rng) = contest();
        contest.contend(b"mine".to_vec(), &mut rng).unwrap();
        contest.handle_seen(&Seen::Empty(address(0)));
        let before = chains(&contest);
        let mut saved = Vec::new();
        ciborium::into_writer(&contest, &mut saved).unwrap();
        let mut contest: Contest = ciborium::from_reader(saved.as_slice()).unwrap();
        contest.handle_seen(&Seen::Empty(address(0)));
        assert_eq!(chains(&contest), before);
        let candidate = contest.handle_seen(&Seen::Full(address(0), before[0][0].cell.clone()));
        assert!(candidate.unwrap().mine);
    }

    /// [C-6]
    #[test]
    fn a_void_cell_moves_the_own_payload_to_the_next_index_with_all_that_goes_before_it() {
        let (mut contest, mut rng) = contest();
        let other = Slot::derive(&SECRET, Kind::Body, 0, 7);
        let before = vec![Put::new(&other, Cell::void())];
        contest
            .contend_between(before.clone(), b"mine".to_vec(), Vec::new(), &mut rng)
            .unwrap();
        let candidate = contest
            .handle_seen(&Seen::Full(address(0), Cell::void()))
            .unwrap();
        assert_eq!((candidate.content, candidate.mine), (Content::Void, false));
        contest.skip(&mut rng);
        contest.handle_seen(&Seen::Empty(address(1)));
        let chain = &chains(&contest)[0];
        assert_eq!(chain[..1], before);
        assert_eq!(chain[1].address(), address(1));
    }

    #[test]
    fn who_withdraws_puts_nothing_and_still_reads() {
        let (mut contest, mut rng) = contest();
        contest.contend(b"mine".to_vec(), &mut rng).unwrap();
        contest.withdraw();
        contest.handle_seen(&Seen::Empty(address(0)));
        assert!(chains(&contest).is_empty() && contest.is_free());
    }

    #[test]
    fn what_is_too_long_is_refused_and_loses_nothing() {
        let (mut contest, mut rng) = contest();
        contest.contend(b"mine".to_vec(), &mut rng).unwrap();
        assert_eq!(
            contest.contend(vec![0; PAYLOAD_BYTES_MAX + 1], &mut rng),
            Err(TooLong)
        );
        assert!(contest.is_contending());
    }
}
