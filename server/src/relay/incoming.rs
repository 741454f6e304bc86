//! The message that is arriving on a connection, seen from below the WebSocket: only the frames' heads
//! are read. It must be whole in time, whatever comes between its parts. [L-5]

use std::time::{Duration, Instant};

use cobijo_protocol::limits::{
    DEAD_AFTER, FRAME_BYTES_MAX, FRAME_UNIT_BYTES, MESSAGE_TIMEOUT, MESSAGE_UNIT_TIMEOUT,
};

/// Bytes above which a message is large: a few operations are not.
pub(crate) const LARGE_MESSAGE_BYTES: usize = 4 * FRAME_UNIT_BYTES;
/// A frame ends its message.
const LAST: u8 = 0x80;
/// A frame is no part of a message, and may come between such parts.
const CONTROL: u8 = 0x08;
/// A frame is masked, as all of a client's are.
const MASKED: u8 = 0x80;

/// A message is longer than the longest frame of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message above the largest frame")]
pub(crate) struct TooLarge;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    head: Vec<u8>,
    /// Bytes that the present frame still has to bring.
    rest: usize,
    /// Whether frames of the present message are to follow the present one.
    continues: bool,
    is_control: bool,
    message: Option<Message>,
    whole: u64,
}

/// A message that has begun.
#[derive(Debug)]
struct Message {
    begun: Instant,
    /// When it last grew by a unit.
    grown: Instant,
    /// Time in which nobody read.
    paused: Duration,
    announced: usize,
    arrived: usize,
}

impl Incoming {
    /// Takes the bytes that were just read.
    pub(crate) fn handle_bytes(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), TooLarge> {
        while let Some((&byte, after)) = bytes.split_first() {
            let message = self.message.get_or_insert_with(|| Message::new(now));
            if self.rest > 0 {
                let count = self.rest.min(bytes.len());
                self.rest -= count;
                message.grow(count, now);
                bytes = bytes.get(count..).unwrap_or_default();
            } else {
                bytes = after;
                self.head.push(byte);
                let Some(length) = length(&self.head) else {
                    continue;
                };
                self.begin_frame(length)?;
            }
            if self.rest == 0 {
                self.end_frame();
            }
        }
        Ok(())
    }

    /// Nobody read for a while.
    pub(crate) fn handle_pause(&mut self, pause: Duration) {
        if let Some(message) = &mut self.message {
            let pause = pause.min(DEAD_AFTER - message.paused);
            message.paused += pause;
            message.begun += pause;
            message.grown += pause;
        }
    }

    /// When what has begun must be whole, or have grown by a unit. The more of it came, the more time it
    /// has in all.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let message = self.message.as_ref()?;
        let in_all = message.begun + MESSAGE_UNIT_TIMEOUT * message.units();
        Some(in_all.min(message.grown) + MESSAGE_TIMEOUT)
    }

    /// Whether what has begun is a large message.
    pub(crate) fn is_large(&self) -> bool {
        let announced = self.message.as_ref().map(|message| message.announced);
        announced.is_some_and(|announced| announced > LARGE_MESSAGE_BYTES)
    }

    /// How many messages, control frames among them, came whole, if nothing of another one has come.
    pub(crate) fn whole(&self) -> Option<u64> {
        self.message.is_none().then_some(self.whole)
    }

    fn begin_frame(&mut self, length: u64) -> Result<(), TooLarge> {
        let first = self.head.first().copied().unwrap_or_default();
        self.head.clear();
        self.rest = usize::try_from(length).map_err(|_| TooLarge)?;
        self.is_control = first & CONTROL != 0;
        if self.is_control {
            return Ok(());
        }
        self.continues = first & LAST == 0;
        let Some(message) = &mut self.message else {
            return Ok(());
        };
        message.announced = message.announced.saturating_add(self.rest);
        if message.announced > FRAME_BYTES_MAX {
            return Err(TooLarge);
        }
        Ok(())
    }

    fn end_frame(&mut self) {
        if self.is_control || !self.continues {
            self.whole += 1;
        }
        if !self.continues {
            self.message = None;
        }
    }
}

impl Message {
    fn new(begun: Instant) -> Self {
        Self {
            begun,
            grown: begun,
            paused: Duration::ZERO,
            announced: 0,
            arrived: 0,
        }
    }

    fn grow(&mut self, count: usize, now: Instant) {
        let before = self.units();
        self.arrived += count;
        if self.units() > before {
            self.grown = now;
        }
    }

    fn units(&self) -> u32 {
        u32::try_from(self.arrived / FRAME_UNIT_BYTES).unwrap_or(u32::MAX)
    }
}

