//! Every limit that SPEC.md names, each with its unit and its reason. What only one side knows stands in its own
//! `limits.rs`.

use std::time::Duration;

/// Version that `Hello` names; the WebSocket subprotocol is [`SUBPROTOCOL`].
pub const PROTOCOL_VERSION: u16 = 1;

/// WebSocket subprotocol of this version.
pub const SUBPROTOCOL: &str = "cobijo.1";

/// Path of the relay's WebSocket endpoint.
pub const RELAY_PATH: &str = "/v1/relay";

/// Path below which cards are read and published.
pub const CARDS_PATH: &str = "/v1/cards/";

/// Bytes of a cell: one page, which holds an application message with room for a classic commit.
pub const CELL_BYTES: usize = 4096;

/// Frames are padded to multiples of this: a cell with its operation fits one.
pub const FRAME_UNIT_BYTES: usize = 4352;

/// Operations in one frame: as many cells as a head may have bodies.
pub const FRAME_OPERATIONS_MAX: usize = 64;

/// Largest frame: every operation a put.
pub const FRAME_BYTES_MAX: usize = FRAME_UNIT_BYTES * FRAME_OPERATIONS_MAX;

/// Addresses in one watch: two units of a frame, and bounded work for one operation.
pub const WATCH_ADDRESSES_MAX: usize = 256;

/// Empty addresses one connection may have registered. Bounds the relay's memory.
pub const REGISTERED_ADDRESSES_MAX: usize = 1024;

/// Addresses that the watches of one frame may name, each counted once: as many as can be registered.
/// Bounds what follows a frame: its cells are a hundred times its size.
pub const FRAME_ADDRESSES_MAX: usize = REGISTERED_ADDRESSES_MAX;

/// Puts one connection may make until tokens are issued; then it connects again.
pub const CONNECTION_CREDITS: u32 = 1024;

/// Cells waiting in one mailbox. A flood at the door stops here.
pub const MAILBOX_ITEMS_MAX: usize = 1024;

/// Mailboxes one connection may have open: the four that cards named last, and as many more of those whose
/// keys are kept. Bounds the relay's memory.
pub const OPEN_MAILBOXES_MAX: usize = 8;

/// Bytes of a group's id [G-2]: what names a group, an intake or a capsule, keeps room for the rest.
pub const GROUP_ID_BYTES: usize = 32;

/// Bytes of a published card, so that a landing page stays small.
pub const CARD_BYTES_MAX: usize = 8192;

/// Bodies of one head: one frame of puts.
pub const HEAD_BODIES_MAX: usize = 64;

/// Bodies of a file: 16 MB, which is most photos as cameras write them, and a quarter of an hour of a slow mobile
/// network.
pub const FILE_BODIES_MAX: usize = 4096;

/// Bodies of the smallest file, so that small ones are all alike.
pub const FILE_BODIES_MIN: usize = 16;

/// Bytes of what an author calls a file: one line.
pub const FILE_LABEL_BYTES_MAX: usize = 200;

/// Longest time that a file is shown.
pub const FILE_SHOWN_MAX: Duration = Duration::from_secs(72 * 3600);

/// Files of one conversation that are remembered: what erasing them costs stays bounded.
pub const FILES_MAX: usize = 64;

/// Days a cell lives unless the relay says otherwise.
pub const RETENTION_DAYS_DEFAULT: u16 = 90;

/// Shortest retention.
pub const RETENTION_DAYS_MIN: u16 = 30;

/// Longest retention.
pub const RETENTION_DAYS_MAX: u16 = 180;

/// Silence after which either side sends a WebSocket ping: below the idle time-outs of common proxies.
pub const PING_INTERVAL: Duration = Duration::from_secs(25);

/// Silence after which a connection is dead.
pub const DEAD_AFTER: Duration = Duration::from_secs(60);

/// Frames a client sends before the first of them is answered: a round trip is used well, and what
/// must go again after a lost connection stays little.
pub const FRAMES_IN_FLIGHT_MAX: usize = 4;

/// Time after which a client puts again what the relay was too busy for.
pub const BUSY_RETRY: Duration = Duration::from_secs(5);

/// Messages of one leaf that a cut may count: the work of closing an epoch stays bounded.
pub const CUT_MESSAGES_MAX: u32 = 512;

/// Slots of every other leaf that a reader watches ahead.
pub const STREAM_AHEAD: u64 = 16;

/// Slots watched ahead in groups above [`STREAM_AHEAD_SMALL_ABOVE`] leaves.
pub const STREAM_AHEAD_SMALL: u64 = 4;

/// Leaves above which fewer slots are watched ahead, to stay within a connection's registrations.
pub const STREAM_AHEAD_SMALL_ABOVE: usize = 20;

/// Void commit slots of one epoch after which "someone here is blocking" is said.
pub const COMMIT_VOIDS_REPORTED: u64 = 256;

/// How far ahead of the own Lamport clock a message's may be.
pub const LAMPORT_AHEAD_MAX: u64 = 1 << 20;

/// Bytes of an alias: it stands above every message.
pub const ALIAS_BYTES_MAX: usize = 64;

/// Spans of a week in which a desk says that it is open: three a day.
pub const OPEN_SPANS_MAX: usize = 21;

/// Bytes of a time zone's name: the longest of the IANA has 32.
pub const ZONE_BYTES_MAX: usize = 64;

