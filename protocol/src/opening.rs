//! When a desk is open, as its card says. [D-13]

use serde::{Deserialize, Serialize};

use crate::limits::{OPEN_SPANS_MAX, ZONE_BYTES_MAX};

/// Days of a week.
const WEEK_DAYS: u8 = 7;
/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// When somebody answers, so that a client can tell whether that is now. [D-13]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The desk's time zone, as the IANA names it; empty where the week is.
    pub zone: String,
    /// The spans of a week, in order; empty where the desk doesn't say.
    pub week: Vec<OpenSpan>,
    /// Nobody answers until the desk says otherwise.
    pub paused: bool,
}

/// A span of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenSpan {
    /// 0 for Monday, 6 for Sunday.
    pub day: u8,
    /// First minute of the day.
    pub from: u16,
    /// The minute after the last one; 1,440 is midnight.
    pub to: u16,
}

/// Whether somebody answers at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The desk doesn't say.
    Unknown,
    /// The desk is paused.
    Paused,
    /// Somebody is there.
    Open,
    /// Nobody is there before then.
    Closed {
        /// In how many days: 0 is the same one.
        in_days: u8,
        /// At which minute of that day.
        minute: u16,
    },
}

impl Opening {
    /// Whether it is what [D-13] says: bounded, in order, without overlaps, with a zone where there is a week.
    pub fn is_valid(&self) -> bool {
        let is_letter = |c: u8| c.is_ascii_alphanumeric() || b"_/+-".contains(&c);
        let zone_holds = self.zone.len() <= ZONE_BYTES_MAX && self.zone.bytes().all(is_letter);
        let spans_hold = self
            .week
            .iter()
            .all(|span| span.day < WEEK_DAYS && span.from < span.to && span.to <= DAY_MINUTES);
        let apart = |pair: &[OpenSpan]| matches!(pair, [one, next] if (one.day, one.to) < (next.day, next.from));
        zone_holds
            && self.zone.is_empty() == self.week.is_empty()
            && self.week.len() <= OPEN_SPANS_MAX
            && spans_hold
            && self.week.windows(2).all(apart)
    }

    /// Whether somebody answers at `minute` of weekday `day` (0 is Monday) in the desk's zone.
    pub fn at(&self, day: u8, minute: u16) -> Door {
        if self.paused {
            return Door::Paused;
        }
        if self.week.is_empty() {
            return Door::Unknown;
        }
        let is_now = |span: &OpenSpan| span.day == day && (span.from..span.to).contains(&minute);
        if self.week.iter().any(is_now) {
            return Door::Open;
        }
        let until = |span: &OpenSpan| {
            let days = (span.day + WEEK_DAYS - day % WEEK_DAYS) % WEEK_DAYS;
            // What has begun today begins again in a week.
            let is_past = days == 0 && span.from <= minute;
            (if is_past { WEEK_DAYS } else { days }, span.from)
        };
        match self.week.iter().map(until).min() {
            Some((in_days, minute)) => Door::Closed { in_days, minute },
            None => Door::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(day: u8, from: u16, to: u16) -> OpenSpan {
        OpenSpan { day, from, to }
    }

    fn week(week: &[OpenSpan]) -> Opening {
        Opening {
            zone: "America/Mexico_City".to_owned(),
            week: week.to_vec(),
            paused: false,
        }
    }

    /// [D-13]
    #[test]
    fn a_desk_is_open_in_its_spans_and_tells_when_the_next_one_begins() {
        let desk = week(&[span(0, 540, 780), span(0, 960, 1320), span(3, 0, 1440)]);
        for (day, minute, expected) in [
            (
                0,
                0,
                Door::Closed {
                    in_days: 0,
                    minute: 540,
                },
            ),
            (0, 540, Door::Open),
            (0, 779, Door::Open),
            (
                0,
                780,
                Door::Closed {
                    in_days: 0,
                    minute: 960,
                },
            ),
            (
                0,
                1320,
                Door::Closed {
                    in_days: 3,
                    minute: 0,
                },
            ),
            (3, 1439, Door::Open),
            (
                4,
                0,
                Door::Closed {
                    in_days: 3,
                    minute: 540,
                },
            ),
            (
                6,
                1439,
                Door::Closed {
                    in_days: 1,
                    minute: 540,
                },
            ),
        ] {
            assert_eq!(desk.at(day, minute), expected, "{day} {minute}");
        }
        let once = week(&[span(2, 600, 660)]);
        assert_eq!(
            once.at(2, 660),
            Door::Closed {
                in_days: 7,
                minute: 600
            }
        );
    }

    /// [D-13]
    #[test]
    fn a_desk_that_says_nothing_is_neither_open_nor_closed_and_a_paused_one_is_paused() {
        assert_eq!(Opening::default().at(0, 0), Door::Unknown);
        let paused = Opening {
            paused: true,
            ..week(&[span(0, 0, 1440)])
        };
        assert_eq!(paused.at(0, 600), Door::Paused);
    }

    /// [D-13]
    #[test]
    fn spans_out_of_bounds_or_order_and_other_zones_do_not_hold() {
        assert!(Opening::default().is_valid());
        assert!(week(&[span(0, 0, 1440), span(1, 0, 1)]).is_valid());
        for wrong in [
            week(&[span(7, 0, 1)]),
            week(&[span(0, 0, 1441)]),
            week(&[span(0, 5, 5)]),
            week(&[span(1, 0, 1), span(0, 0, 1)]),
            week(&[span(0, 0, 10), span(0, 10, 20)]),
            week(&[span(0, 0, 10); OPEN_SPANS_MAX + 1]),
            week(&[]),
            Opening {
                zone: "x".repeat(ZONE_BYTES_MAX + 1),
                ..week(&[span(0, 0, 1)])
            },
            Opening {
                zone: "UTC\u{7}".to_owned(),
                ..week(&[span(0, 0, 1)])
            },
            Opening {
                zone: String::new(),
                ..week(&[span(0, 0, 1)])
            },
        ] {
            assert!(!wrong.is_valid(), "{wrong:?}");
        }
        let many: Vec<_> = (0..7)
            .flat_map(|day| [0, 200, 400].map(|from| span(day, from, from + 100)))
            .collect();
        assert!(week(&many[..OPEN_SPANS_MAX.min(many.len())]).is_valid());
    }
}
