//! What a card is refused for, and which of two cards is the newer one.

use cobijo_protocol::{
    card::{Card, CardBody, CardError, CardVersion, Daily, DeskKey, UnverifiedCard},
    limits::{CARD_BYTES_MAX, CARD_POSTERS_MAX},
};
use serde_bytes::ByteBuf;

use crate::{
    refusals::STRANGER,
    samples::{self, ACCOMPANIER, DAY, DESK, ROOT, key, public},
};

fn signed_card(body: &CardBody, signer: u8, daily: &Daily, poster: u8) -> UnverifiedCard {
    UnverifiedCard {
        desk_key: samples::desk_key(),
        card: key(signer).sign_value(body),
        daily: key(poster).sign_value(daily),
    }
}

fn verify(card: &UnverifiedCard) -> Result<Card, CardError> {
    card.verify(&samples::desk())
}

/// [D-5]
#[test]
fn a_card_is_of_its_desk_only() {
    assert!(verify(&samples::card()).is_ok());
    let other = cobijo_protocol::link::DeskId::of(&public(STRANGER));
    assert_eq!(samples::card().verify(&other), Err(CardError::Signature));
}

#[test]
fn a_self_signed_desk_is_refused() {
    let mut card = samples::card();
    card.desk_key = key(STRANGER).sign_value(&DeskKey {
        root: public(ROOT),
        key: public(DESK),
        serial: 3,
        not_after: DAY + 30,
    });
    assert_eq!(verify(&card), Err(CardError::Signature));
}

#[test]
fn a_card_not_signed_by_its_desk_key_is_refused() {
    let card = signed_card(
        &samples::card_body(),
        ACCOMPANIER,
        &samples::daily(),
        ACCOMPANIER,
    );
    assert_eq!(verify(&card), Err(CardError::Signature));
}

#[test]
fn only_a_member_named_in_the_card_posts_its_daily_part() {
    let body = samples::card_body();
    let by = |daily: Daily, poster| verify(&signed_card(&body, DESK, &daily, poster));
    assert!(by(samples::daily(), ACCOMPANIER).is_ok());
    assert_eq!(by(samples::daily(), STRANGER), Err(CardError::Signature));
    let stranger = Daily {
        poster: public(STRANGER),
        ..samples::daily()
    };
    assert_eq!(by(stranger, STRANGER), Err(CardError::Signature));
}

#[test]
fn a_daily_part_of_another_card_is_refused() {
    let body = samples::card_body();
    for daily in [
        Daily {
            desk: cobijo_protocol::link::DeskId::of(&public(STRANGER)),
            ..samples::daily()
        },
        Daily {
            desk_serial: 2,
            ..samples::daily()
        },
        Daily {
            version: 1,
            ..samples::daily()
        },
    ] {
        let card = signed_card(&body, DESK, &daily, ACCOMPANIER);
        assert_eq!(verify(&card), Err(CardError::Signature));
    }
}

#[test]
fn a_card_out_of_bounds_is_refused() {
    let short_key = Daily {
        intake_key: ByteBuf::from(vec![0; 1_215]),
        ..samples::daily()
    };
    let card = signed_card(&samples::card_body(), DESK, &short_key, ACCOMPANIER);
    assert_eq!(verify(&card), Err(CardError::Malformed));

    let body = |posters| CardBody {
        posters: vec![public(ACCOMPANIER); posters],
        ..samples::card_body()
    };
    let by = |posters| {
        verify(&signed_card(
            &body(posters),
            DESK,
            &samples::daily(),
            ACCOMPANIER,
        ))
    };
    assert!(by(CARD_POSTERS_MAX).is_ok());
    assert_eq!(by(CARD_POSTERS_MAX + 1), Err(CardError::Malformed));
}

#[test]
fn a_card_of_the_largest_size_decodes_and_one_byte_more_does_not() {
    let size = |about: usize| {
        let mut body = samples::card_body();
        body.about.es = "a".repeat(about);
        signed_card(&body, DESK, &samples::daily(), ACCOMPANIER).encode()
    };
    let about = 1_000 + CARD_BYTES_MAX - size(1_000).len();
    assert_eq!(size(about).len(), CARD_BYTES_MAX);
    assert!(UnverifiedCard::decode(&size(about)).is_ok());
    assert_eq!(
        UnverifiedCard::decode(&size(about + 1)),
        Err(CardError::TooLarge)
    );
}

/// [D-6]
#[test]
fn card_versions_are_ordered_by_serial_then_version_then_day() {
    let version = |desk_serial, version, day| CardVersion {
        desk_serial,
        version,
        day,
    };
    let grown = [
        version(1, 9, 9),
        version(2, 1, 9),
        version(2, 2, 1),
        version(2, 2, 2),
    ];
    assert!(grown.is_sorted_by(|lower, higher| lower < higher));
    let card = verify(&samples::card()).unwrap();
    assert_eq!(card.version(), version(3, 2, DAY));
}

/// [D-7]
#[test]
fn a_card_is_expired_two_days_after_its_daily_part_or_with_its_desk_key() {
    let mut card = verify(&samples::card()).unwrap();
    assert!(!card.is_expired(DAY + 1));
    assert!(card.is_expired(DAY + 2));
    card.desk_key.not_after = DAY;
    assert!(!card.is_expired(DAY));
    assert!(card.is_expired(DAY + 1));
    card.daily.day = u32::MAX;
    card.desk_key.not_after = u32::MAX;
    assert!(!card.is_expired(u32::MAX));
}
