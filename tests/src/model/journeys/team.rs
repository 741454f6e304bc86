//! What members of the desk do.

use cobijo_client_core::core::client::{
    Command, ConversationView, DeskView, QueueState, Standing, TeamCommand,
};
use cobijo_protocol::{card::Role, content::Reads};

use super::{cast::ALIASES, world::World};
use crate::model::ledger::Fault;

impl World {
    /// One member does something.
    pub(super) fn act_as_member(&mut self) -> Result<(), Fault> {
        let member = self.below(self.members);
        match self.below(20) {
            0..6 => self.claim(member)?,
            6..12 => {
                let open = self.open(member);
                if let Some(view) = self.pick(&open).cloned() {
                    self.say(member, &view)?;
                }
            }
            12..16 => self.propose(member)?,
            16 => self.leave(member)?,
            17 if self.below(3) == 0 => self.evict(member)?,
            18 if self.below(5) == 0 => self.leave_desk(member)?,
            _ => self.turn_shift(member)?,
        }
        Ok(())
    }

    /// Open conversations of a client.
    pub(super) fn open(&self, id: usize) -> Vec<ConversationView> {
        let views = self.profiles[id].client.conversations().into_iter();
        views.filter(|view| view.open).collect()
    }

    /// The desk as a member sees it.
    pub(super) fn desk(&self, member: usize) -> Option<DeskView> {
        match self.profiles[member].client.standing() {
            Standing::Member(desk) => Some(*desk),
            _ => None,
        }
    }

    /// Whoever waits is answered, now and then by several at once.
    pub(super) fn claim(&mut self, member: usize) -> Result<(), Fault> {
        self.claim_first(member)?;
        if self.below(2) == 0 {
            let other = self.below(self.members);
            self.claim_first(other)?;
        }
        Ok(())
    }

    /// A member answers whoever waits longest.
    pub(super) fn claim_first(&mut self, member: usize) -> Result<(), Fault> {
        let rows = self.profiles[member].client.queue();
        let mut waiting = rows.iter();
        let waiting = waiting.find(|row| row.state == QueueState::Waiting);
        // Where a colleague was about to, she may be gone.
        let row = waiting.or(rows.first()).map(|row| row.id);
        if let Some(row) = row {
            let claim = Command::Team(TeamCommand::Claim(row));
            let done = self.command(member, claim)?;
            self.trace(|| format!("{} claims: {done:?}", ALIASES[member]));
        }
        Ok(())
    }

    fn propose(&mut self, member: usize) -> Result<(), Fault> {
        let open = self.open(member);
        let (Some(view), Some(desk)) = (self.pick(&open).cloned(), self.desk(member)) else {
            return Ok(());
        };
        let colleagues: Vec<_> = desk.colleagues.iter().filter(|one| !one.own).collect();
        let Some(colleague) = self
            .pick(&colleagues)
            .map(|one| (one.key, one.alias.clone()))
        else {
            return Ok(());
        };
        let propose = TeamCommand::Propose {
            conversation: view.id,
            colleague: colleague.0,
            purpose: cobijo_protocol::content::Purpose::Accompany,
            reason: "to listen too".to_owned(),
            reads: Reads::FromNow,
        };
        let done = self.command(member, Command::Team(propose))?;
        self.trace(|| format!("{} proposes {}: {done:?}", ALIASES[member], colleague.1));
        Ok(())
    }

    fn leave(&mut self, member: usize) -> Result<(), Fault> {
        let open = self.open(member);
        if let Some(view) = self.pick(&open).cloned() {
            let done = self.command(member, Command::Leave(view.id))?;
            self.trace(|| format!("{} leaves a conversation: {done:?}", ALIASES[member]));
        }
        Ok(())
    }

    /// A coordinator removes an accompanier from the desk.
    fn evict(&mut self, member: usize) -> Result<(), Fault> {
        let Some(desk) = self
            .desk(member)
            .filter(|desk| desk.role == Role::Coordinator)
        else {
            return Ok(());
        };
        let others: Vec<_> = { desk.colleagues.iter() }
            .filter(|one| !one.own && one.role != Role::Coordinator)
            .map(|one| (one.key, one.alias.clone()))
            .collect();
        // Somebody is to be left.
        if desk.colleagues.len() < 3 {
            return Ok(());
        }
        if let Some((key, alias)) = self.pick(&others).cloned() {
            let evict = Command::Team(TeamCommand::RemoveMember(key));
            if self.command(member, evict)? == Some(Ok(())) {
                self.trace(|| format!("{} evicts {alias}", ALIASES[member]));
                self.is_out(&alias);
            }
        }
        Ok(())
    }

    fn is_out(&mut self, alias: &str) {
        if let Some(member) = ALIASES.iter().position(|known| *known == alias) {
            self.profiles[member].is_out = true;
        }
    }

    fn leave_desk(&mut self, member: usize) -> Result<(), Fault> {
        let is_enough = self
            .desk(member)
            .is_some_and(|desk| desk.colleagues.len() > 2);
        if is_enough && self.command(member, Command::Team(TeamCommand::LeaveDesk))? == Some(Ok(()))
        {
            self.trace(|| format!("{} leaves the desk", ALIASES[member]));
            self.is_out(ALIASES[member]);
        }
        Ok(())
    }

    fn turn_shift(&mut self, member: usize) -> Result<(), Fault> {
        let Some(desk) = self.desk(member) else {
            return Ok(());
        };
        let turn = match desk.on_shift {
            false => TeamCommand::StartShift,
            true if self.below(3) == 0 => TeamCommand::EndShift,
            true => return Ok(()),
        };
        self.command(member, Command::Team(turn)).map(|_| ())
    }
}
