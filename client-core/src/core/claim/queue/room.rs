//! What a full queue does: a stranger who fills it keeps nobody from being seen.

use cobijo_protocol::{
    cell::Cell,
    limits::MAILBOX_ITEMS_MAX,
    mailbox::{ItemId, MailboxKey},
};

use super::{Queue, Row, State};
use crate::core::port::Now;

/// Rows that one day brings. What is left out stands in its mailbox, and comes with the next connection.
const ROWS_OF_DAY_MAX: usize = MAILBOX_ITEMS_MAX;

/// Rows in all: a profile must not grow beyond what can be saved.
const ROWS_MAX: usize = 8 * MAILBOX_ITEMS_MAX;

impl Queue {
    /// Makes room for a row of today; false where no row may give way.
    pub(super) fn make_room(&mut self, now: Now) -> bool {
        let is_of_today = |row: &Row| row.since.day() == now.day();
        let of_today = self.rows.iter().filter(|row| is_of_today(row)).count();
        let is_day_full = of_today >= ROWS_OF_DAY_MAX;
        if !is_day_full && self.rows.len() < ROWS_MAX {
            return true;
        }
        let rows = self.rows.iter().enumerate();
        let may_go =
            rows.filter(|(_, row)| row.may_give_way() && (!is_day_full || is_of_today(row)));
        let first = may_go.min_by_key(|(_, row)| (!row.is_unanswerable, row.since));
        let Some((position, _)) = first else {
            return false;
        };
        for (mailbox, _) in self.rows.remove(position).items {
            self.leave_out(mailbox, now);
        }
        true
    }

    /// Something of that mailbox is not kept here: it is not empty, though nothing seems to stand there.
    /// [D-9]
    pub(super) fn leave_out(&mut self, mailbox: MailboxKey, now: Now) {
        self.left_out.retain(|(other, _)| *other != mailbox);
        self.left_out.push((mailbox, now));
    }

    /// Keeps an item that no key opens, to try it again.
    pub(super) fn keep_closed(&mut self, mailbox: MailboxKey, item: ItemId, cell: &Cell, now: Now) {
        if self.closed.iter().any(|(_, kept, _)| *kept == item) {
            return;
        }
        if self.closed.len() < MAILBOX_ITEMS_MAX {
            self.closed.push_back((mailbox, item, cell.clone()));
        } else {
            self.leave_out(mailbox, now);
        }
    }
}

