use std::collections::HashMap;

use rtcd_sdk::Peer;
use rtcd_sdk::jsip::ByteString;

use crate::mail::Refusal;
use crate::settings::Settings;

/// How many memberships there are, and whose connections they came by: a member's identity may be anybody's.
#[derive(Debug, Default)]
pub(crate) struct Memberships {
    all: usize,
    /// Never 0. What other servers send is not in it.
    by_user: HashMap<ByteString, usize>,
}

impl Memberships {
    /// One more, by this connection.
    pub(crate) fn begin(&mut self, by: Option<&Peer>, settings: &Settings) -> Result<(), Refusal> {
        if self.all >= settings.all_memberships.get() {
            return Err(Refusal::TooManyMemberships);
        }
        if let Some(peer) = by {
            match self.by_user.get_mut(peer.user()) {
                Some(count) if *count >= settings.memberships.get() => {
                    return Err(Refusal::TooManyMemberships);
                }
                Some(count) => *count += 1,
                None => {
                    self.by_user.insert(ByteString::from(peer.user()), 1);
                }
            }
        }
        self.all += 1;
        Ok(())
    }

    /// One that came by this connection is over.
    pub(crate) fn end(&mut self, by: Option<&Peer>) {
        self.all -= 1;
        let Some(user) = by.map(Peer::user) else { return };
        if let Some(count) = self.by_user.get_mut(user) {
            *count -= 1;
            if *count == 0 {
                self.by_user.remove(user);
            }
        }
    }
}
