//! The forms of what is said about circles.

use super::{
    cbor::Item,
    desk::{attested, is_alias},
    group::Statement,
    signature::PublicKey,
};

/// HPKE info of her answer to an invitation of that name.
pub(crate) fn answer_info(invite: &[u8; 16]) -> Vec<u8> {
    [b"cobijo/1 circle answer".as_slice(), invite].concat()
}

/// HPKE info of her question to be let in again.
pub(crate) fn again_info(circle: &[u8; 32]) -> Vec<u8> {
    [b"cobijo/1 circle again".as_slice(), circle].concat()
}

pub(super) fn read(content: &Item, root: &PublicKey) -> Option<()> {
    match content.choice()? {
        ("about", value) => about(value),
        ("side", value) => value.array::<32>().map(drop),
        ("invite", value) => {
            let [circle, text, facilitators, members, answers_to] =
                value.fields(["circle", "about", "facilitators", "members", "answers_to"])?;
            circle.array::<32>().and(about(text))?;
            let facilitators = facilitators.list()?;
            let members: u16 = members.uint()?;
            facilitators
                .iter()
                .map(|one| attested(one, root).map(drop))
                .collect::<Option<()>>()?;
            let fits = (1..=2).contains(&facilitators.len()) && (1..=50).contains(&members);
            (fits && answers_to.bytes()?.len() == 1216).then_some(())
        }
        ("answer", value) => {
            let [invite, sealed] = value.fields(["invite", "sealed"])?;
            invite.array::<16>()?;
            sealed.bytes().map(drop)
        }
        ("again", value) => {
            let [circle, sealed] = value.fields(["circle", "sealed"])?;
            circle.array::<32>()?;
            sealed.bytes().map(drop)
        }
        _ => None,
    }
}

fn about(value: &Item) -> Option<()> {
    let [name, about] = value.fields(["name", "about"])?;
    let fits = is_alias(name.text()?) && about.text()?.len() <= 2000;
    fits.then_some(())
}

/// What she seals to be let in.
pub(crate) fn let_in(plaintext: &[u8], root: &PublicKey) -> Option<(Vec<u8>, bool)> {
    let item = Item::decode(plaintext)?;
    let [package, rescue] = item.fields(["key_package", "rescue"])?;
    let is_again = *rescue != Item::Null;
    if is_again {
        Statement::read(rescue, root)?;
    }
    Some((package.bytes()?.to_vec(), is_again))
}
