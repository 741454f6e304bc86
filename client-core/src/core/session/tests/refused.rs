//! What a relay refuses, and what it may not say.

use super::*;

#[test]
fn a_refused_drop_is_told_and_goes_again_only_when_wanted_anew() {
    for (outcome, told) in [
        (Outcome::Full, Dropped::Full),
        (Outcome::Unknown, Dropped::Unknown),
    ] {
        let mut session = open();
        let wants = Wants {
            drops: vec![(mailbox(), Cell::void())],
            ..Wants::default()
        };
        sent(&mut session, &wants);
        let seen = answer(&mut session, vec![outcome]).unwrap();
        assert!(matches!(seen[..], [Seen::Dropped(_, dropped)] if dropped == told));
        assert!(session.reconcile(&wants, NOW).is_none());
        assert!(session.reconcile(&Wants::default(), NOW).is_none());
        assert!(session.reconcile(&wants, NOW).is_some());
    }
}

#[test]
fn an_answer_that_fits_nothing_asked_ends_the_connection() {
    let wrong = [
        vec![],
        vec![Outcome::Done],
        vec![Outcome::Skipped],
        vec![Outcome::Stored, Outcome::Stored],
        vec![greeting(90)],
        vec![Outcome::Watching(vec![])],
        vec![Outcome::Watching(vec![SlotState::Empty; 2])],
    ];
    for outcomes in wrong {
        let mut session = open();
        sent(&mut session, &watching(&[1]));
        assert!(answer(&mut session, outcomes).is_err());
    }
    let mut session = open();
    sent(
        &mut session,
        &Wants {
            chains: vec![chain(&[1])],
            ..Wants::default()
        },
    );
    for outcome in [
        Outcome::Done,
        Outcome::Unknown,
        Outcome::Denied,
        Outcome::Skipped,
    ] {
        let mut session = open();
        sent(
            &mut session,
            &Wants {
                chains: vec![chain(&[1])],
                ..Wants::default()
            },
        );
        assert!(answer(&mut session, vec![outcome]).is_err());
    }
    answer(&mut session, vec![Outcome::Stored]).unwrap();
    assert!(
        answer(&mut session, vec![Outcome::Stored]).is_err(),
        "nothing is in flight"
    );
}

#[test]
fn an_answer_with_too_few_or_too_many_outcomes_ends_the_connection() {
    for count in [1, 3] {
        let mut session = open();
        let wants = Wants {
            chains: vec![chain(&[1, 2])],
            ..Wants::default()
        };
        sent(&mut session, &wants);
        let answered = answer(&mut session, vec![Outcome::Stored; count]);
        assert_eq!(answered.unwrap_err(), SessionError::UnexpectedAnswer);
    }
}

#[test]
fn a_denied_mailbox_and_a_closing_relay_end_the_connection() {
    let mut session = open();
    sent(
        &mut session,
        &Wants {
            mailboxes: vec![secret()],
            ..Wants::default()
        },
    );
    assert_eq!(
        answer(&mut session, vec![Outcome::Denied]).unwrap_err(),
        SessionError::MailboxDenied
    );
    let closing = encode_from_relay(&FromRelay::Closing(Closing::Version)).unwrap();
    assert_eq!(
        open().handle_frame(&closing, NOW).unwrap_err(),
        SessionError::Closed(Closing::Version)
    );
    assert!(matches!(
        open().handle_frame(&[0; 7], NOW),
        Err(SessionError::Frame(_))
    ));
}
