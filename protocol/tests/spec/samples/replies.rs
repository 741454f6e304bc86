//! Threads of replies, valid and void.

use cobijo_protocol::intake::{MessageHash, Reply, SignedReply, sign_not_this_one};

use super::{ACCOMPANIER, COORDINATOR, KEY_PACKAGE, PERSON, attested, key, r, welcome_head};

/// Replies in the order of their indices.
type ReplyThread = Vec<(&'static str, Reply)>;

/// Replies for each kind of intake.
pub(crate) fn reply_threads() -> Vec<(&'static str, &'static str, ReplyThread)> {
    let signed = |by: u8, hashed: &[u8], content: &[u8]| {
        let (hash, content) = (MessageHash::of(hashed), content.to_vec());
        SignedReply::sign(&key(by), attested(ACCOMPANIER), &r(), hash, content)
    };
    let claims = |by: u8, welcome: u8| signed(by, &[welcome], &welcome_head(u32::from(welcome)));
    let claimed = |welcome: u8| Reply::Claimed(claims(ACCOMPANIER, welcome));
    let offered = |content: &[u8]| Reply::Offered(signed(ACCOMPANIER, content, content));
    let not_this_one = |index| sign_not_this_one(&key(PERSON), &r(), index);
    let attested = || Reply::Attested {
        attested: attested(ACCOMPANIER),
    };
    vec![
        (
            "to a first intake",
            "first",
            vec![
                (
                    "claimed without a head",
                    Reply::Claimed(signed(ACCOMPANIER, &[1], &[])),
                ),
                (
                    "claimed with the head of more bodies than there may be",
                    Reply::Claimed(signed(ACCOMPANIER, &[1], &welcome_head(64 * 4_053 + 1))),
                ),
                (
                    "claimed with another head than was signed",
                    Reply::Claimed(SignedReply {
                        content: welcome_head(2).into(),
                        ..claims(ACCOMPANIER, 1)
                    }),
                ),
                ("offered", offered(&KEY_PACKAGE)),
                ("attested", attested()),
                (
                    "claimed in another's name",
                    Reply::Claimed(claims(COORDINATOR, 1)),
                ),
                ("not this one, while none stands", not_this_one(0)),
                ("claimed", claimed(1)),
                ("claimed again", claimed(2)),
                ("not this one, of another index", not_this_one(8)),
                (
                    "not this one, by another key",
                    sign_not_this_one(&key(ACCOMPANIER), &r(), 7),
                ),
                ("not this one", not_this_one(7)),
                ("claimed behind it", claimed(2)),
            ],
        ),
        (
            "to one who came back",
            "came-back",
            vec![
                ("offered without content", offered(&[])),
                (
                    "offered with another content than was signed",
                    Reply::Offered(signed(ACCOMPANIER, &[1], &KEY_PACKAGE)),
                ),
                ("claimed", claimed(1)),
                (
                    "offered, whatever it holds",
                    offered(b"this is no KeyPackage"),
                ),
                ("not this one", not_this_one(3)),
                ("offered behind it", offered(&KEY_PACKAGE)),
            ],
        ),
    ]
}
