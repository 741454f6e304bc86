//! What is said about circles.

use cobijo_protocol::{
    card::INTAKE_KEY_BYTES,
    circle::{About, CircleContent, CircleInvite, LetIn},
    commit::sign_person_rescue,
    content::MessageId,
    credential::{Credential, PersonLeaf},
    keys::PublicKey,
    limits::GROUP_ID_BYTES,
};
use serde_bytes::ByteBuf;

use super::{
    ACCOMPANIER, COORDINATOR, KEY_PACKAGE, LEAF, PERSON, attested, key, person_credential, public,
};

const CIRCLE: [u8; GROUP_ID_BYTES] = [0x43; GROUP_ID_BYTES];

pub(crate) fn credential() -> (&'static str, Credential, PublicKey) {
    let credential = person_credential(PersonLeaf::Device).with_alias("Colibrí");
    (
        "person, in a circle",
        Credential::Person(credential),
        public(LEAF),
    )
}

pub(crate) fn invite() -> CircleInvite {
    CircleInvite {
        circle: ByteBuf::from(CIRCLE),
        about: about(),
        facilitators: vec![attested(ACCOMPANIER), attested(COORDINATOR)],
        members: 7,
        answers_to: ByteBuf::from(vec![0x1e; INTAKE_KEY_BYTES]),
    }
}

fn about() -> About {
    About {
        name: "Los jueves".into(),
        about: "Para quien vive con alguien que la controla.".into(),
    }
}

pub(crate) fn let_ins() -> [(&'static str, LetIn); 2] {
    let let_in = |rescue| LetIn {
        key_package: ByteBuf::from(KEY_PACKAGE),
        rescue,
    };
    let rescue = sign_person_rescue(&key(PERSON), &CIRCLE, &public(LEAF));
    [("answer", let_in(None)), ("again", let_in(Some(rescue)))]
}

pub(crate) fn contents() -> impl Iterator<Item = (&'static str, CircleContent)> {
    let sealed = || ByteBuf::from(vec![0x5e; 1120 + 40 + 16]);
    let answer = CircleContent::Answer {
        invite: MessageId::from_bytes([0x1d; 16]),
        sealed: sealed(),
    };
    let again = CircleContent::Again {
        circle: ByteBuf::from(CIRCLE),
        sealed: sealed(),
    };
    [
        ("circle: about", CircleContent::About(about())),
        (
            "circle: side room",
            CircleContent::Side(ByteBuf::from(CIRCLE)),
        ),
        ("circle: invite", CircleContent::Invite(invite())),
        ("circle: answer", answer),
        ("circle: again", again),
    ]
    .into_iter()
}
