use cobijo_protocol::{
    cell::Cell,
    frame::{decode_operations, encode_from_relay},
    keys::SecretKey,
    mailbox::ItemId,
    slot::{EraseKey, Mark, SlotKey},
};

use super::*;
use crate::core::port::{Chain, Put};

mod refused;

const NOW: Now = Now::from_millis(1_000_000);
const NONCE: SessionNonce = SessionNonce::from_bytes([9; 32]);

#[test]
fn nothing_is_asked_before_the_hello_is_answered() {
    let mut session = Session::new("relay.example");
    let wants = watching(&[1]);
    assert_eq!(
        sent(&mut session, &wants),
        [Operation::Hello {
            version: PROTOCOL_VERSION
        }]
    );
    assert!(session.reconcile(&wants, NOW).is_none());
    let seen = answer(&mut session, vec![greeting(90)]).unwrap();
    assert!(matches!(seen[..], [Seen::Connected(facts)] if facts.day == 7));
    assert_eq!(sent(&mut session, &wants).len(), 1);
}

#[test]
fn a_retention_outside_its_bounds_ends_the_connection() {
    for days in [29, 181] {
        let mut session = Session::new("relay.example");
        sent(&mut session, &Wants::default());
        let answered = answer(&mut session, vec![greeting(days)]);
        assert_eq!(answered.unwrap_err(), SessionError::UnexpectedAnswer);
    }
}

#[test]
fn what_is_in_flight_or_told_is_not_asked_again() {
    let mut session = open();
    let wants = watching(&[1, 2, 3, 1]);
    let operations = sent(&mut session, &wants);
    assert_eq!(
        operations,
        [Operation::Watch {
            addresses: vec![at(1), at(2), at(3)]
        }]
    );
    assert!(session.reconcile(&wants, NOW).is_none());
    let states = vec![SlotState::Empty, SlotState::Full, SlotState::Gone];
    let seen = answer(&mut session, vec![Outcome::Watching(states)]).unwrap();
    assert!(matches!(seen[..], [Seen::Empty(a), Seen::Gone(b)] if a == at(1) && b == at(3)));
    let cell = |n| FromRelay::Cell {
        address: at(n),
        cell: Cell::void(),
    };
    assert_eq!(push(&mut session, &cell(2)).len(), 1);
    assert_eq!(push(&mut session, &cell(1)).len(), 1);
    assert!(push(&mut session, &cell(1)).is_empty(), "told once");
    assert!(push(&mut session, &FromRelay::Gone { address: at(2) }).is_empty());
    assert!(session.reconcile(&wants, NOW).is_none());
}

#[test]
fn a_push_that_overtakes_its_answer_is_told_once() {
    let mut session = open();
    sent(&mut session, &watching(&[1]));
    let cell = FromRelay::Cell {
        address: at(1),
        cell: Cell::void(),
    };
    assert_eq!(push(&mut session, &cell).len(), 1);
    let states = Outcome::Watching(vec![SlotState::Empty]);
    assert!(answer(&mut session, vec![states]).unwrap().is_empty());
    assert!(push(&mut session, &cell).is_empty());
}

#[test]
fn pushes_that_nobody_waits_for_are_ignored() {
    let mut session = open();
    let (mailbox, item, cell) = (mailbox(), ItemId::from_bytes([1; 16]), Cell::void());
    assert!(
        push(
            &mut session,
            &FromRelay::Item {
                mailbox,
                item,
                cell
            }
        )
        .is_empty()
    );
    assert!(push(&mut session, &FromRelay::Gone { address: at(1) }).is_empty());
    let cell = FromRelay::Cell {
        address: at(1),
        cell: Cell::void(),
    };
    assert!(push(&mut session, &cell).is_empty());
}

#[test]
fn what_is_not_wanted_any_more_is_unwatched_and_can_be_watched_again() {
    let mut session = open();
    sent(&mut session, &watching(&[1, 2]));
    let nothing = Wants::default();
    assert!(
        session.reconcile(&nothing, NOW).is_none(),
        "not before the answer"
    );
    let states = vec![SlotState::Empty, SlotState::Gone];
    answer(&mut session, vec![Outcome::Watching(states)]).unwrap();
    let operations = sent(&mut session, &nothing);
    assert_eq!(
        operations,
        [Operation::Unwatch {
            addresses: vec![at(1)]
        }]
    );
    let operations = sent(&mut session, &watching(&[1]));
    assert_eq!(
        operations,
        [Operation::Watch {
            addresses: vec![at(1)]
        }]
    );
}

