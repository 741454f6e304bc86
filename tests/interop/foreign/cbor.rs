//! CBOR in its one form.

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Uint(u64),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    Bool(bool),
    Null,
}

const NESTING_MAX: usize = 16;

pub(crate) fn bytes(bytes: impl AsRef<[u8]>) -> Item {
    Item::Bytes(bytes.as_ref().to_vec())
}

pub(crate) fn text(text: &str) -> Item {
    Item::Text(text.to_owned())
}

pub(crate) fn uint(number: impl Into<u64>) -> Item {
    Item::Uint(number.into())
}

pub(crate) fn map<const N: usize>(fields: [(&str, Item); N]) -> Item {
    Item::Map(
        fields
            .into_iter()
            .map(|(name, item)| (name.to_owned(), item))
            .collect(),
    )
}

impl Item {
    /// Decodes what is in the accepted form, and nothing behind it.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let item = take(&mut rest, 0)?;
        rest.is_empty().then_some(item)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// A struct's fields: these, in this order, and no others.
    pub(crate) fn fields<const N: usize>(&self, names: [&str; N]) -> Option<[&Self; N]> {
        let Self::Map(map) = self else { return None };
        let same = map.len() == N
            && map
                .iter()
                .zip(names)
                .all(|((name, _), expected)| name == expected);
        let fields: Vec<&Self> = map.iter().map(|(_, item)| item).collect();
        same.then(|| fields.try_into().ok()).flatten()
    }

    /// Name and value of a choice that has one.
    pub(crate) fn choice(&self) -> Option<(&str, &Self)> {
        match self {
            Self::Map(map) => match map.as_slice() {
                [(name, value)] => Some((name, value)),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.bytes()?.try_into().ok()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn uint<T: TryFrom<u64>>(&self) -> Option<T> {
        match self {
            Self::Uint(number) => T::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// Diagnostic notation.
    pub(crate) fn diagnostic(&self) -> String {
        match self {
            Self::Uint(number) => number.to_string(),
            Self::Bytes(bytes) => format!("h'{}'", data_encoding::HEXLOWER.encode(bytes)),
            Self::Text(text) => format!("{text:?}"),
            Self::List(list) => {
                let items: Vec<_> = list.iter().map(Self::diagnostic).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(map) => {
                let items: Vec<_> = map
                    .iter()
                    .map(|(name, item)| format!("{name:?}: {}", item.diagnostic()))
                    .collect();
                format!("{{{}}}", items.join(", "))
            }
            Self::Bool(bool) => bool.to_string(),
            Self::Null => "null".to_owned(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Uint(number) => head(out, 0, *number),
            Self::Bytes(bytes) => {
                head(out, 2, bytes.len() as u64);
                out.extend(bytes);
            }
            Self::Text(text) => {
                head(out, 3, text.len() as u64);
                out.extend(text.as_bytes());
            }
            Self::List(list) => {
                head(out, 4, list.len() as u64);
                list.iter().for_each(|item| item.write(out));
            }
            Self::Map(map) => {
                head(out, 5, map.len() as u64);
                for (name, item) in map {
                    Self::Text(name.clone()).write(out);
                    item.write(out);
                }
            }
            Self::Bool(bool) => out.push(0xf4 + u8::from(*bool)),
            Self::Null => out.push(0xf6),
        }
    }
}

fn head(out: &mut Vec<u8>, major: u8, number: u64) {
    let bytes = number.to_be_bytes();
    let (short, tail): (u8, &[u8]) = match number {
        0..24 => (bytes[7], &[]),
        24..0x100 => (24, &bytes[7..]),
        0x100..0x1_0000 => (25, &bytes[6..]),
        0x1_0000..0x1_0000_0000 => (26, &bytes[4..]),
        _ => (27, &bytes),
    };
    out.push(major << 5 | short);
    out.extend(tail);
}

fn take(rest: &mut &[u8], depth: usize) -> Option<Item> {
    let first = *rest.split_off_first()?;
    if depth > NESTING_MAX {
        return None;
    }
    let (major, short) = (first >> 5, first & 31);
    if major == 7 {
        return match short {
            20 => Some(Item::Bool(false)),
            21 => Some(Item::Bool(true)),
            22 => Some(Item::Null),
            _ => None,
        };
    }
    let number = take_number(rest, short)?;
    let length = usize::try_from(number).ok()?;
    match major {
        0 => Some(Item::Uint(number)),
        2 => Some(Item::Bytes(rest.split_off(..length)?.to_vec())),
        3 => Some(Item::Text(
            String::from_utf8(rest.split_off(..length)?.to_vec()).ok()?,
        )),
        4 => (0..length)
            .map(|_| take(rest, depth + 1))
            .collect::<Option<_>>()
            .map(Item::List),
        5 => (0..length)
            .map(|_| match take(rest, depth + 1)? {
                Item::Text(name) => Some((name, take(rest, depth + 1)?)),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(Item::Map),
        _ => None,
    }
}

/// A number in its shortest form.
fn take_number(rest: &mut &[u8], short: u8) -> Option<u64> {
    let (bytes, least) = match short {
        0..24 => return Some(u64::from(short)),
        24 => (1, 24),
        25 => (2, 0x100),
        26 => (4, 0x1_0000),
        27 => (8, 0x1_0000_0000),
        _ => return None,
    };
    let tail = rest.split_off(..bytes)?;
    let number = tail
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    (number >= least).then_some(number)
}
