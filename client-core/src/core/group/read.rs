//! What messages say: in order, each once.

use std::collections::BTreeMap;

use cobijo_protocol::{
    Day, cbor,
    content::{Content, Message, MessageId},
    keys::PublicKey,
    limits::LAMPORT_AHEAD_MAX,
    parts::PAYLOAD_BYTES_MAX,
    slot::TooLong,
};
use serde::{Deserialize, Serialize};

use super::{Author, Group, GroupEvent};
use crate::{
    core::{
        port::{Now, Rng},
        stream::Stream,
        thread,
    },
    mls::verdict::Fault,
};

/// Bytes of MLS framing and signature around an application message, generously.
const MESSAGE_OVERHEAD: usize = 1024;

/// Messages that were shown, so that each is shown once, and the clock that orders them.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Shown {
    clock: u64,
    /// The highest clock of what stood when the epoch began: what is said in it comes behind.
    #[serde(default)]
    floor: u64,
    /// Per author, of what was shown in this epoch.
    #[serde(default)]
    last: BTreeMap<PublicKey, u64>,
    /// By name.
    messages: BTreeMap<MessageId, Mark>,
}

/// What is remembered of a message that was shown.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Mark {
    is_confirmed: bool,
    /// As its author gave it.
    said: u64,
    /// As it counts where it stands.
    clock: u64,
    /// When it was last seen in a stream: nothing older than the retention can come again.
    day: Day,
}

impl Shown {
    /// The highest clock so far.
    pub(super) fn clock(&self) -> u64 {
        self.clock
    }

    /// What is said from now on comes behind what was heard before.
    pub(super) fn hear(&mut self, clock: u64) {
        self.clock = self.clock.max(clock);
    }

    /// An epoch begins. What a cut left out, and what `waits` to be sent again, stands nowhere yet.
    pub(super) fn new_epoch(&mut self, waits: impl Fn(&MessageId) -> bool) {
        let stands = |(id, mark): &(&MessageId, &Mark)| mark.is_confirmed && !waits(id);
        let standing = self.messages.iter().filter(stands);
        let highest = standing.map(|(_, mark)| mark.clock).max();
        self.floor = self.floor.max(highest.unwrap_or(0));
        self.last.clear();
    }

    /// Forgets what can't come again.
    pub(super) fn forget(&mut self, today: Day, retention_days: u16) {
        self.messages
            .retain(|_, mark| mark.day.saturating_add(2 * u32::from(retention_days)) >= today);
    }

    /// Encodes a message of one's own, one tick later than all that was shown, and names it.
    ///
    /// # Errors
    /// [`TooLong`] where it doesn't fit; then nothing has changed.
    pub(super) fn own_message(
        &mut self,
        salt: MessageId,
        content: Content,
        key: PublicKey,
        day: Day,
    ) -> Result<(MessageId, Vec<u8>), TooLong> {
        let clock = self.clock + 1;
        let message = cbor::encode(&Message {
            id: salt,
            clock,
            content,
        });
        if message.len() > PAYLOAD_BYTES_MAX - MESSAGE_OVERHEAD {
            return Err(TooLong);
        }
        self.clock = clock;
        let id = MessageId::of(&key, &message);
        self.messages.insert(
            id,
            Mark {
                is_confirmed: true,
                said: clock,
                clock,
                day,
            },
        );
        Ok((id, message))
    }

    /// Takes note of a message that stands in a stream., [A-3]
    fn show(
        &mut self,
        author: Author,
        id: MessageId,
        message: Message,
        day: Day,
    ) -> Option<GroupEvent> {
        let known = self.messages.get_mut(&id);
        let was_shown = known.is_some();
        if let Some(mark) = known.filter(|mark| mark.is_confirmed) {
            mark.day = day;
            return None;
        }
        let clock = self.count(author.key, message.clock);
        let mark = Mark {
            is_confirmed: true,
            said: message.clock,
            clock,
            day,
        };
        self.messages.insert(id, mark);
        Some(if was_shown {
            GroupEvent::Confirmed { id, clock }
        } else {
            GroupEvent::Message {
                author,
                id,
                clock,
                content: message.content,
            }
        })
    }

    /// Takes note that an own message stands: it counts as it does for those who read it.
    fn stored(&mut self, own: PublicKey, id: MessageId) -> u64 {
        let said = self.messages.get(&id).map_or(0, |mark| mark.said);
        let clock = self.count(own, said);
        if let Some(mark) = self.messages.get_mut(&id) {
            mark.clock = clock;
        }
        clock
    }

    /// What the next message of an author counts as.
    fn count(&mut self, author: PublicKey, said: u64) -> u64 {
        // Clamped, not refused: the own clock is no ground for a verdict.
        let before = self.last.get(&author).copied().unwrap_or(self.floor);
        let ahead = self.clock.saturating_add(LAMPORT_AHEAD_MAX);
        let clock = said.min(ahead).max(before.saturating_add(1));
        self.last.insert(author, clock);
        self.clock = self.clock.max(clock);
        clock
    }

