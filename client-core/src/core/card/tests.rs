use cobijo_protocol::{
    Day,
    card::{Text, UnverifiedCard},
    content::IntakeKey,
    keys::{IntakeSeed, SecretKey},
    mailbox::MailboxKey,
};
use rand_core::SeedableRng as _;

use super::*;
use crate::core::{
    client::{CardAbsent, CardRefusal, Description, PublishAnswer},
    desk::keys::DeskKeys,
    port::{Now, Rng},
};

const TODAY: Day = 20_000;
const NOW: Now = Now::from_millis(TODAY as u64 * 86_400_000);

#[test]
fn a_lower_card_is_never_believed_again() {
    let mut desk = Desk::new();
    let first = desk.publish(&desk.plan(TODAY));
    let second = desk.publish(&desk.plan(TODAY + 1));
    let mut highest = HighestCard::default();
    assert!(highest.accept(&first, &desk.id).is_ok());
    assert!(highest.accept(&second, &desk.id).is_ok());
    assert_eq!(highest.accept(&first, &desk.id), Err(CardRefused::Lower));
    assert!(highest.accept(&second, &desk.id).is_ok());
}

#[test]
fn another_card_of_the_version_that_was_seen_is_not_believed() {
    let mut desk = Desk::new();
    let one = desk.publish(&desk.plan(TODAY));
    desk.keeper = CardKeeper::new(desk.id);
    desk.intake_key = intake_key(TODAY, 6);
    let other = desk.publish(&desk.plan(TODAY));
    let mut highest = HighestCard::default();
    assert!(highest.accept(&one, &desk.id).is_ok());
    assert_eq!(highest.accept(&other, &desk.id), Err(CardRefused::Lower));
    assert!(highest.accept(&one, &desk.id).is_ok());
}

#[test]
fn a_desk_that_signs_itself_with_another_root_is_refused() {
    let mut desk = Desk::new();
    let mut other = Desk::with_seed(9);
    let card = other.publish(&other.plan(TODAY));
    assert!(desk.publish(&desk.plan(TODAY)) != card);
    assert!(matches!(
        HighestCard::default().accept(&card, &desk.id),
        Err(CardRefused::Bad(_))
    ));
}

#[test]
fn an_evicted_coordinators_card_is_refused_however_new() {
    let mut desk = Desk::new();
    desk.publish(&desk.plan(TODAY));
    let mut evicted = desk.keys.clone();
    desk.keys.renew(TODAY, &mut desk.rng).unwrap();
    let renewed = desk.publish(&desk.plan(TODAY));
    let mut highest = HighestCard::default();
    highest.accept(&renewed, &desk.id).unwrap();
    std::mem::swap(&mut desk.keys, &mut evicted);
    desk.keeper = CardKeeper::new(desk.id);
    let hostile = desk.publish(&desk.plan(TODAY + 5));
    assert_eq!(highest.accept(&hostile, &desk.id), Err(CardRefused::Lower));
}

#[test]
fn nothing_is_published_before_the_intake_key_is_stored() {
    let mut desk = Desk::new();
    let mut plan = desk.plan(TODAY);
    plan.intake_key = None;
    assert_eq!(desk.keeper.next(&plan, NOW), Some(Step::Fetch));
    desk.keeper.handle_fetched(Err(CardAbsent::NotFound), NOW);
    assert_eq!(desk.keeper.next(&plan, NOW), Some(Step::MakeIntakeKey));
    let plan = desk.plan(TODAY);
    assert!(matches!(
        desk.keeper.next(&plan, NOW),
        Some(Step::Publish(_))
    ));
}

#[test]
fn who_comes_second_on_a_day_adopts_what_stands_there() {
    let mut desk = Desk::new();
    desk.publish(&desk.plan(TODAY - 1));
    let mut colleague = CardKeeper::new(desk.id);
    let published = desk.publish(&desk.plan(TODAY));
    let plan = desk.plan(TODAY);
    assert_eq!(colleague.next(&plan, NOW), Some(Step::Fetch));
    colleague.handle_fetched(Ok(published.clone()), NOW);
    assert_eq!(colleague.next(&plan, NOW), None);
    assert_eq!(colleague.bytes(), Some(published.as_slice()));
}

