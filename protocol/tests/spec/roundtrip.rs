//! What a decoder accepts re-encodes to the same bytes, and what is encoded decodes to the same value.
//!
//! Inputs are samples with random changes: random bytes alone would be refused at the first one.

use cobijo_protocol::{
    card::UnverifiedCard,
    cbor,
    commit::{CommitData, Succession, Terms, WelcomePayload},
    content::{Content, Message},
    credential::Credential,
    frame::{
        Operation, decode_from_relay, decode_operations, encode_from_relay, encode_operations,
    },
    intake::{Claim, Intake, Reply, Taking, Waiting},
    keys::Signed,
    limits::FRAME_UNIT_BYTES,
    link::{DeskLink, Invite, RelayUrl},
    parts::{Data, PAYLOAD_BYTES_MAX, Split},
    slot::{Address, CELL_DATA_MAX, Kind, Slot, ThreadSecret},
};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde::{Serialize, de::DeserializeOwned};

use crate::samples;

/// A change to some bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Truncate(Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Remove(from, to)),
        1 => any::<Index>().prop_map(Change::Truncate),
    ];
    vec(change, 0..3)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let place = |index: &Index| index.index(bytes.len() + 1);
        match change {
            Change::Set(at, byte) => {
                let at = place(at);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Change::Insert(at, inserted) => {
                let at = place(at);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Change::Remove(from, to) => {
                let (from, to) = (place(from), place(to));
                bytes.drain(from.min(to)..from.max(to));
            }
            Change::Truncate(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
        }
    }
    bytes
}

/// One of the samples.
fn one<T: Clone + std::fmt::Debug + 'static>(
    samples: Vec<(&'static str, T)>,
) -> impl Strategy<Value = T> {
    let values: Vec<T> = samples.into_iter().map(|(_, value)| value).collect();
    prop::sample::select(values)
}

fn cbor_is_canonical<T>(value: &T, changes: &[Change]) -> Result<(), TestCaseError>
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let bytes = cbor::encode(value);
    let decoded = cbor::decode::<T>(&bytes);
    prop_assert_eq!(decoded.as_ref(), Ok(value));
    let bytes = changed(bytes, changes);
    if let Ok(value) = cbor::decode::<T>(&bytes) {
        prop_assert_eq!(cbor::encode(&value), bytes);
    }
    Ok(())
}

/// A frame around any content.
fn frame(content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap();
    let mut frame = [len.to_be_bytes().as_slice(), content].concat();
    frame.resize(frame.len().next_multiple_of(FRAME_UNIT_BYTES), 0);
    frame
}

fn content(frame: &[u8]) -> Vec<u8> {
    let (len, rest) = frame.split_first_chunk().unwrap();
    rest[..u32::from_be_bytes(*len) as usize].to_vec()
}