/// The payload's length, if the head is whole.
fn length(head: &[u8]) -> Option<u64> {
    let [_, second, rest @ ..] = head else {
        return None;
    };
    let mask = if second & MASKED != 0 { 4 } else { 0 };
    let extended = match second & !MASKED {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if rest.len() < extended + mask {
        return None;
    }
    if extended == 0 {
        return Some(u64::from(second & !MASKED));
    }
    let big_endian = rest.iter().take(extended);
    Some(big_endian.fold(0, |length, byte| length << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match u16::try_from(length) {
            Ok(short @ ..126) => frame.push(MASKED | short.to_le_bytes()[0]),
            Ok(middle) => {
                frame.push(MASKED | 126);
                frame.extend(middle.to_be_bytes());
            }
            Err(_) => {
                frame.push(MASKED | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.resize(frame.len() + length, 7);
        frame
    }

    const BINARY: u8 = LAST | 2;
    const FIRST_PART: u8 = 2;
    const LAST_PART: u8 = LAST;
    const PING: u8 = LAST | 9;

    /// [L-5]
    #[test]
    fn what_comes_between_the_parts_of_a_message_gives_it_no_more_time() {
        let start = Instant::now();
        let mut incoming = Incoming::default();
        incoming
            .handle_bytes(&frame(FIRST_PART, 100), start)
            .unwrap();
        let due = Some(start + MESSAGE_TIMEOUT);
        for second in 1..9 {
            let now = start + second * SECOND;
            incoming.handle_bytes(&frame(PING, 9), now).unwrap();
            incoming.handle_bytes(&frame(0, 1), now).unwrap();
            assert_eq!(incoming.poll_timeout(), due);
        }
        incoming.handle_bytes(&frame(LAST_PART, 0), start).unwrap();
        assert_eq!(incoming.poll_timeout(), None);
        assert_eq!(incoming.whole(), Some(9));
    }

    /// [L-5]
    #[test]
    fn a_slow_network_that_goes_on_gets_its_largest_frame_through() {
        let mut now = Instant::now();
        let mut incoming = Incoming::default();
        for part in frame(BINARY, FRAME_BYTES_MAX).chunks(FRAME_UNIT_BYTES) {
            assert!(incoming.poll_timeout().is_none_or(|due| now < due));
            incoming.handle_bytes(part, now).unwrap();
            now += MESSAGE_UNIT_TIMEOUT;
        }
        assert_eq!(incoming.whole(), Some(1));
    }

    /// [L-5]
    #[test]
    fn whoever_stops_has_no_more_time_for_what_she_sent_and_whoever_trickles_little() {
        let start = Instant::now();
        let mut incoming = Incoming::default();
        let most = &frame(BINARY, FRAME_BYTES_MAX)[..FRAME_BYTES_MAX];
        incoming.handle_bytes(most, start).unwrap();
        assert_eq!(incoming.poll_timeout(), Some(start + MESSAGE_TIMEOUT));

        let mut incoming = Incoming::default();
        let mut now = start;
        for part in most.chunks(FRAME_UNIT_BYTES) {
            incoming.handle_bytes(part, now).unwrap();
            now += MESSAGE_UNIT_TIMEOUT * 2;
            if incoming.poll_timeout().is_some_and(|due| now >= due) {
                break;
            }
        }
        assert!(now - start <= MESSAGE_TIMEOUT * 2);
    }

    /// [L-5]
    #[test]
    fn time_in_which_nobody_reads_is_given_back_up_to_a_limit() {
        let start = Instant::now();
        let mut incoming = Incoming::default();
        incoming.handle_pause(SECOND);
        incoming
            .handle_bytes(&frame(BINARY, 9)[..3], start)
            .unwrap();
        incoming.handle_pause(SECOND);
        let due = start + MESSAGE_TIMEOUT;
        assert_eq!(incoming.poll_timeout(), Some(due + SECOND));
        incoming.handle_pause(DEAD_AFTER);
        assert_eq!(incoming.poll_timeout(), Some(due + DEAD_AFTER));
    }

    #[test]
    fn it_is_all_one_where_reads_cut_the_bytes() {
        let frames = [
            frame(BINARY, 0),
            frame(FIRST_PART, 125),
            frame(PING, 0),
            frame(0, 126),
            frame(LAST_PART, LARGE_MESSAGE_BYTES - 251),
            frame(PING, 125),
            frame(BINARY, 70_000),
        ];
        let bytes = frames.concat();
        let now = Instant::now();
        for size in [1, 2, 3, 7, 4096, bytes.len()] {
            let mut incoming = Incoming::default();
            for part in bytes.chunks(size) {
                assert!(incoming.whole() < Some(5));
                incoming.handle_bytes(part, now).unwrap();
            }
            assert_eq!(incoming.whole(), Some(5));
        }
    }

    #[test]
    fn a_message_is_large_by_what_it_announces_over_all_its_parts() {
        let now = Instant::now();
        let mut incoming = Incoming::default();
        let whole = frame(BINARY, LARGE_MESSAGE_BYTES);
        incoming.handle_bytes(&whole[..20], now).unwrap();
        assert!(!incoming.is_large());
        incoming.handle_bytes(&whole[20..], now).unwrap();
        incoming
            .handle_bytes(&frame(FIRST_PART, LARGE_MESSAGE_BYTES), now)
            .unwrap();
        assert!(!incoming.is_large());
        incoming.handle_bytes(&frame(0, 1)[..6], now).unwrap();
        assert!(incoming.is_large());
    }

    #[test]
    fn no_message_is_above_the_largest_frame_however_it_is_cut() {
        let now = Instant::now();
        for frames in [
            frame(BINARY, FRAME_BYTES_MAX + 1),
            [frame(FIRST_PART, FRAME_BYTES_MAX), frame(0, 1)].concat(),
            vec![
                BINARY,
                MASKED | 127,
                255,
                255,
                255,
                255,
                255,
                255,
                255,
                255,
                0,
                0,
                0,
                0,
            ],
        ] {
            let mut incoming = Incoming::default();
            assert_eq!(incoming.handle_bytes(&frames, now), Err(TooLarge));
        }
    }
}
