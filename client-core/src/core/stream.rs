//! Another member's messages in an epoch: read in order, live, and to their end. [G-14], [G-15]
//!
//! A stream ends at the smaller of its cut and its first void cell. Live readers go on behind a void
//! cell; when the epoch closes, what they showed from the end on is not confirmed.

use std::collections::BTreeMap;

use cobijo_protocol::{
    content::MessageId,
    limits::{CUT_MESSAGES_MAX, STREAM_AHEAD},
    slot::{Kind, Slot, ThreadSecret},
};
use serde::{Deserialize, Serialize};

use super::{
    erasing::{Erasing, erasing_slot},
    port::{Seen, Wants},
    thread::{Content, OnEmpty, Reading},
};

/// One other leaf's thread.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stream {
    leaf: u32,
    read: u64,
    first_void: Option<u64>,
    shown: Vec<(u64, MessageId)>,
    #[serde(skip)]
    window: Window,
}

/// Slots that are being read: transient, derived again after a restart.
#[derive(Clone, Default)]
struct Window {
    readings: BTreeMap<u64, Reading>,
    /// Content that is known, by slot, and what erases it.
    known: BTreeMap<u64, (Content, Erasing)>,
    until: u64,
}

impl Stream {
    /// A thread of which nothing is read.
    pub(crate) fn new(leaf: u32) -> Self {
        Self {
            leaf,
            read: 0,
            first_void: None,
            shown: Vec::new(),
            window: Window::default(),
        }
    }

    /// The thread's leaf.
    pub(crate) fn leaf(&self) -> u32 {
        self.leaf
    }

    /// Slots that were read in order: the leaf's count in a cut.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    /// Whether the relay has said on this connection that nothing follows what is read.
    pub(crate) fn is_caught_up(&self) -> bool {
        let is_full = self.read >= u64::from(CUT_MESSAGES_MAX);
        is_full
            || self
                .window
                .readings
                .get(&self.read)
                .is_some_and(Reading::is_empty)
    }

    /// Derives the slots ahead. `ahead` more are watched when half of them are used up, so that the
    /// relay doesn't see each message move the window.
    pub(crate) fn fill(&mut self, secret: &ThreadSecret, ahead: u64) {
        let until = &mut self.window.until;
        if until.saturating_sub(self.read) <= ahead / 2 {
            // No cut counts more, so nobody is to read more, or its own commits would be void.
            *until = (self.read + ahead).min(u64::from(CUT_MESSAGES_MAX));
        }
        for index in self.read..*until {
            if self.window.known.contains_key(&index) {
                continue;
            }
            let reading = || reading(secret, self.leaf, index);
            self.window.readings.entry(index).or_insert_with(reading);
        }
    }

    /// What must be watched or put.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        self.window
            .readings
            .values()
            .for_each(|reading| reading.wants(wants));
    }

    /// Takes what the relay said.
    pub(crate) fn handle_seen(&mut self, seen: &Seen) {
        let Window {
            readings, known, ..
        } = &mut self.window;
        readings.retain(|index, reading| match reading.handle_seen(seen) {
            Some(content) => {
                known.insert(*index, (content, reading.erasing()));
                false
            }
            None => true,
        });
    }

    /// The next slot in order, where its content is known.
    pub(crate) fn peek(&self) -> Option<(u64, &Content)> {
        self.window
            .known
            .get(&self.read)
            .map(|(content, _)| (self.read, content))
    }

    /// What erases that slot, and the bodies of its head.
    pub(crate) fn erasing(&self) -> Erasing {
        let known = self.window.known.get(&self.read);
        known.map_or_else(Erasing::new, |(_, erasing)| erasing.clone())
    }

    /// What erases the slots below `cut` that nothing was read of; their bodies nobody finds without them.
    pub(crate) fn erasing_unread(&self, secret: &ThreadSecret, cut: u64) -> Erasing {
        let slot = |index| Slot::derive(secret, Kind::Message, self.leaf, index);
        (self.read..cut.min(u64::from(CUT_MESSAGES_MAX)))
            .filter_map(|index| erasing_slot(&slot(index)))
            .collect()
    }

    /// Goes on behind the slot that [`Self::peek`] gave: void for everyone, or else with the message
    /// that it showed, if any.
    pub(crate) fn advance(&mut self, is_void: bool, shown: Option<MessageId>) {
        if is_void {
            self.first_void.get_or_insert(self.read);
        }
        self.shown.extend(shown.map(|id| (self.read, id)));
        self.window.known.remove(&self.read);
        self.read += 1;
    }

    /// Reads up to `cut` and no further: the first slot below it that is empty is closed, which ends
    /// the stream there.
    pub(crate) fn close(&mut self, secret: &ThreadSecret, cut: u64) {
        let Window {
            readings,
            known,
            until,
        } = &mut self.window;
        readings.retain(|&index, _| index < cut);
        // Never more ahead than live: a long cut is read window by window.
        *until = cut.min(self.read + STREAM_AHEAD);
        for index in self.read..*until {
            if !known.contains_key(&index) {
                readings
                    .entry(index)
                    .or_insert_with(|| reading(secret, self.leaf, index));
            }
        }
        let first_open = (self.read..*until).find(|index| !known.contains_key(index));
        if let Some(reading) = first_open.and_then(|index| readings.get_mut(&index)) {
            reading.close();
        }
    }

    /// Whether the stream's end under `cut` is known.
    pub(crate) fn is_closed(&self, cut: u64) -> bool {
        self.read >= cut || self.first_void.is_some_and(|void| void < cut)
    }

    /// Where the stream ends under `cut`, once it is closed.
    pub(crate) fn end(&self, cut: u64) -> u64 {
        cut.min(self.first_void.unwrap_or(u64::MAX))
    }

    /// Messages shown from `end` on.
    pub(crate) fn shown_from(&self, end: u64) -> impl Iterator<Item = MessageId> + '_ {
        self.shown
            .iter()
            .filter(move |(index, _)| *index >= end)
            .map(|(_, id)| *id)
    }
}