proptest! {
    #[test]
    fn frames_to_the_relay_are_canonical(
        operations in vec(one(samples::operations()), 1..5),
        changes in changes(),
    ) {
        let encoded = encode_operations(&operations).unwrap();
        prop_assert_eq!(decode_operations(&encoded), Ok(operations));
        let changed = frame(&changed(content(&encoded), &changes));
        if let Ok(operations) = decode_operations(&changed) {
            prop_assert_eq!(encode_operations(&operations), Ok(changed));
        }
    }

    #[test]
    fn whole_frames_are_canonical(
        operation in one(samples::operations()),
        changes in changes(),
    ) {
        let changed = changed(encode_operations(&[operation]).unwrap(), &changes);
        if let Ok(operations) = decode_operations(&changed) {
            prop_assert_eq!(encode_operations(&operations), Ok(changed));
        }
    }

    #[test]
    fn frames_from_the_relay_are_canonical(
        outcomes in vec(one(samples::outcomes()), 1..5),
        push in one(samples::pushes()),
        changes in changes(),
    ) {
        for message in [cobijo_protocol::frame::FromRelay::Answer(outcomes), push] {
            let encoded = encode_from_relay(&message).unwrap();
            prop_assert_eq!(decode_from_relay(&encoded), Ok(message));
            let changed = frame(&changed(content(&encoded), &changes));
            if let Ok(message) = decode_from_relay(&changed) {
                prop_assert_eq!(encode_from_relay(&message), Ok(changed));
            }
        }
    }

    #[test]
    fn watches_of_any_addresses_come_back(addresses in vec(any::<[u8; 32]>(), 1..257)) {
        let addresses = addresses.into_iter().map(Address::from_bytes).collect();
        let operations = vec![Operation::Watch { addresses }];
        let encoded = encode_operations(&operations).unwrap();
        prop_assert_eq!(decode_operations(&encoded), Ok(operations));
    }

    #[test]
    fn random_bytes_break_no_decoder(bytes in vec(any::<u8>(), 0..6_000)) {
        let _ = decode_operations(&frame(&bytes));
        let _ = decode_from_relay(&frame(&bytes));
        let _ = UnverifiedCard::decode(&bytes);
        let _ = cbor::decode::<Message>(&bytes);
        let _ = Intake::from_plaintext(&bytes);
        if let Some(data) = Data::decode(&bytes) {
            prop_assert_eq!(data.encode(), bytes);
        }
    }

    #[test]
    fn messages_are_canonical(content in one(samples::contents()), changes in changes()) {
        cbor_is_canonical(&samples::message(content), &changes)?;
    }

    #[test]
    fn any_text_comes_back(text in any::<String>(), id in any::<[u8; 16]>(), clock: u64) {
        let id = cobijo_protocol::content::MessageId::from_bytes(id);
        let message = Message { id, clock, content: Content::Text(text) };
        cbor_is_canonical(&message, &[])?;
    }

    #[test]
    fn commit_data_is_canonical(data in one(samples::commit_data()), changes in changes()) {
        cbor_is_canonical::<CommitData>(&data, &changes)?;
    }

    #[test]
    fn any_cut_comes_back(cut in vec(any::<(u32, u32)>(), 0..300)) {
        let mut data = samples::commit_data().swap_remove(0).1;
        data.cut = cut;
        cbor_is_canonical::<CommitData>(&data, &[])?;
    }

    #[test]
    fn what_stands_in_groups_is_canonical(
        terms in one(samples::terms()),
        credential in prop::sample::select(samples::credentials()),
        changes in changes(),
    ) {
        cbor_is_canonical::<Terms>(&terms, &changes)?;
        cbor_is_canonical::<Credential>(&credential.1, &changes)?;
        cbor_is_canonical::<WelcomePayload>(&samples::welcome_payload(), &changes)?;
        cbor_is_canonical::<UnverifiedCard>(&samples::card(), &changes)?;
    }

    #[test]
    fn what_stands_in_first_contact_is_canonical(
        waiting in one(samples::waitings()),
        reply in one(samples::replies()),
        claim in one(samples::claims()),
        taking in one(samples::takings()),
        succession in one(samples::successions()),
        changes in changes(),
    ) {
        cbor_is_canonical::<Waiting>(&waiting, &changes)?;
        cbor_is_canonical::<Reply>(&reply, &changes)?;
        cbor_is_canonical::<Claim>(&claim, &changes)?;
        cbor_is_canonical::<Taking>(&taking, &changes)?;
        cbor_is_canonical::<Signed<Succession>>(&succession, &changes)?;
        cbor_is_canonical::<Succession>(&samples::succession(2), &changes)?;
    }

    #[test]
    fn an_intake_has_one_plaintext(intake in one(samples::intakes()), changes in changes()) {
        let changed = changed(intake.to_plaintext().unwrap().to_vec(), &changes);
        if let Ok(intake) = Intake::from_plaintext(&changed) {
            prop_assert_eq!(&*intake.to_plaintext().unwrap(), &changed);
        }
    }

    #[test]
    fn links_and_invites_have_one_form(changes in changes()) {
        for text in [samples::link().to_string(), samples::invite().to_text()] {
            let changed = changed(text.into_bytes(), &changes);
            let Ok(text) = String::from_utf8(changed) else { continue };
            if let Ok(link) = DeskLink::parse(&text) {
                prop_assert_eq!(DeskLink::parse(&link.to_string()), Ok(link));
            }
            if let Ok(invite) = Invite::parse(&text) {
                prop_assert_eq!(Invite::parse(&invite.to_text()), Ok(invite));
            }
        }
    }

    /// [K-8]
    #[test]
    fn relay_urls_have_one_form(text in "https://[a-z0-9.\\-:\\[\\]/]{0,20}") {
        if let Ok(url) = RelayUrl::parse(&text) {
            prop_assert_eq!(RelayUrl::parse(&url.to_string()), Ok(url));
        }
    }

    /// [C-3] [C-4] [C-5]
    #[test]
    fn sealed_data_comes_back_and_altered_cells_are_void(
        data in vec(any::<u8>(), 0..=CELL_DATA_MAX),
        nonce: [u8; 24],
        at: Index,
        change in 1_u8..,
    ) {
        let slot = Slot::derive(&ThreadSecret::from_bytes([1; 32]), Kind::Reply, 0, 0);
        for cell in [slot.seal(&data, nonce).unwrap(), slot.seal_deterministic(&data).unwrap()] {
            let opened = slot.open(&cell).unwrap();
            prop_assert_eq!(&*opened, &data);
            let mut bytes = *cell.as_bytes();
            bytes[at.index(bytes.len())] ^= change;
            let altered = cobijo_protocol::cell::Cell::from_bytes(bytes);
            prop_assert!(slot.open(&altered).is_none());
        }
    }

    /// [H-1] [H-4] [H-5]
    #[test]
    fn a_split_payload_comes_back(len in 0..PAYLOAD_BYTES_MAX, in_bodies: bool) {
        let payload: Vec<u8> = (0..=250).cycle().take(len).collect();
        let secret = ThreadSecret::from_bytes([1; 32]);
        let split = if in_bodies && len > 0 && len < 64 * (CELL_DATA_MAX - 1) {
            Split::all_in_bodies(&payload, secret).unwrap()
        } else {
            Split::of(&payload, secret).unwrap()
        };
        let data = Data::decode(&split.data.encode()).unwrap();
        prop_assert!(data == split.data);
        let rejoined = match data {
            Data::Whole(whole) => whole,
            Data::Head(head) => {
                prop_assert_eq!(head.bodies(), split.bodies.len());
                let bodies = split.bodies.iter().enumerate();
                bodies.fold(head.part.clone(), |mut rejoined, (index, body)| {
                    rejoined.extend(head.body_part(index, body).unwrap());
                    rejoined
                })
            }
        };
        prop_assert_eq!(rejoined, payload);
    }
}
