//! The forms of what a message may say.

use super::{
    cbor::Item, desk::attested, group::Statement, handover, signature::PublicKey, slot::hash,
};

/// The name of a message.
pub(crate) fn name(author: &PublicKey, plaintext: &[u8]) -> [u8; 16] {
    hash(&[b"cobijo/1 message", author, plaintext])[..16]
        .try_into()
        .unwrap()
}

pub(crate) fn desk_key_seal_info(desk: &[u8; 16]) -> Vec<u8> {
    [b"cobijo/1 desk key seal".as_slice(), desk].concat()
}

/// Whether a content has one of the known forms.
pub(crate) fn is_known(content: &Item, root: &PublicKey) -> bool {
    read(content, root).is_some()
}

fn read(content: &Item, root: &PublicKey) -> Option<()> {
    if content.text() == Some("closing") {
        return Some(());
    }
    match content.choice()? {
        ("text", value) => value.text().map(drop),
        ("proposal", value) => proposal(value, root),
        ("summary", value) => {
            let [version, text] = value.fields(["version", "text"])?;
            version.uint::<u32>().and(text.text()).map(drop)
        }
        ("shift-ends", value) => {
            let [at, back, next] = value.fields(["at", "back", "next"])?;
            at.uint::<u32>()?;
            let minute = |item: &Item| item.uint::<u32>().map(drop);
            optional(back, minute)?;
            optional(next, |item| proposal(item, root))
        }
        ("refusal", value) => value.fields(["proposal"])?[0].array::<16>().map(drop),
        ("leave" | "statement", value) => Statement::read(value, root).map(drop),
        ("file", value) => file(value),
        ("fingerprint", value) => {
            let [kind, size, hash, taken, label] =
                value.fields(["kind", "size", "sha256", "taken", "label"])?;
            facts(kind, hash, taken, label)?;
            size.uint::<u64>().map(drop)
        }
        ("desk", value) => desk(value, root),
        ("circle", value) => super::circle::read(value, root),
        _ => None,
    }
}

/// Most bytes of a file, and of its label. [F-1]
const FILE_BYTES_MAX: u64 = 4096 * 4053;
const LABEL_BYTES_MAX: usize = 200;

fn file(value: &Item) -> Option<()> {
    let names = [
        "way", "kind", "sha256", "original", "taken", "label", "bodies",
    ];
    let [way, kind, hash, original, taken, label, bodies] = value.fields(names)?;
    facts(kind, hash, taken, label)?;
    if way.text() != Some("keep") {
        let ("show", show) = way.choice()? else {
            return None;
        };
        show.fields(["until"])?[0].uint::<u64>()?;
    }
    if !matches!(original, Item::Null) {
        original.array::<32>()?;
    }
    let [size, secret] = bodies.fields(["size", "secret"])?;
    secret.array::<32>()?;
    (1..=FILE_BYTES_MAX)
        .contains(&size.uint::<u64>()?)
        .then_some(())
}

fn facts(kind: &Item, hash: &Item, taken: &Item, label: &Item) -> Option<()> {
    hash.array::<32>().and(taken.uint::<u64>())?;
    if !matches!(label, Item::Null) {
        let label = label.text()?;
        (1..=LABEL_BYTES_MAX).contains(&label.len()).then_some(())?;
    }
    matches!(kind.text()?, "jpeg" | "png" | "webp" | "other").then_some(())
}

fn proposal(value: &Item, root: &PublicKey) -> Option<()> {
    let [member, purpose, reason, reads, package] =
        value.fields(["member", "purpose", "reason", "reads", "key_package"])?;
    attested(member, root)?;
    reason.text().and(package.bytes())?;
    let purposes = ["accompany", "buddy", "hand-over", "specialist", "supervise"];
    let is_known = purposes.contains(&purpose.text()?);
    (is_known && matches!(reads.text()?, "from-now" | "summary")).then_some(())
}

fn optional(item: &Item, read: impl Fn(&Item) -> Option<()>) -> Option<()> {
    if matches!(item, Item::Null) {
        Some(())
    } else {
        read(item)
    }
}

fn desk(content: &Item, root: &PublicKey) -> Option<()> {
    match content.choice()? {
        ("intake-key" | "told-again", value) => intake_key(value),
        ("claim", value) => claim(value),
        ("key-packages", value) => each(value, |package| package.bytes().map(drop)),
        ("seal-key", value) => (value.bytes()?.len() == 1216).then_some(()),
        ("desk-key", value) => {
            let [to, desk_key, sealed] = value.fields(["to", "desk_key", "sealed"])?;
            super::desk::desk_key(desk_key, root)?;
            to.array::<32>()?;
            sealed.bytes().map(drop)
        }
        ("attested", value) => each(value, |item| attested(item, root).map(drop)),
        ("card", value) => {
            let [version, card] = value.fields(["version", "card"])?;
            let version = version.fields(["desk_serial", "version", "day"])?;
            version
                .iter()
                .map(|part| part.uint::<u32>().map(drop))
                .collect::<Option<()>>()?;
            card.bytes().map(drop)
        }
        ("snapshot", value) => {
            let names = ["part", "parts", "intake_keys", "claims", "pool"];
            let more = ["seal_keys", "board", "notes", "blocked"];
            let [
                part,
                parts,
                keys,
                claims,
                pool,
                seal_keys,
                board,
                notes,
                blocked,
            ] = value.fields([
                names[0], names[1], names[2], names[3], names[4], more[0], more[1], more[2],
                more[3],
            ])?;
            part.uint::<u32>().and(parts.uint::<u32>())?;
            each(keys, intake_key)?;
            each(claims, claim)?;
            each(pool, |entry| match entry.list()? {
                [key, packages] => {
                    key.array::<32>()?;
                    each(packages, |package| package.bytes().map(drop))
                }
                _ => None,
            })?;
            each(seal_keys, |entry| match entry.list()? {
                [key, seal_key] => key.array::<32>().and(seal_key.bytes()).map(drop),
                _ => None,
            })?;
            each(board, |told| handover::told(told, handover::row))?;
            each(notes, |told| handover::told(told, handover::notes))?;
            each(blocked, |entry| match entry.list()? {
                [person, by] => person.array::<32>().and(by.array::<32>()).map(drop),
                _ => None,
            })
        }
        _ => handover::read(content),
    }
}

fn each(list: &Item, read: impl FnMut(&Item) -> Option<()>) -> Option<()> {
    list.list()?.iter().map(read).collect()
}

fn intake_key(item: &Item) -> Option<()> {
    let [day, mailbox, seed] = item.fields(["day", "mailbox", "seed"])?;
    day.uint::<u32>()?;
    mailbox.array::<32>().and(seed.array::<32>()).map(drop)
}

fn claim(item: &Item) -> Option<()> {
    let [r, answered] = item.fields(["r", "answered"])?;
    r.array::<32>()?;
    answered.bool().map(drop)
}