fn reading(secret: &ThreadSecret, leaf: u32, index: u64) -> Reading {
    Reading::new(
        Slot::derive(secret, Kind::Message, leaf, index),
        OnEmpty::Wait,
    )
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{cell::Cell, slot::Address};

    use super::*;

    const SECRET: ThreadSecret = ThreadSecret::from_bytes([7; 32]);

    fn slot(index: u64) -> Slot {
        Slot::derive(&SECRET, Kind::Message, 1, index)
    }

    fn stream() -> Stream {
        let mut stream = Stream::new(1);
        stream.fill(&SECRET, STREAM_AHEAD);
        stream
    }

    fn write(stream: &mut Stream, index: u64) {
        let cell = slot(index).seal(&[0, 1], [0; 24]).unwrap();
        stream.handle_seen(&Seen::Full(slot(index).address(), cell));
    }

    fn wants(stream: &Stream) -> Wants {
        let mut wants = Wants::default();
        stream.wants(&mut wants);
        wants
    }

    fn voided(stream: &Stream) -> Vec<Address> {
        wants(stream)
            .chains
            .iter()
            .map(|chain| chain[0].address())
            .collect()
    }

    #[test]
    fn slots_are_read_in_order_whatever_order_they_come_in() {
        let mut stream = stream();
        write(&mut stream, 1);
        assert!(stream.peek().is_none());
        write(&mut stream, 0);
        assert_eq!(stream.peek().unwrap().0, 0);
        stream.advance(false, None);
        assert_eq!(stream.peek().unwrap().0, 1);
    }

    #[test]
    fn the_window_moves_only_when_half_of_it_is_used_up() {
        let mut stream = stream();
        let until = |stream: &Stream| stream.window.until;
        for index in 0..7 {
            write(&mut stream, index);
            stream.advance(false, None);
            stream.fill(&SECRET, STREAM_AHEAD);
            assert_eq!(until(&stream), 16);
        }
        write(&mut stream, 7);
        stream.advance(false, None);
        stream.fill(&SECRET, STREAM_AHEAD);
        assert_eq!(until(&stream), 24);
    }

    /// [G-15] [G-14]
    #[test]
    fn a_stream_ends_at_the_smaller_of_its_cut_and_its_first_void_cell() {
        let mut stream = stream();
        for (index, is_void) in [(0, false), (1, true), (2, false)] {
            write(&mut stream, index);
            stream.advance(is_void, Some(MessageId::from_bytes([index as u8; 16])));
        }
        assert_eq!((stream.end(1), stream.end(2), stream.end(9)), (1, 1, 1));
        assert!(stream.is_closed(1) && stream.is_closed(9));
        assert_eq!(stream.shown_from(1).count(), 2);
        assert_eq!(stream.shown_from(3).count(), 0);
    }

    /// [G-14]
    #[test]
    fn closing_puts_the_void_cell_into_the_first_empty_slot_below_the_cut_and_no_other() {
        let mut stream = stream();
        write(&mut stream, 0);
        stream.advance(false, None);
        for index in 1..16 {
            stream.handle_seen(&Seen::Empty(slot(index).address()));
        }
        assert!(voided(&stream).is_empty());
        stream.close(&SECRET, 5);
        assert_eq!(voided(&stream), [slot(1).address()]);
        assert_eq!(wants(&stream).watch.len(), 4);
        stream.handle_seen(&Seen::Stored(slot(1).address()));
        assert_eq!(stream.peek().unwrap().1, &Content::Void);
    }

    #[test]
    fn a_late_message_beats_the_void_cell() {
        let mut stream = stream();
        stream.handle_seen(&Seen::Empty(slot(0).address()));
        stream.close(&SECRET, 1);
        stream.handle_seen(&Seen::Taken(slot(0).address()));
        write(&mut stream, 0);
        assert!(matches!(stream.peek(), Some((0, Content::Payload(_)))));
    }

    #[test]
    fn a_long_cut_is_read_window_by_window() {
        let mut stream = stream();
        stream.close(&SECRET, 512);
        assert!(wants(&stream).watch.len() <= STREAM_AHEAD as usize);
    }

    #[test]
    fn nobody_is_caught_up_before_the_next_slot_was_seen_empty_on_this_connection() {
        let mut stream = stream();
        assert!(!stream.is_caught_up());
        stream.handle_seen(&Seen::Empty(slot(0).address()));
        assert!(stream.is_caught_up());
        stream.handle_seen(&Seen::Connected(crate::core::port::RelayFacts {
            day: 1,
            retention_days: 90,
        }));
        assert!(!stream.is_caught_up());
        stream.handle_seen(&Seen::Full(slot(0).address(), Cell::void()));
        assert!(!stream.is_caught_up());
    }
}
