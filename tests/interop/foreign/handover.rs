//! What members of a desk tell each other of people.

use super::{cbor::Item, slot::hash};

/// Indices of the two words that a desk calls a person's conversation by.
pub(crate) fn alias(person: &[u8; 32]) -> [u16; 2] {
    let digest = hash(&[b"cobijo/1 alias", person]);
    let bits = u32::from_be_bytes([digest[0], digest[1], digest[2], 0]) >> 10;
    let word = |bits: u32| u16::try_from(bits & 0x7ff).unwrap();
    [word(bits >> 11), word(bits)]
}

/// HPKE info of a word from `author` to `to`.
pub(crate) fn word_seal_info(desk: &[u8; 16], author: &[u8], to: &[u8]) -> Vec<u8> {
    [b"cobijo/1 word seal".as_slice(), desk, author, to].concat()
}

pub(super) fn read(content: &Item) -> Option<()> {
    match content.choice()? {
        ("board", value) => row(value),
        ("notes", value) => notes(value),
        ("over", value) => {
            let [person, how] = value.fields(["person", "how"])?;
            person.array::<32>()?;
            let hows = [
                "left",
                "erased",
                "agreed",
                "stopped-coming",
                "referred",
                "not-our-scope",
                "abuse",
            ];
            hows.contains(&how.text()?).then_some(())
        }
        ("help", value) => value.array::<32>().map(drop),
        ("coming", value) => value.array::<16>().map(drop),
        ("unclaimed", value) => {
            let [r, minutes] = value.fields(["r", "minutes"])?;
            r.array::<32>()?;
            minutes.uint::<u32>().map(drop)
        }
        ("word", value) => {
            let [to, sealed] = value.fields(["to", "sealed"])?;
            to.array::<32>()?;
            sealed.bytes().map(drop)
        }
        ("block", value) => {
            let [person, blocked] = value.fields(["person", "blocked"])?;
            person.array::<32>()?;
            blocked.bool().map(drop)
        }
        _ => None,
    }
}

pub(super) fn told(item: &Item, read: impl Fn(&Item) -> Option<()>) -> Option<()> {
    let [id, day, what] = item.fields(["id", "day", "what"])?;
    id.array::<16>()?;
    day.uint::<u32>()?;
    read(what)
}

pub(super) fn row(item: &Item) -> Option<()> {
    let [person, version, state, next_step, safety] =
        item.fields(["person", "version", "state", "next_step", "safety"])?;
    person.array::<32>()?;
    version.uint::<u64>()?;
    texts(&[state, next_step, safety])
}

pub(super) fn notes(item: &Item) -> Option<()> {
    let names = [
        "person",
        "version",
        "needs",
        "agreements",
        "risks",
        "referrals",
        "next_step",
    ];
    let [person, version, lines @ ..] = item.fields(names)?;
    person.array::<32>()?;
    version.uint::<u64>()?;
    texts(&lines)
}

fn texts(items: &[&Item]) -> Option<()> {
    items.iter().map(|item| item.text().map(drop)).collect()
}
