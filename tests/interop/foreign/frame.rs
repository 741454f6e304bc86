//! Frames: what is said to the relay and what it says.

const UNIT: usize = 4352;
const UNITS_MAX: usize = 64;
const ITEMS_MAX: usize = 64;
const ADDRESSES_MAX: usize = 256;

type Key = [u8; 32];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    Hello(u16),
    Put { key: Key, mark: Key, cell: Vec<u8> },
    Watch(Vec<Key>),
    Unwatch(Vec<Key>),
    Erase { key: Key, erase: Key },
    Drop { mailbox: Key, cell: Vec<u8> },
    Open { mailbox: Key, signature: [u8; 64] },
    Remove { mailbox: Key, item: [u8; 16] },
    Cover(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Hello {
        nonce: Key,
        retention: u16,
        day: u32,
        credits: u32,
    },
    Stored,
    Taken,
    NoCredit,
    Skipped,
    Watching(Vec<State>),
    Done,
    Full,
    Unknown,
    Denied,
    TooMany,
    Busy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Empty,
    Full,
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FromRelay {
    Answer(Vec<Outcome>),
    Cell {
        address: Key,
        cell: Vec<u8>,
    },
    Gone(Key),
    Item {
        mailbox: Key,
        item: [u8; 16],
        cell: Vec<u8>,
    },
    Closing(u8),
}

/// length ‖ content ‖ zeros
pub(crate) fn frame(content: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(content);
    frame.resize(frame.len().next_multiple_of(UNIT), 0);
    assert!(frame.len() <= UNIT * UNITS_MAX);
    frame
}

pub(crate) fn content(frame: &[u8]) -> Option<&[u8]> {
    let (length, rest) = frame.split_first_chunk()?;
    let length: usize = u32::from_be_bytes(*length).try_into().ok()?;
    let (content, zeros) = rest.split_at_checked(length)?;
    let fits =
        frame.len() == (length + 4).next_multiple_of(UNIT) && frame.len() <= UNIT * UNITS_MAX;
    (fits && zeros.iter().all(|byte| *byte == 0)).then_some(content)
}

pub(crate) fn encode_operations(operations: &[Operation]) -> Vec<u8> {
    let mut out = Writer::default();
    out.list(operations, |out, operation| out.operation(operation));
    out.0
}

/// A client never reads operations; the vectors of them are read, and written again.
pub(crate) fn decode_operations(content: &[u8]) -> Option<Vec<Operation>> {
    let mut rest = Reader(content);
    let operations = rest.list(ITEMS_MAX, Reader::operation)?;
    (rest.0.is_empty() && encode_operations(&operations) == content).then_some(operations)
}

pub(crate) fn encode_from_relay(message: &FromRelay) -> Vec<u8> {
    let mut out = Writer::default();
    out.message(message);
    out.0
}

pub(crate) fn decode_from_relay(content: &[u8]) -> Option<FromRelay> {
    let mut rest = Reader(content);
    let message = rest.message()?;
    (rest.0.is_empty() && encode_from_relay(&message) == content).then_some(message)
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: impl Into<u64>) {
        let mut number = number.into();
        while number >= 128 {
            self.0.push((number & 127) as u8 | 128);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }

    fn choice(&mut self, variant: u8, fields: &[&[u8]]) {
        self.number(variant);
        fields.iter().for_each(|field| self.bytes(field));
    }

    fn addresses(&mut self, variant: u8, addresses: &[Key]) {
        self.number(variant);
        self.list(addresses, |out, address| out.bytes(address));
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Hello(version) => {
                self.number(0u8);
                self.number(*version);
            }
            Operation::Put { key, mark, cell } => self.choice(1, &[key, mark, cell]),
            Operation::Watch(addresses) => self.addresses(2, addresses),
            Operation::Unwatch(addresses) => self.addresses(3, addresses),
            Operation::Erase { key, erase } => self.choice(4, &[key, erase]),
            Operation::Drop { mailbox, cell } => self.choice(5, &[mailbox, cell]),
            Operation::Open { mailbox, signature } => self.choice(6, &[mailbox, signature]),
            Operation::Remove { mailbox, item } => self.choice(7, &[mailbox, item]),
            Operation::Cover(cell) => self.choice(8, &[cell]),
        }
    }

    fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Hello {
                nonce,
                retention,
                day,
                credits,
            } => {
                self.choice(0, &[nonce]);
                self.number(*retention);
                self.number(*day);
                self.number(*credits);
            }
            Outcome::Stored => self.number(1u8),
            Outcome::Taken => self.number(2u8),
            Outcome::NoCredit => self.number(3u8),
            Outcome::Skipped => self.number(4u8),
            Outcome::Watching(states) => {
                self.number(5u8);
                self.list(states, |out, state| out.number(*state as u8));
            }
            Outcome::Done => self.number(6u8),
            Outcome::Full => self.number(7u8),
            Outcome::Unknown => self.number(8u8),
            Outcome::Denied => self.number(9u8),
            Outcome::TooMany => self.number(10u8),
            Outcome::Busy => self.number(11u8),
        }
    }

    fn message(&mut self, message: &FromRelay) {
        match message {
            FromRelay::Answer(outcomes) => {
                self.number(0u8);
                self.list(outcomes, |out, outcome| out.outcome(outcome));
            }
            FromRelay::Cell { address, cell } => self.choice(1, &[address, cell]),
            FromRelay::Gone(address) => self.choice(2, &[address]),
            FromRelay::Item {
                mailbox,
                item,
                cell,
            } => self.choice(3, &[mailbox, item, cell]),
            FromRelay::Closing(why) => {
                self.number(4u8);
                self.number(*why);
            }
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number<T: TryFrom<u64>>(&mut self) -> Option<T> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.0.split_off_first()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return T::try_from(number).ok();
            }
        }
        None
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let length: usize = self.number()?;
        self.0.split_off(..length)?.try_into().ok()
    }

    fn cell(&mut self) -> Option<Vec<u8>> {
        self.array::<4096>().map(Vec::from)
    }

    fn list<T>(
        &mut self,
        max: usize,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count: usize = self.number()?;
        if !(1..=max).contains(&count) {
            return None;
        }
        (0..count).map(|_| read(self)).collect()
    }

    fn addresses(&mut self) -> Option<Vec<Key>> {
        self.list(ADDRESSES_MAX, Self::array)
    }

    fn operation(&mut self) -> Option<Operation> {
        Some(match self.number::<u8>()? {
            0 => Operation::Hello(self.number()?),
            1 => Operation::Put {
                key: self.array()?,
                mark: self.array()?,
                cell: self.cell()?,
            },
            2 => Operation::Watch(self.addresses()?),
            3 => Operation::Unwatch(self.addresses()?),
            4 => Operation::Erase {
                key: self.array()?,
                erase: self.array()?,
            },
            5 => Operation::Drop {
                mailbox: self.array()?,
                cell: self.cell()?,
            },
            6 => Operation::Open {
                mailbox: self.array()?,
                signature: self.array()?,
            },
            7 => Operation::Remove {
                mailbox: self.array()?,
                item: self.array()?,
            },
            8 => Operation::Cover(self.cell()?),
            _ => return None,
        })
    }

    fn outcome(&mut self) -> Option<Outcome> {
        Some(match self.number::<u8>()? {
            0 => Outcome::Hello {
                nonce: self.array()?,
                retention: self.number()?,
                day: self.number()?,
                credits: self.number()?,
            },
            1 => Outcome::Stored,
            2 => Outcome::Taken,
            3 => Outcome::NoCredit,
            4 => Outcome::Skipped,
            5 => {
                Outcome::Watching(self.list(ADDRESSES_MAX, |rest| match rest.number::<u8>()? {
                    0 => Some(State::Empty),
                    1 => Some(State::Full),
                    2 => Some(State::Gone),
                    _ => None,
                })?)
            }
            6 => Outcome::Done,
            7 => Outcome::Full,
            8 => Outcome::Unknown,
            9 => Outcome::Denied,
            10 => Outcome::TooMany,
            11 => Outcome::Busy,
            _ => return None,
        })
    }

    fn message(&mut self) -> Option<FromRelay> {
        Some(match self.number::<u8>()? {
            0 => FromRelay::Answer(self.list(ITEMS_MAX, Self::outcome)?),
            1 => FromRelay::Cell {
                address: self.array()?,
                cell: self.cell()?,
            },
            2 => FromRelay::Gone(self.array()?),
            3 => FromRelay::Item {
                mailbox: self.array()?,
                item: self.array()?,
                cell: self.cell()?,
            },
            4 => FromRelay::Closing(self.number::<u8>().filter(|why| *why <= 4)?),
            _ => return None,
        })
    }
}