#[test]
fn a_conflict_is_answered_by_looking_again_and_not_by_a_lower_version() {
    let mut desk = Desk::new();
    let plan = desk.plan(TODAY);
    desk.keeper.next(&plan, NOW);
    desk.keeper.handle_fetched(Err(CardAbsent::NotFound), NOW);
    assert!(matches!(
        desk.keeper.next(&plan, NOW),
        Some(Step::Publish(_))
    ));
    assert_eq!(
        desk.keeper.handle_published(PublishAnswer::Conflict, NOW),
        None
    );
    assert_eq!(desk.keeper.next(&plan, NOW), None);
    let later = desk.keeper.poll_timeout(true).unwrap();
    assert_eq!(desk.keeper.next(&plan, later), Some(Step::Fetch));
}

#[test]
fn a_relay_that_replays_an_older_card_is_given_the_newer_one_again() {
    let mut desk = Desk::new();
    let old = desk.publish(&desk.plan(TODAY - 1));
    let new = desk.publish(&desk.plan(TODAY));
    desk.keeper.refresh();
    let plan = desk.plan(TODAY);
    assert_eq!(desk.keeper.next(&plan, NOW), Some(Step::Fetch));
    desk.keeper.handle_fetched(Ok(old), NOW);
    assert_eq!(desk.keeper.next(&plan, NOW), Some(Step::Publish(new)));
}

#[test]
fn an_accompanier_posts_the_day_and_a_stranger_to_the_card_does_not() {
    let mut desk = Desk::new();
    desk.publish(&desk.plan(TODAY - 1));
    let luz = SecretKey::from_bytes([4; 32]);
    let mut plan = desk.plan(TODAY);
    plan.author = None;
    plan.key = &luz;
    desk.keeper.refresh();
    desk.keeper.next(&plan, NOW);
    let bytes = desk.keeper.bytes().unwrap().to_vec();
    desk.keeper.handle_fetched(Ok(bytes), NOW);
    let refused = Step::Refused(CardRefusal::NotPoster);
    assert_eq!(desk.keeper.next(&plan, NOW), Some(refused));
}

#[test]
fn an_expired_desk_key_publishes_nothing() {
    let mut desk = Desk::new();
    let plan = desk.plan(TODAY + 31);
    desk.keeper.next(&plan, NOW);
    desk.keeper.handle_fetched(Err(CardAbsent::NotFound), NOW);
    let refused = Step::Refused(CardRefusal::DeskKeyExpired);
    assert_eq!(desk.keeper.next(&plan, NOW), Some(refused));
}

#[test]
fn after_an_eviction_another_mailbox_is_named_on_the_same_day() {
    let mut desk = Desk::new();
    let before = desk.publish(&desk.plan(TODAY));
    let fresh = intake_key(TODAY, 6);
    let mut plan = desk.plan(TODAY);
    plan.intake_key = Some(&fresh);
    plan.mailbox = Some(MailboxKey::of(&fresh.mailbox));
    let (before, after) = (desk.read(&before), desk.publish(&plan));
    let after = desk.read(&after);
    assert!(after.version() > before.version());
    assert_eq!(after.daily.mailbox, MailboxKey::of(&fresh.mailbox));
}

/// [D-10]
#[test]
fn a_card_that_moves_is_of_the_day_of_its_intake_key() {
    let mut desk = Desk::new();
    let ahead = intake_key(TODAY + 1, 6);
    let mut plan = desk.plan(TODAY + 1);
    plan.intake_key = Some(&ahead);
    let before = desk.publish(&plan);
    let before = desk.read(&before);
    assert_eq!(before.daily.day, TODAY + 1);
    let mut plan = desk.plan(TODAY);
    plan.foreign = Some(before.daily.mailbox);
    let after = desk.publish(&plan);
    let after = desk.read(&after);
    assert!(after.version() > before.version());
    assert_eq!(after.daily.day, TODAY);
    assert_eq!(
        after.daily.mailbox,
        MailboxKey::of(&desk.intake_key.mailbox)
    );
}

