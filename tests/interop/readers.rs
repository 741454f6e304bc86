//! What two readers decide alike where somebody spoils a thread: bodies that were erased, replies of who is of the desk no
//! more.

use cobijo_protocol::{
    card::{Attestation, Attested, CardBody, Daily, DeskKey, Role, Text, UnverifiedCard},
    cbor,
    intake::{MessageHash, Reply as OwnReply, SignedReply},
    keys::{PublicKey, SecretKey, Signed},
    link::{DeskId, DeskLink, RelayUrl},
    mailbox::MailboxKey,
    slot::ThreadSecret,
};
use serde_bytes::ByteBuf;

use crate::{
    foreign::{
        contact::{self, Reply},
        frame::{Operation, Outcome},
        hpke,
        relay::{Relay, Said},
        slot::{Head, MESSAGE, REPLY, Thread, VOID, random, split},
        suite::POST_QUANTUM,
        survivor,
    },
    team::House,
};

/// A payload of a head and two bodies.
const LONG: usize = 10_000;

/// [H-6]
#[tokio::test]
async fn a_body_that_was_closed_and_erased_makes_its_head_void_and_another_one_makes_it_gone() {
    let house = House::start().await;
    let mut relay = Relay::connect(&house.way()).await;
    for (closed, erased, read) in [
        (None, vec![], Said::Payload(vec![7; LONG])),
        (None, vec![0], Said::Gone),
        (Some(0), vec![0], Said::Void),
        (Some(1), vec![0, 1], Said::Void),
    ] {
        let thread = Thread::new(random(), MESSAGE, 0);
        let secret = random();
        let bodies = Thread::bodies(secret, true);
        let (data, parts) = split(&[7; LONG], secret);
        for (index, part) in (0..).zip(&parts) {
            let slot = bodies.slot(index);
            let cell = match closed == Some(index) {
                true => VOID.to_vec(),
                false => slot.seal(part),
            };
            assert_eq!(relay.put(&slot, &cell).await, Outcome::Stored);
        }
        for index in erased {
            let slot = bodies.slot(index);
            let (key, erase) = (slot.key, slot.erase.unwrap());
            let outcomes = relay.ask(&[Operation::Erase { key, erase }]).await;
            assert_eq!(outcomes, [Outcome::Done]);
        }
        let slot = thread.slot(0);
        relay.put(&slot, &slot.seal(&data)).await;
        assert_eq!(relay.say(&thread, 0).await, read);
    }
}

/// [I-12], [I-8]
#[tokio::test]
async fn a_survivor_with_another_client_joins_nobody_who_is_of_the_desk_no_more() {
    let house = House::start().await;
    let way = house.way();
    let mut relay = Relay::connect(&way).await;
    let desk = Desk::new(relay.day);
    let host = RelayUrl::parse(&format!("https://{}:{}", way.host, way.port)).unwrap();
    let id = DeskId::of(&desk.root.public());
    house.host(&id.to_text()).await;
    let path = format!("/v1/cards/{}", id.to_text());
    let (status, _) = way.put(&path, &desk.card(&id)).await;
    assert_eq!(status, 201);
    let link = DeskLink {
        relay: host,
        desk: id,
    };
    let ana = survivor::write(&way, &link.to_string(), "Hola", POST_QUANTUM).await;
    let (r, person, root) = (ana.r, ana.person.key(), desk.root.public());
    let thread = Thread::new(r, REPLY, 0);
    let refusals = async {
        let no_more = [
            desk.attested(NOT_ON_THE_CARD, 2, desk.day),
            desk.attested(ON_THE_CARD, 2, desk.day - 1),
            desk.attested(ON_THE_CARD, 1, desk.day),
            // She is of the desk, but there is no Welcome.
            desk.attested(ON_THE_CARD, 2, desk.day),
        ];
        for (at, by) in (0..).step_by(2).zip(no_more) {
            let key = key(by.verify(&root).unwrap().0.serial);
            let secret = ThreadSecret::from_bytes(r);
            let reply =
                SignedReply::sign(&key, by, &secret, MessageHash::from_bytes([7; 32]), head());
            let payload = cbor::encode(&OwnReply::Claimed(reply));
            let slot = thread.slot(at);
            let cell = slot.seal(&split(&payload, random()).0);
            assert_eq!(relay.put(&slot, &cell).await, Outcome::Stored);
            let found = relay.wait(&thread.slot(at + 1)).await;
            let Said::Payload(payload) = relay.said(&thread, at + 1, found).await else {
                panic!("void")
            };
            let said = contact::reply(&payload, &r, root.as_bytes(), &person);
            assert_eq!(said, Some(Reply::NotThisOne(at)));
        }
    };
    tokio::select! {
        () = refusals => {}
        _joined = ana.answered() => panic!("she joined"),
    }
}

/// The head of a Welcome that stands nowhere.
fn head() -> Vec<u8> {
    let head = Head {
        total: 4_000,
        secret: random(),
        first: Vec::new(),
    };
    head.data()
}

const NOT_ON_THE_CARD: u8 = 8;
const ON_THE_CARD: u8 = 9;

fn key(seed: impl TryInto<u8>) -> SecretKey {
    SecretKey::from_bytes([seed.try_into().ok().unwrap(); 32])
}

/// A desk on its second desk key.
struct Desk {
    root: SecretKey,
    day: u32,
}

impl Desk {
    fn new(day: u32) -> Self {
        let root = SecretKey::from_bytes(random());
        Self { root, day }
    }

    fn desk_key(&self, serial: u32) -> Signed<DeskKey> {
        let (root, key) = (self.root.public(), key(serial).public());
        self.root.sign_value(&DeskKey {
            root,
            key,
            serial,
            not_after: self.day + 30,
        })
    }

    /// A member whose serial is the seed of her key.
    fn attested(&self, seed: u8, desk_serial: u32, not_after: u32) -> Attested {
        let attestation = Attestation {
            alias: "Luz".to_owned(),
            role: Role::Accompanier,
            key: key(seed).public(),
            not_after,
            serial: seed.into(),
        };
        Attested {
            desk_key: self.desk_key(desk_serial),
            attestation: key(desk_serial).sign_value(&attestation),
        }
    }

    fn card(&self, desk: &DeskId) -> Vec<u8> {
        let text = || Text {
            es: "Refugio".to_owned(),
            en: "Shelter".to_owned(),
        };
        let poster: PublicKey = key(ON_THE_CARD).public();
        let body = CardBody {
            version: 1,
            name: text(),
            about: text(),
            hours: text(),
            opening: cobijo_protocol::opening::Opening::default(),
            wait_minutes: (1, 5),
            languages: Vec::new(),
            posters: vec![poster],
        };
        let daily = Daily {
            desk: *desk,
            desk_serial: 2,
            version: 1,
            day: self.day,
            mailbox: MailboxKey::of(&key(7_u8)),
            intake_key: ByteBuf::from(hpke::public_key(&[1; 32])),
            poster,
        };
        let card = UnverifiedCard {
            desk_key: self.desk_key(2),
            card: key(2_u8).sign_value(&body),
            daily: key(ON_THE_CARD).sign_value(&daily),
        };
        card.encode()
    }
}