#[test]
fn no_more_is_registered_than_the_limit() {
    let mut session = open();
    let mut wants = watching(&[]);
    wants.watch = (0..2_000_u32).map(wide).collect();
    let operations = sent(&mut session, &wants);
    assert_eq!(operations.len(), 4);
    assert!(session.reconcile(&wants, NOW).is_none());
    let mut outcomes = vec![Outcome::Watching(vec![SlotState::Empty; 256]); 3];
    outcomes.insert(0, Outcome::Watching(vec![SlotState::Gone; 256]));
    answer(&mut session, outcomes).unwrap();
    let Operation::Watch { addresses } = &sent(&mut session, &wants)[0] else {
        panic!("slots that need no registration make room");
    };
    assert_eq!(addresses[0], wide(1024));
}

#[test]
fn a_relay_that_registers_less_is_asked_for_less() {
    let mut session = open();
    let wants = watching(&(0..100).collect::<Vec<_>>());
    for watched in [100, 50, 25] {
        let Operation::Watch { addresses } = &sent(&mut session, &wants)[0] else {
            panic!("a watch")
        };
        assert_eq!(addresses.len(), watched);
        answer(&mut session, vec![Outcome::TooMany]).unwrap();
    }
}

#[test]
fn a_frame_carries_what_takes_back_before_what_asks_and_what_writes() {
    let mut session = open();
    sent(&mut session, &watching(&[1]));
    answer(
        &mut session,
        vec![Outcome::Watching(vec![SlotState::Empty])],
    )
    .unwrap();
    let wants = Wants {
        watch: vec![at(2)],
        chains: vec![chain(&[1])],
        erases: vec![(SlotKey::from_bytes([1; 32]), EraseKey::from_bytes([2; 32]))],
        drops: vec![(mailbox(), Cell::void())],
        mailboxes: vec![secret()],
        removes: vec![(mailbox(), ItemId::from_bytes([1; 16]))],
    };
    let operations = sent(&mut session, &wants);
    assert!(matches!(
        operations[..],
        [
            Operation::Unwatch { .. },
            Operation::Watch { .. },
            Operation::Open { .. },
            Operation::Erase { .. },
            Operation::Drop { .. },
            Operation::Put { .. }
        ]
    ));
    let Operation::Open { mailbox, signature } = &operations[2] else {
        unreachable!()
    };
    assert!(mailbox.verify_open("relay.example", &NONCE, signature));
    let outcomes = vec![
        Outcome::Done,
        Outcome::Watching(vec![SlotState::Full]),
        Outcome::Done,
        Outcome::Done,
        Outcome::Stored,
        Outcome::Stored,
    ];
    let seen = answer(&mut session, outcomes).unwrap();
    assert!(matches!(
        seen[..],
        [
            Seen::Erased(_),
            Seen::Dropped(_, Dropped::Stored),
            Seen::Stored(_)
        ]
    ));
    let operations = sent(&mut session, &wants);
    assert!(
        matches!(operations[..], [Operation::Remove { .. }]),
        "only where opened"
    );
    let seen = answer(&mut session, vec![Outcome::Done]).unwrap();
    assert!(matches!(seen[..], [Seen::Removed(..)]));
    let item = FromRelay::Item {
        mailbox: *mailbox,
        item: ItemId::from_bytes([1; 16]),
        cell: Cell::void(),
    };
    assert_eq!(push(&mut session, &item).len(), 1);
}

#[test]
fn a_chain_that_fits_a_frame_is_never_split() {
    let mut session = open();
    let wants = Wants {
        chains: vec![chain_of(0, 40), chain_of(100, 40)],
        ..Wants::default()
    };
    assert_eq!(sent(&mut session, &wants).len(), 40);
    assert_eq!(sent(&mut session, &wants).len(), 40);
    assert!(session.reconcile(&wants, NOW).is_none());
}

#[test]
fn the_rest_of_a_long_chain_waits_for_its_beginning() {
    let mut session = open();
    let wants = Wants {
        chains: vec![chain_of(0, 65)],
        ..Wants::default()
    };
    assert_eq!(sent(&mut session, &wants).len(), 64);
    assert!(session.reconcile(&wants, NOW).is_none());
    answer(&mut session, vec![Outcome::Stored; 64]).unwrap();
    assert_eq!(sent(&mut session, &wants).len(), 1);
    answer(&mut session, vec![Outcome::Stored]).unwrap();
    assert!(session.reconcile(&wants, NOW).is_none());
}