impl Row {
    /// Whether nobody claimed or answered it, and it comes again because its item stands.
    fn may_give_way(&self) -> bool {
        self.state == State::Waiting && !self.items.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cobijo_protocol::{
        content::IntakeKey,
        intake::{Intake, IntakeKind, intake_info},
        keys::{IntakeSeed, SecretKey},
        link::DeskId,
        slot::ThreadSecret,
    };

    use super::*;
    use crate::{
        core::claim::queue::{LiveKey, Opened, RETENTION_MAX},
        mls::hpke,
    };

    const NOW: Now = Now::from_millis(20_000 * 86_400_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn desk() -> DeskId {
        DeskId::of(&SecretKey::from_bytes([3; 32]).public())
    }

    fn key() -> IntakeKey {
        IntakeKey {
            day: 20_000,
            mailbox: SecretKey::from_bytes([4; 32]),
            seed: IntakeSeed::from_bytes([2; 32]),
        }
    }

    fn mailbox() -> MailboxKey {
        MailboxKey::of(&key().mailbox)
    }

    /// Where all but the person of the test wrote.
    fn other_mailbox() -> MailboxKey {
        MailboxKey::of(&SecretKey::from_bytes([5; 32]))
    }

    fn r(number: u32) -> ThreadSecret {
        let mut r = [0; 32];
        r[..4].copy_from_slice(&number.to_be_bytes());
        ThreadSecret::from_bytes(r)
    }

    fn item(number: u32) -> ItemId {
        let mut item = [0; 16];
        item[..4].copy_from_slice(&number.to_be_bytes());
        ItemId::from_bytes(item)
    }

    fn intake(number: u32) -> Intake {
        Intake {
            r: r(number),
            person: SecretKey::from_bytes([1; 32]).public(),
            language: "es".to_owned(),
            kind: IntakeKind::First,
            text: String::new(),
        }
    }

    /// A queue into which a stranger wrote, so often on each of so many days.
    fn full(days: u32, of_day: u32) -> Queue {
        let mut queue = Queue::new(desk());
        for number in 0..days * of_day {
            let opened = Opened {
                intake: intake(number),
                seed: key().seed,
                claims: Vec::new(),
                told: None,
            };
            let at = NOW.plus(DAY * (number / of_day));
            queue.take(opened, (other_mailbox(), item(number)), at);
        }
        queue
    }

    /// Somebody writes in earnest; says whether she is a row.
    fn write(queue: &mut Queue, number: u32, now: Now) -> bool {
        let key = key();
        let pair = hpke::key_pair(key.seed.as_bytes()).unwrap();
        let plaintext = intake(number).to_plaintext().unwrap();
        let sealed = hpke::seal(&pair.public, &intake_info(&desk(), 1, key.day), &plaintext);
        let cell = Cell::from_bytes(sealed.unwrap().try_into().unwrap());
        let live = LiveKey {
            key: &key,
            since: 1,
            newest: 1,
        };
        queue.handle_item(mailbox(), item(number), &cell, &[live], now)
    }

    fn is_row(queue: &Queue, number: u32) -> bool {
        queue.row_of(&r(number)).is_some()
    }

    #[test]
    fn where_all_rows_are_full_whoever_writes_next_is_shown_and_the_oldest_gives_way() {
        let mut queue = full(8, 1_024);
        let now = NOW.plus(DAY * 8);
        assert!(write(&mut queue, 9_000, now));
        assert_eq!(queue.rows.len(), ROWS_MAX);
        assert!(is_row(&queue, 9_000));
        assert!(!is_row(&queue, 0));
        assert!(is_row(&queue, 1));
    }

    #[test]
    fn where_a_day_is_full_a_row_of_that_day_gives_way_and_none_of_the_days_before() {
        let mut queue = full(1, 1_024);
        let early = queue.row_of(&r(0)).unwrap();
        queue.row_mut(early).unwrap().since = Now::from_millis(0);
        assert!(write(&mut queue, 9_000, NOW));
        assert!(write(&mut queue, 9_001, NOW));
        assert!(is_row(&queue, 0) && is_row(&queue, 9_000) && is_row(&queue, 9_001));
        assert!(!is_row(&queue, 1));
        assert!(is_row(&queue, 2));
    }

    #[test]
    fn what_could_not_be_answered_gives_way_first_and_what_somebody_claimed_never() {
        let mut queue = full(1, 1_024);
        let id = |queue: &Queue, number| queue.row_of(&r(number)).unwrap();
        let (first, second, late) = (id(&queue, 0), id(&queue, 1), id(&queue, 700));
        queue.claim(first).unwrap();
        queue.answered(second, false, NOW);
        queue.unanswerable(late);
        assert!(write(&mut queue, 9_000, NOW));
        assert!(!is_row(&queue, 700) && is_row(&queue, 2));
        assert!(write(&mut queue, 9_001, NOW));
        assert!(!is_row(&queue, 2));
        assert!(is_row(&queue, 0) && is_row(&queue, 1));
    }

    #[test]
    fn who_would_not_come_again_keeps_her_row() {
        let mut queue = full(1, 1_024);
        queue.rows[0].items.clear();
        assert!(write(&mut queue, 9_000, NOW));
        assert!(is_row(&queue, 0) && !is_row(&queue, 1));
    }

    /// [D-9]
    #[test]
    fn a_mailbox_of_which_a_row_gave_way_is_not_found_empty() {
        let mut queue = full(1, 1_024);
        assert!(write(&mut queue, 9_000, NOW));
        queue.rows.clear();
        assert!(queue.holds(&other_mailbox()));
        assert!(!queue.holds(&mailbox()));
        queue.forget_old(NOW.plus(RETENTION_MAX));
        assert!(queue.holds(&other_mailbox()));
        queue.forget_old(NOW.plus(RETENTION_MAX + DAY));
        assert!(!queue.holds(&other_mailbox()), "no relay has it any more");
    }

    /// [D-9]
    #[test]
    fn a_mailbox_of_which_an_item_was_left_out_is_not_found_empty() {
        let mut queue = full(1, 1_024);
        for row in &mut queue.rows {
            row.state = State::Claiming;
        }
        assert!(!write(&mut queue, 9_000, NOW));
        assert_eq!(queue.rows.len(), ROWS_OF_DAY_MAX);
        assert!(queue.holds(&mailbox()));
    }

    /// [D-9]
    #[test]
    fn of_what_no_key_opens_so_much_is_kept_and_the_rest_is_known_to_stand() {
        let mut queue = Queue::new(desk());
        for number in 0..1_024 {
            queue.handle_item(other_mailbox(), item(number), &Cell::void(), &[], NOW);
        }
        queue.handle_item(mailbox(), item(9_000), &Cell::void(), &[], NOW);
        assert_eq!(queue.closed.len(), MAILBOX_ITEMS_MAX);
        assert!(queue.holds(&mailbox()));
    }
}
