//! What is said inside a group besides MLS: terms, credentials, statements, commit data, messages.

use super::{
    cbor::{Item, bytes, map, text, uint},
    desk::{Attested, DeskKey, attested, desk_key, is_alias},
    signature::{PublicKey, holds, signed},
};

pub(crate) const POLICY: u16 = 1;
pub(crate) const TERMS: u16 = 0xF0C0;
pub(crate) const WELCOME_SECRET: u16 = 0xF0C1;
pub(crate) const EXPORTER_LABEL: &str = "cobijo channel";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Conversation,
    Circle,
    Desk,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) profile: Profile,
    pub(crate) policy: u16,
    pub(crate) root: PublicKey,
    pub(crate) facilitators: Vec<PublicKey>,
    pub(crate) predecessor: Option<Predecessor>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Predecessor {
    pub(crate) group: Vec<u8>,
    pub(crate) epoch: u64,
    pub(crate) number: u32,
}

impl Terms {
    pub(crate) fn decode(cbor: &[u8]) -> Option<Self> {
        let item = Item::decode(cbor)?;
        let [profile, policy, root, facilitators, predecessor] =
            item.fields(["profile", "policy", "root", "facilitators", "predecessor"])?;
        let predecessor = match predecessor {
            Item::Null => None,
            some => {
                let [group, epoch, number] = some.fields(["group", "epoch", "number"])?;
                Some(Predecessor {
                    group: group.bytes()?.to_vec(),
                    epoch: epoch.uint()?,
                    number: number.uint()?,
                })
            }
        };
        Some(Self {
            profile: match profile.text()? {
                "conversation" => Profile::Conversation,
                "circle" => Profile::Circle,
                "desk" => Profile::Desk,
                _ => return None,
            },
            policy: policy.uint()?,
            root: root.array()?,
            facilitators: facilitators
                .list()?
                .iter()
                .map(Item::array)
                .collect::<Option<_>>()?,
            predecessor,
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let predecessor = self.predecessor.as_ref().map(|before| {
            map([
                ("group", bytes(&before.group)),
                ("epoch", uint(before.epoch)),
                ("number", uint(before.number)),
            ])
        });
        map([
            (
                "profile",
                text(match self.profile {
                    Profile::Conversation => "conversation",
                    Profile::Circle => "circle",
                    Profile::Desk => "desk",
                }),
            ),
            ("policy", uint(self.policy)),
            ("root", bytes(self.root)),
            (
                "facilitators",
                Item::List(self.facilitators.iter().map(bytes).collect()),
            ),
            ("predecessor", predecessor.unwrap_or(Item::Null)),
        ])
        .encode()
    }
}

/// Who a leaf is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    Member(Attested),
    Person {
        person: PublicKey,
        serial: u32,
        is_return: bool,
        has_alias: bool,
    },
}

/// A leaf's credential, accepted under the root.
pub(crate) fn identity(credential: &[u8], leaf_key: &[u8], root: &PublicKey) -> Option<Identity> {
    let item = Item::decode(credential)?;
    match item.choice()? {
        ("member", value) => {
            let member = attested(value, root)?;
            (member.key == *leaf_key).then_some(Identity::Member(member))
        }
        ("person", value) => {
            let [person, serial, leaf, signature, alias] =
                value.fields(["person", "serial", "leaf", "signature", "alias"])?;
            let has_alias = *alias != Item::Null;
            if has_alias && !alias.text().is_some_and(is_alias) {
                return None;
            }
            let is_return = match leaf.text()? {
                "device" => false,
                "return" => true,
                _ => return None,
            };
            let (person, serial): (PublicKey, u32) = (person.array()?, serial.uint()?);
            let message = [&serial.to_be_bytes(), &[u8::from(is_return)][..], leaf_key].concat();
            holds(&person, "person leaf", &[&message], signature.bytes()?).then_some(
                Identity::Person {
                    person,
                    serial,
                    is_return,
                    has_alias,
                },
            )
        }
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommitData {
    pub(crate) policy: u16,
    pub(crate) cut: Vec<(u32, u32)>,
    pub(crate) statements: Vec<Item>,
    pub(crate) welcomes: Vec<(u32, [u8; 32])>,
}

impl CommitData {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let pair = |(a, b): &(u32, u32)| Item::List(vec![uint(*a), uint(*b)]);
        let welcome =
            |(total, secret): &(u32, [u8; 32])| Item::List(vec![uint(*total), bytes(secret)]);
        map([
            ("policy", uint(self.policy)),
            ("cut", Item::List(self.cut.iter().map(pair).collect())),
            ("statements", Item::List(self.statements.clone())),
            (
                "welcomes",
                Item::List(self.welcomes.iter().map(welcome).collect()),
            ),
        ])
        .encode()
    }

    pub(crate) fn decode(cbor: &[u8]) -> Option<Self> {
        let item = Item::decode(cbor)?;
        let [policy, cut, statements, welcomes] =
            item.fields(["policy", "cut", "statements", "welcomes"])?;
        let pair = |item: &Item| match item.list()? {
            [leaf, count] => Some((leaf.uint()?, count.uint()?)),
            _ => None,
        };
        let welcome = |item: &Item| match item.list()? {
            [total, secret] => Some((total.uint()?, secret.array()?)),
            _ => None,
        };
        Some(Self {
            policy: policy.uint()?,
            cut: cut.list()?.iter().map(pair).collect::<Option<_>>()?,
            statements: statements.list()?.to_vec(),
            welcomes: welcomes
                .list()?
                .iter()
                .map(welcome)
                .collect::<Option<_>>()?,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Statement {
    Leave {
        leaf: u32,
        signature: Vec<u8>,
    },
    Wipe {
        person: PublicKey,
        signature: Vec<u8>,
    },
    Removal {
        desk: DeskKey,
        key: PublicKey,
    },
    PersonRescue {
        person: PublicKey,
        leaf_key: PublicKey,
        signature: Vec<u8>,
    },
    MemberRescue {
        desk: DeskKey,
        group: Vec<u8>,
        old: PublicKey,
        new: PublicKey,
    },
}

impl Statement {
    /// A statement; what the desk signed is verified under the root.
    pub(crate) fn read(item: &Item, root: &PublicKey) -> Option<Self> {
        match item.choice()? {
            ("leave", value) => {
                let [leaf, signature] = value.fields(["leaf", "signature"])?;
                Some(Self::Leave {
                    leaf: leaf.uint()?,
                    signature: signature.bytes()?.to_vec(),
                })
            }
            ("wipe", value) => {
                let [person, signature] = value.fields(["person", "signature"])?;
                Some(Self::Wipe {
                    person: person.array()?,
                    signature: signature.bytes()?.to_vec(),
                })
            }
            ("removal", value) => {
                let [desk, removal] = value.fields(["desk_key", "removal"])?;
                let desk = desk_key(desk, root)?;
                let body = signed(removal, "removal", &desk.key)?;
                Some(Self::Removal {
                    key: body.fields(["key"])?[0].array()?,
                    desk,
                })
            }
            ("person-rescue", value) => {
                let [person, leaf_key, signature] =
                    value.fields(["person", "leaf_key", "signature"])?;
                Some(Self::PersonRescue {
                    person: person.array()?,
                    leaf_key: leaf_key.array()?,
                    signature: signature.bytes()?.to_vec(),
                })
            }
            ("member-rescue", value) => {
                let [desk, rescue] = value.fields(["desk_key", "rescue"])?;
                let desk = desk_key(desk, root)?;
                let body = signed(rescue, "member rescue", &desk.key)?;
                let [group, old, new] = body.fields(["group", "old_key", "new_key"])?;
                Some(Self::MemberRescue {
                    group: group.bytes()?.to_vec(),
                    old: old.array()?,
                    new: new.array()?,
                    desk,
                })
            }
            _ => None,
        }
    }
}

/// `group` in what is signed: length u32 BE ‖ group id.
pub(crate) fn named(group: &[u8]) -> Vec<u8> {
    [&u32::try_from(group.len()).unwrap().to_be_bytes(), group].concat()
}

/// Day, serial and signed form of the desk key, and MLSMessage with the Welcome.
type WelcomePayload = (u32, Option<(u32, Item)>, Vec<u8>);

/// A Welcome's payload, its desk key verified.
pub(crate) fn welcome_payload(payload: &[u8], root: &PublicKey) -> Option<WelcomePayload> {
    let item = Item::decode(payload)?;
    let [day, key, welcome] = item.fields(["day", "desk_key", "welcome"])?;
    let key = match key {
        Item::Null => None,
        some => Some((desk_key(some, root)?.serial, some.clone())),
    };
    Some((day.uint()?, key, welcome.bytes()?.to_vec()))
}

/// An application message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: [u8; 16],
    pub(crate) clock: u64,
    pub(crate) content: Item,
}

impl Message {
    pub(crate) fn encode(&self) -> Vec<u8> {
        map([
            ("id", bytes(self.id)),
            ("clock", uint(self.clock)),
            ("content", self.content.clone()),
        ])
        .encode()
    }

    pub(crate) fn decode(cbor: &[u8]) -> Option<Self> {
        let item = Item::decode(cbor)?;
        let [id, clock, content] = item.fields(["id", "clock", "content"])?;
        Some(Self {
            id: id.array()?,
            clock: clock.uint()?,
            content: content.clone(),
        })
    }
}
