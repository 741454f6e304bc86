//! A desk that somebody has created, and who comes into it.

use anyhow::{Context, ensure};

use super::{Client, Relay};

/// A desk and its first coordinator.
pub struct Desk {
    /// Who created it.
    pub coordinator: Client,
    /// What people are given.
    pub link: String,
    /// What its relay's operator is given.
    pub id: String,
}

/// What creates a desk at a relay.
pub fn creating<'a>(relay: &'a str, alias: &'a str) -> [&'a str; 8] {
    let [create, to] = ["desk", "create"];
    [
        create, to, "--relay", relay, "--name", "Mesa", "--alias", alias,
    ]
}

impl Relay {
    /// A desk that this relay does not host yet.
    pub fn desk(&self, alias: &str) -> anyhow::Result<Desk> {
        let coordinator = self.client("coordinator")?;
        let created = coordinator.succeed(&creating(self.url(), alias))?;
        let created = created.event("desk-created")?;
        let text = |key: &str| created[key].as_str().map(str::to_owned).context("created");
        let (link, id) = (text("link")?, text("desk")?);
        Ok(Desk {
            coordinator,
            link,
            id,
        })
    }

    /// A desk that people can write to.
    pub fn open_desk(&self, alias: &str) -> anyhow::Result<Desk> {
        let desk = self.desk(alias)?;
        self.host(&desk.id)?;
        let begun = desk.coordinator.succeed(&["shift", "start"])?;
        begun.event("card-published")?;
        Ok(desk)
    }
}

impl Desk {
    /// An invitation for one.
    pub fn invite(&self) -> anyhow::Result<String> {
        let invited = self.coordinator.succeed(&["desk", "invite"])?;
        let invite = invited.event("invited")?["invite"].as_str();
        Ok(invite.context("invite")?.to_owned())
    }

    /// Lets a newcomer in, with the words compared; returns the invitation.
    pub fn admit(&self, newcomer: &Client, alias: &str) -> anyhow::Result<String> {
        self.admit_as(newcomer, alias, &[])
    }

    /// As [`Desk::admit`], with options of `desk admit`.
    pub fn admit_as(
        &self,
        newcomer: &Client,
        alias: &str,
        options: &[&str],
    ) -> anyhow::Result<String> {
        let invite = self.invite()?;
        let mut joining = newcomer.start_with(&["desk", "join", "--alias", alias], &invite)?;
        let words = joining.expect("invite-words")?;
        let words = words["words"]["es"].as_str().context("words")?;
        let admit = [&["desk", "admit"], options].concat();
        let admitted = self.coordinator.succeed_with(&admit, words)?;
        admitted.event("newcomer-joined")?;
        joining.expect("joined-desk")?;
        ensure!(joining.wait()?.success(), "joining ends well");
        Ok(invite)
    }
}
