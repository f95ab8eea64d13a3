use std::time::Instant;

use jsip::{DialogId, Request, Uri};

use super::actor::Actor;
use super::{Dialog, DialogState, Harness, text};
use crate::host::{Effect, Event, World};
use crate::{Peer, Slp};

/// More steps than these without a pause are taken for an endless loop.
const ROUNDS: usize = 1_000_000;

impl<P: Slp> Harness<P> {
    pub(super) fn feed(&mut self, dialog: Dialog, event: Event) {
        let index = self.state(dialog).actor;
        if self.actor_mut(index).is_over() {
            self.log.push_str("   (nobody is there)\n");
            return;
        }
        self.actor_mut(index).feed(event);
        self.run_unless_held();
    }

    pub(super) fn run_unless_held(&mut self) {
        if !self.held {
            self.run();
        }
    }

    #[expect(clippy::panic, reason = "for tests: a service that never rests is wrong")]
    pub(super) fn run(&mut self) {
        for _ in 0..ROUNDS {
            if !self.step() {
                return;
            }
        }
        panic!("the service never rests");
    }

    /// Gives an actor its turn; whether it had anything to do.
    pub(super) fn turn(&mut self, index: usize) -> bool {
        let now = self.world.now();
        let Some(turn) = self.actor_mut(index).turn(now) else { return false };
        for effect in turn.effects {
            self.apply(index, effect);
        }
        let actor = self.actor_mut(index);
        let name = actor.name.clone();
        match turn.end {
            Some(outcome) => {
                let mark = if actor.ends() {
                    actor.close();
                    "=="
                } else {
                    "!!"
                };
                match outcome {
                    Ok(()) => self.write(&format!("{mark} {name} ends")),
                    Err(fault) => self.write(&format!("{mark} {name} {fault}")),
                }
            }
            None if actor.is_left_alone() => {
                actor.close();
                self.write(&format!("== {name} ends"));
            }
            None => (),
        }
        true
    }

    pub(super) fn apply(&mut self, index: usize, effect: Effect) {
        match effect {
            Effect::Send { leg, message } => {
                let Some(dialog) = self.actor_mut(index).legs.get(&leg).copied() else { return };
                let id = self.id(dialog).clone();
                if *message.dialog() == id {
                    self.write(&format!("< {id} {}", text::line(&message)));
                    self.state_mut(dialog).sent.push(message);
                } else {
                    let other = message.dialog();
                    self.write(&format!("< {id} refused, of dialog {other}: {}", text::line(&message)));
                }
            }
            Effect::Open { leg, request } => {
                let dialog = Dialog(self.dialogs.len());
                self.actor_mut(index).legs.insert(leg, dialog);
                self.write(&format!("<+ {} {}", request.dialog, text::line(&request.clone().into())));
                self.dialogs.push(DialogState {
                    actor: index,
                    leg,
                    first: request.clone(),
                    next_cseq: 1,
                    by_peer: false,
                    peer: peer_of(&request),
                    sent: vec![request.into()],
                });
            }
            Effect::Relate { id, key } => {
                self.actor_mut(index).related += 1;
                self.related.push((id, index, key));
            }
            Effect::Timer { timer, after } => {
                let due = self.world.now() + after;
                self.actor_mut(index).timers.insert(timer, due);
            }
            Effect::CancelTimer { timer } => {
                self.actor_mut(index).timers.remove(&timer);
            }
            Effect::Finish => (), // the actor itself has seen it
        }
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.actors.iter().filter_map(Actor::next_timer).map(|(due, _)| due).min()
    }

    pub(super) fn id(&self, dialog: Dialog) -> &DialogId {
        &self.state(dialog).first.dialog
    }

    pub(super) fn write(&mut self, line: &str) {
        self.log.push_str(line);
        self.log.push('\n');
    }

    #[expect(clippy::indexing_slicing, reason = "the harness alone makes these, and takes none out")]
    pub(super) fn state(&self, dialog: Dialog) -> &DialogState {
        &self.dialogs[dialog.0]
    }

    #[expect(clippy::indexing_slicing, reason = "as above")]
    pub(super) fn state_mut(&mut self, dialog: Dialog) -> &mut DialogState {
        &mut self.dialogs[dialog.0]
    }

    #[expect(clippy::indexing_slicing, reason = "as above")]
    pub(super) fn actor_mut(&mut self, index: usize) -> &mut Actor {
        &mut self.actors[index]
    }
}

/// Who sends in a dialog that the service opened.
fn peer_of(request: &Request) -> Option<Peer> {
    let uri = Uri::parse(request.first_route().unwrap_or(&request.uri)).ok()?;
    Some(Peer::new(&uri.address(), uri.param("device")))
}