#[test]
fn a_card_that_is_as_it_should_be_is_looked_at_again() {
    let mut desk = Desk::new();
    desk.publish(&desk.plan(TODAY));
    let plan = desk.plan(TODAY);
    assert_eq!(desk.keeper.next(&plan, NOW), None);
    let later = desk.keeper.poll_timeout(true).unwrap();
    assert_eq!(desk.keeper.next(&plan, later), Some(Step::Fetch));
    let is_missing = desk
        .keeper
        .handle_fetched(Err(CardAbsent::Unreachable), later);
    assert!(!is_missing, "nothing has to be published");
}

/// A desk with one coordinator.
struct Desk {
    id: DeskId,
    keys: DeskKeys,
    key: SecretKey,
    intake_key: IntakeKey,
    description: Description,
    keeper: CardKeeper,
    rng: Rng,
}

impl Desk {
    fn new() -> Self {
        Self::with_seed(1)
    }

    fn with_seed(seed: u64) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let keys = DeskKeys::create(TODAY, &mut rng);
        let id = DeskId::of(&keys.root());
        let text = || Text {
            es: "Mar".into(),
            en: "Sea".into(),
        };
        Self {
            id,
            keys,
            key: SecretKey::from_bytes([3; 32]),
            intake_key: intake_key(TODAY, 5),
            description: Description {
                name: text(),
                about: text(),
                hours: text(),
                opening: cobijo_protocol::opening::Opening::default(),
                wait_minutes: (5, 20),
                languages: vec!["es".into()],
            },
            keeper: CardKeeper::new(id),
            rng,
        }
    }

    fn read(&self, card: &[u8]) -> Card {
        let card = UnverifiedCard::decode(card).unwrap();
        card.verify(&self.id).unwrap()
    }

    /// What the coordinator wants; leaked, so that a test can change the desk beside it.
    fn plan(&self, today: Day) -> Plan<'static> {
        let desk: &'static Self = Box::leak(Box::new(Self {
            keys: self.keys.clone(),
            key: self.key.clone(),
            intake_key: IntakeKey {
                day: today,
                ..self.intake_key.clone()
            },
            description: self.description.clone(),
            keeper: CardKeeper::new(self.id),
            rng: self.rng.clone(),
            id: self.id,
        }));
        let (key, signed) = desk.keys.signer().unwrap();
        Plan {
            today,
            open_today: true,
            key: &desk.key,
            author: Some(Author {
                key,
                signed,
                description: Some(&desk.description),
                posters: vec![desk.key.public()],
            }),
            intake_key: Some(&desk.intake_key),
            mailbox: None,
            foreign: None,
        }
    }

    /// Publishes by a relay that accepts it.
    fn publish(&mut self, plan: &Plan<'_>) -> Vec<u8> {
        self.keeper.refresh();
        assert_eq!(self.keeper.next(plan, NOW), Some(Step::Fetch));
        let standing = self.keeper.bytes().map(<[u8]>::to_vec);
        self.keeper
            .handle_fetched(standing.ok_or(CardAbsent::NotFound), NOW);
        let Some(Step::Publish(card)) = self.keeper.next(plan, NOW) else {
            panic!("publishes");
        };
        self.keeper
            .handle_published(PublishAnswer::Published, NOW)
            .unwrap()
            .unwrap();
        card
    }
}

fn intake_key(day: Day, seed: u8) -> IntakeKey {
    IntakeKey {
        day,
        mailbox: SecretKey::from_bytes([seed; 32]),
        seed: IntakeSeed::from_bytes([seed; 32]),
    }
}