    /// Takes note that a message shown lies behind its stream's end.
    pub(super) fn end(&mut self, id: MessageId, is_removed: bool) -> Option<GroupEvent> {
        self.messages.get_mut(&id)?.is_confirmed = false;
        Some(if is_removed {
            GroupEvent::Withdrawn { id }
        } else {
            GroupEvent::Unconfirmed { id }
        })
    }
}

impl Group {
    /// Whether all that stands has been read on this connection.
    pub fn is_caught_up(&self) -> bool {
        self.stop().is_none()
            && self.closing.is_none()
            && self.contest.is_free()
            && self.streams.iter().all(Stream::is_caught_up)
    }

    /// Reads what has been written in the open epoch.
    pub(super) fn read_live(&mut self, now: Now, rng: &mut Rng) {
        for index in 0..self.streams.len() {
            self.read_stream(index, None, now, rng);
        }
        self.fill_streams();
    }

    /// Reads a stream as far as its content is known, and no further than `cut`.
    pub(super) fn read_stream(&mut self, index: usize, cut: Option<u64>, now: Now, rng: &mut Rng) {
        while let Some(stream) = self.streams.get(index)
            && self.stop.is_none()
            && cut.is_none_or(|cut| !stream.is_closed(cut))
            && let Some((_, content)) = stream.peek()
        {
            let (leaf, content, slots) = (stream.leaf(), content.clone(), stream.erasing());
            let Some(author) = self.author(leaf) else {
                return;
            };
            let key = author.key;
            let mut id = None;
            let (is_void, shown) = match content {
                thread::Content::Payload(payload) => match self.mls.decrypt(&payload, leaf, rng) {
                    Ok(message) => {
                        id = Some(MessageId::of(&key, &message));
                        (false, self.read_message(author, &message, now))
                    }
                    Err(Fault::Void) => (true, None),
                    Err(Fault::Broken) => self.unreadable(author),
                },
                thread::Content::Void => (true, None),
                thread::Content::Gone => {
                    self.events.push_back(GroupEvent::Missing { author });
                    (false, None)
                }
            };
            if !is_void {
                self.erase_keys.keep(key, id, self.latest_day(now), slots);
            }
            if let Some(stream) = self.streams.get_mut(index) {
                stream.advance(is_void, shown);
            }
        }
    }

    /// An own message stands.
    pub(super) fn count_own(&mut self, id: MessageId) {
        let clock = self.shown.stored(self.own_key(), id);
        self.events.push_back(GroupEvent::Stored { id, clock });
    }

    /// A message decides nothing: that this member alone can't read it stops nobody.
    fn unreadable(&mut self, author: Author) -> (bool, Option<MessageId>) {
        self.events.push_back(GroupEvent::Missing { author });
        (false, None)
    }

    fn read_message(&mut self, author: Author, message: &[u8], now: Now) -> Option<MessageId> {
        let id = MessageId::of(&author.key, message);
        // A valid MLS message of an unknown form is no void: a later version may know it.
        let message: Message = cbor::decode(message).ok()?;
        let day = self.latest_day(now);
        self.arrived.insert(author.key);
        match &message.content {
            Content::Leave(statement) | Content::Statement(statement) => {
                self.learn(statement.clone(), now)
            }
            Content::Text(_)
            | Content::Proposal(_)
            | Content::Refusal { .. }
            | Content::File(_)
            | Content::Fingerprint(_)
            | Content::Closing
            | Content::Desk(_)
            | Content::Circle(_)
            | Content::Summary { .. }
            | Content::ShiftEnds { .. } => {}
        }
        // A double of what stands already stands nowhere else: behind the stream's end it takes nothing back.
        let event = self.shown.show(author, id, message, day)?;
        self.events.push_back(event);
        Some(id)
    }

