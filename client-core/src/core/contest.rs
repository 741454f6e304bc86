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
        let slot = self.slot();
        if let (Some(own), Seen::Stored(at)) = (&self.own, seen)
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