#[test]
fn a_taken_put_ends_its_chain_and_sends_the_skipped_ones_again() {
    let mut session = open();
    let wants = Wants {
        chains: vec![chain(&[1, 2]), chain(&[3])],
        ..Wants::default()
    };
    sent(&mut session, &wants);
    let outcomes = vec![Outcome::Taken, Outcome::Skipped, Outcome::Skipped];
    let seen = answer(&mut session, outcomes).unwrap();
    assert!(matches!(seen[..], [Seen::Taken(address)] if address == put(1, 0).address()));
    let operations = sent(&mut session, &wants);
    assert!(matches!(&operations[..], [Operation::Put { slot_key, .. }]
        if *slot_key == put(3, 0).slot_key));
}

#[test]
fn other_bytes_for_an_answered_slot_are_another_put() {
    let mut session = open();
    let mut wants = Wants {
        chains: vec![vec![put(1, 0)]],
        ..Wants::default()
    };
    sent(&mut session, &wants);
    answer(&mut session, vec![Outcome::Taken]).unwrap();
    assert!(session.reconcile(&wants, NOW).is_none());
    wants.chains = vec![vec![put(1, 5)]];
    assert_eq!(sent(&mut session, &wants).len(), 1);
}

#[test]
fn a_busy_relay_is_asked_again_later() {
    let mut session = open();
    let wants = Wants {
        chains: vec![chain(&[1])],
        ..Wants::default()
    };
    sent(&mut session, &wants);
    assert!(
        answer(&mut session, vec![Outcome::Busy])
            .unwrap()
            .is_empty()
    );
    assert!(session.reconcile(&wants, NOW).is_none());
    let later = session.poll_timeout().unwrap();
    assert_eq!(later, NOW.plus(BUSY_RETRY));
    assert!(session.reconcile(&wants, later).is_some());
    assert!(session.poll_timeout().is_none());
}

#[test]
fn without_credit_the_session_asks_to_be_reconnected_once_all_is_answered() {
    let mut session = open();
    let wants = Wants {
        chains: vec![chain(&[1])],
        ..Wants::default()
    };
    sent(&mut session, &wants);
    let more = Wants {
        watch: vec![at(1)],
        ..wants.clone()
    };
    sent(&mut session, &more);
    answer(&mut session, vec![Outcome::NoCredit]).unwrap();
    assert!(!session.is_spent());
    assert!(session.reconcile(&more, NOW).is_none());
    answer(
        &mut session,
        vec![Outcome::Watching(vec![SlotState::Empty])],
    )
    .unwrap();
    assert!(session.is_spent());
}

#[test]
fn frames_in_flight_are_bounded() {
    let mut session = open();
    let mut wants = Wants::default();
    for n in 0..10 {
        wants.watch.push(at(n));
        let expected = usize::from(n) < FRAMES_IN_FLIGHT_MAX;
        assert_eq!(session.reconcile(&wants, NOW).is_some(), expected);
    }
}

fn open() -> Session {
    let mut session = Session::new("relay.example");
    sent(&mut session, &Wants::default());
    answer(&mut session, vec![greeting(90)]).unwrap();
    session
}

fn greeting(retention_days: u16) -> Outcome {
    Outcome::Hello(Greeting {
        nonce: NONCE,
        retention_days,
        day: 7,
        credits: 1024,
    })
}

fn sent(session: &mut Session, wants: &Wants) -> Vec<Operation> {
    decode_operations(&session.reconcile(wants, NOW).expect("a frame")).unwrap()
}

fn answer(session: &mut Session, outcomes: Vec<Outcome>) -> Result<Vec<Seen>, SessionError> {
    let frame = encode_from_relay(&FromRelay::Answer(outcomes))?;
    session.handle_frame(&frame, NOW)
}

fn push(session: &mut Session, message: &FromRelay) -> Vec<Seen> {
    session
        .handle_frame(&encode_from_relay(message).unwrap(), NOW)
        .unwrap()
}

fn at(n: u8) -> Address {
    Address::from_bytes([n; 32])
}

fn wide(n: u32) -> Address {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Address::from_bytes(bytes)
}

fn watching(addresses: &[u8]) -> Wants {
    Wants {
        watch: addresses.iter().map(|&n| at(n)).collect(),
        ..Wants::default()
    }
}

fn put(n: u8, content: u8) -> Put {
    Put {
        slot_key: SlotKey::from_bytes([n; 32]),
        mark: Mark::from_bytes([n; 32]),
        cell: Cell::from_bytes([content; 4096]),
    }
}

fn chain(slots: &[u8]) -> Chain {
    slots.iter().map(|&n| put(n, 0)).collect()
}

fn chain_of(from: u8, count: u8) -> Chain {
    (from..from + count).map(|n| put(n, 0)).collect()
}

fn secret() -> SecretKey {
    SecretKey::from_bytes([4; 32])
}

fn mailbox() -> MailboxKey {
    MailboxKey::of(&secret())
}