    pub(super) fn author(&self, leaf: u32) -> Option<Author> {
        let leaf = self.leaf(leaf)?;
        Some(Author {
            leaf: leaf.index,
            key: leaf.key,
            identity: leaf.identity.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{
        credential::{Identity, PersonCredential, PersonLeaf},
        keys::SecretKey,
    };

    use super::*;

    fn author() -> Author {
        let (person, leaf) = (
            SecretKey::from_bytes([1; 32]),
            SecretKey::from_bytes([2; 32]),
        );
        let credential = PersonCredential::sign(&person, 1, PersonLeaf::Device, &leaf.public());
        Author {
            leaf: 1,
            key: leaf.public(),
            identity: Identity::Person(credential),
        }
    }

    fn message(id: u8, clock: u64) -> Message {
        Message {
            id: MessageId::from_bytes([id; 16]),
            clock,
            content: Content::Text("hola".to_owned()),
        }
    }

    fn id(message: &Message) -> MessageId {
        MessageId::of(&author().key, &cbor::encode(message))
    }

    fn show(shown: &mut Shown, message: Message) -> Option<GroupEvent> {
        shown.show(author(), id(&message), message, 0)
    }

    ///
    #[test]
    fn a_clock_far_ahead_counts_as_the_furthest_that_is_believed() {
        let mut shown = Shown::default();
        let Some(GroupEvent::Message { clock, .. }) = show(&mut shown, message(1, u64::MAX)) else {
            panic!("not shown");
        };
        assert_eq!(clock, LAMPORT_AHEAD_MAX);
        let Some(GroupEvent::Message { clock, .. }) = show(&mut shown, message(2, 7)) else {
            panic!("not shown");
        };
        assert_eq!(
            clock,
            LAMPORT_AHEAD_MAX + 1,
            "behind what its author said before"
        );
        let (_, own) = shown
            .own_message(
                MessageId::from_bytes([3; 16]),
                Content::Text(String::new()),
                author().key,
                0,
            )
            .unwrap();
        let own: Message = cbor::decode(&own).unwrap();
        assert_eq!(own.clock, LAMPORT_AHEAD_MAX + 2);
    }

    ///
    #[test]
    fn what_is_dated_back_stands_behind_what_stood_when_its_epoch_began() {
        let mut shown = Shown::default();
        let clock = |event: Option<GroupEvent>| match event {
            Some(GroupEvent::Message { clock, .. }) => clock,
            _ => panic!("not shown"),
        };
        assert_eq!(clock(show(&mut shown, message(1, 200))), 200);
        show(&mut shown, message(2, 300));
        // What a cut left out stands nowhere yet, and neither does what is to be sent again.
        shown.end(id(&message(2, 300)), false);
        show(&mut shown, message(3, 400));
        shown.new_epoch(|waits| *waits == id(&message(3, 400)));
        assert_eq!(clock(show(&mut shown, message(4, 1))), 201);
        assert_eq!(clock(show(&mut shown, message(5, 1))), 202);
        assert_eq!(clock(show(&mut shown, message(6, 203))), 203);
    }

    ///
    #[test]
    fn what_is_said_again_in_a_later_epoch_counts_alike_for_its_author_and_for_all_who_read_it() {
        let text = Content::Text(String::new());
        let salt = MessageId::from_bytes([3; 16]);
        let mut own = Shown::default();
        let (name, said) = own.own_message(salt, text, author().key, 0).unwrap();
        let said: Message = cbor::decode(&said).unwrap();
        // Others spoke meanwhile; some saw what a cut left out, and some did not.
        let mut others = [Shown::default(), Shown::default()];
        others[0].show(author(), name, said.clone(), 0);
        others[0].end(name, false);
        let mut speaker = author();
        speaker.key = SecretKey::from_bytes([9; 32]).public();
        for shown in others.iter_mut().chain([&mut own]) {
            for number in 1..4 {
                let message = message(number, u64::from(number));
                shown.show(speaker.clone(), id(&message), message, 0);
            }
            shown.new_epoch(|waits| *waits == name);
        }
        let counted = own.stored(author().key, name);
        assert_eq!(counted, 4);
        for mut shown in others {
            let event = shown.show(author(), name, said.clone(), 0);
            let Some(GroupEvent::Message { clock, .. } | GroupEvent::Confirmed { clock, .. }) =
                event
            else {
                panic!("not shown");
            };
            assert_eq!(clock, counted);
        }
    }

    ///
    #[test]
    fn a_double_is_shown_once_and_confirms_what_a_cut_left_out() {
        let mut shown = Shown::default();
        let is_message =
            |event: Option<GroupEvent>| matches!(event, Some(GroupEvent::Message { .. }));
        assert!(is_message(show(&mut shown, message(1, 1))));
        assert_eq!(show(&mut shown, message(1, 1)), None);
        let id = id(&message(1, 1));
        shown.end(id, false);
        shown.new_epoch(|_| false);
        let again = show(&mut shown, message(1, 1));
        assert_eq!(again, Some(GroupEvent::Confirmed { id, clock: 1 }));
    }

    ///
    #[test]
    fn two_texts_never_pass_for_one_whatever_their_authors_call_them() {
        let mut shown = Shown::default();
        let mut other = message(1, 1);
        other.content = Content::Text("adios".to_owned());
        assert_ne!(id(&message(1, 1)), id(&other));
        assert!(show(&mut shown, message(1, 1)).is_some());
        assert!(matches!(
            show(&mut shown, other),
            Some(GroupEvent::Message { .. })
        ));
        let bytes = cbor::encode(&message(1, 1));
        let somebody_else = SecretKey::from_bytes([9; 32]).public();
        assert_ne!(
            MessageId::of(&author().key, &bytes),
            MessageId::of(&somebody_else, &bytes)
        );
    }
}