/// Members that may post a card's daily part.
pub const CARD_POSTERS_MAX: usize = 50;

/// Time a desk key is valid.
pub const DESK_KEY_DAYS: u32 = 30;

/// Days on which an attested member may be added to groups; who is removed doesn't wait for their end.
pub const ATTESTATION_DAYS: u32 = 365;

/// Time an invite may be used.
pub const INVITE_LIFETIME: Duration = Duration::from_secs(48 * 3600);

/// Time an intake key is kept at least.
pub const INTAKE_KEY_LIFETIME: Duration = Duration::from_secs(72 * 3600);

/// Time after which an observer takes a claim as lapsed.
pub const CLAIM_LIFETIME: Duration = Duration::from_secs(120);

/// Indices of a welcome thread that are tried: a squatter pays for each.
pub const WELCOME_INDICES_MAX: u64 = 256;

/// Indices of a taking thread that are read, by its owner and by takers: a squatter pays for each.
pub const TAKING_INDICES_MAX: u64 = 256;

/// Texts kept from one waiting thread: whoever knows `r` may write there.
pub const WAITING_TEXTS_MAX: usize = 64;

/// Days of a capsule's month: whoever comes back reads a few threads, whatever the retention.
pub const CAPSULE_MONTH_DAYS: u32 = 28;

/// Slots of a month's capsule thread that are looked at: a squatter pays for each.
pub const CAPSULE_SLOTS_MAX: u64 = 256;

/// Generations of a phrase's keys: whoever comes back goes on in the next one.
pub const PHRASE_GENERATIONS: u32 = 32;

/// Bodies of a capsule: what [`CAPSULE_LEAVES_MAX`] return leaves need.
pub const CAPSULE_BODIES_MAX: usize = 8;

/// Return leaves of a capsule: the next one, and those that may still be in the group.
pub const CAPSULE_LEAVES_MAX: usize = 4;

/// Facilitators of a circle: one who is ill or gone must not end it, and more would outnumber a small one.
pub const CIRCLE_FACILITATORS_MAX: usize = 2;

/// Members of a circle, facilitators included: with 4 slots ahead of each other leaf, what one watches there stays
/// within the registrations of a connection, and a Welcome (4 KiB a member) within one head.
pub const CIRCLE_MEMBERS_MAX: usize = 50;

/// Bytes of what an invitation says of its circle: it is read before yes and no.
pub const CIRCLE_ABOUT_BYTES_MAX: usize = 2000;

/// Circles that a capsule leads back to: with 1.4 KB each they fit beside [`CAPSULE_LEAVES_MAX`] leaves.
pub const CAPSULE_CIRCLES_MAX: usize = 4;

/// Capsules that are opened of all that stand: a device that she no longer has can write them.
pub const CAPSULES_OPENED_MAX: usize = 16;

/// Bytes of a line of the hand-over board: three of them are read at a glance.
pub const BOARD_TEXT_BYTES_MAX: usize = 600;

/// Bytes of a line of the team's notes: what helps the next one, and no protocol of what was said.
pub const NOTE_TEXT_BYTES_MAX: usize = 1_000;

/// How far ahead of what is known a version of a board row or of notes may be, so that nobody uses all up.
pub const VERSIONS_AHEAD_MAX: u64 = 1 << 20;

/// Bytes of a word for a coordinator before it is sealed: all are as long, and a note of half a page fits.
pub const WORD_BYTES: usize = 2_048;

/// Time that somebody waits before the coordinators are told, and before they are told again.
pub const UNCLAIMED_AFTER: Duration = Duration::from_secs(3_600);
/// Bytes of a summary: a page that a newcomer reads before her first word.
pub const SUMMARY_BYTES_MAX: usize = 4_000;

/// Version of a summary that a member's may have: above it only the person's count, so that nobody takes it
/// out of her hands.
pub const SUMMARY_VERSION_OF_MEMBERS_MAX: u32 = 1 << 31;

/// Version above which the numbering begins anew when a member goes: honest edits don't come near.
pub const SUMMARY_VERSION_ORDINARY_MAX: u32 = 1 << 20;

/// Versions that her erasing leaves room for: what others were just writing doesn't bring the summary back.
pub const SUMMARY_ERASED_AHEAD: u32 = 64;

/// Bytes of the reason of a proposal: some lines for the person to read.
pub const REASON_BYTES_MAX: usize = 2_000;

/// Unused KeyPackages that each colleague keeps in the desk group.
pub const POOL_KEY_PACKAGES: usize = 4;

/// Time after which anyone posts the desk's snapshot, where whoever added a member did not.
pub const SNAPSHOT_WAIT: Duration = Duration::from_secs(600);

/// Days before the end of retention from which a member away that long is stale.
pub const STALE_MARGIN_DAYS: u32 = 3;

/// Days that the relay's clock may jump before it refuses to sweep.
pub const SWEEP_JUMP_DAYS_MAX: u32 = 2;

/// Time from the upgrade to the first frame, which says hello.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for a message that has begun to be whole, or to grow by another [`FRAME_UNIT_BYTES`].
pub const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Time that a message has in all, beyond [`MESSAGE_TIMEOUT`], for each [`FRAME_UNIT_BYTES`] of it that has
/// arrived: 35 kbit/s, so that a slow mobile network gets a large frame through.
pub const MESSAGE_UNIT_TIMEOUT: Duration = Duration::from_secs(1);
