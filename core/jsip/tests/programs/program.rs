//! The events.

use jsip::Method;
use proptest::prelude::*;

/// What happens. Numbers that choose among what there is are taken modulo, from the newest on.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// The peer sends a new request.
    PeerAsks { dialog: u8, method: Method, expire: Option<u8> },
    /// The peer sends another request with the CSeq of an earlier one.
    PeerCollides { which: u8, method: Method },
    /// The peer sends one of its frames again.
    PeerRepeats { which: u8 },
    /// The peer answers a request that it got.
    PeerAnswers { which: u8, code: u16 },
    /// The peer answers what nobody asked.
    PeerAnswersNothing { dialog: u8, cseq: u8, code: u16 },
    /// The peer sends an ACK or a CANCEL for one of its INVITEs.
    PeerFollows { which: u8, method: Method, related: bool, same_cseq: bool },
    /// The peer sends no message.
    PeerBabbles { which: u8 },
    /// The application sends a request, in a new dialog if there is none.
    AppAsks { dialog: u8, method: Method, expire: Option<u8> },
    /// The application answers a request that it got.
    AppAnswers { which: u8, code: u16 },
    /// The application sends an ACK or a CANCEL for one of its INVITEs.
    AppFollows { which: u8, method: Method },
    /// The application leaves a dialog.
    Release { dialog: u8, failed: bool },
    /// Milliseconds pass.
    Pass { time: u32 },
    /// The socket goes.
    Detach { clean: bool },
    /// A new one comes, perhaps in the place of another.
    Attach,
    /// The peer has got all but the last so many frames.
    Pong { missing: u8 },
}

pub(crate) fn programs() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 1..60)
}

fn event() -> impl Strategy<Value = Event> {
    let recent = prop_oneof![4 => Just(0_u8), 2 => Just(1), 1 => 2..20_u8];
    prop_oneof![
        8 => (0..2_u8, peers_method(), expire())
            .prop_map(|(dialog, method, expire)| Event::PeerAsks { dialog, method, expire }),
        1 => (recent.clone(), peers_method()).prop_map(|(which, method)| Event::PeerCollides { which, method }),
        2 => recent.clone().prop_map(|which| Event::PeerRepeats { which }),
        8 => (recent.clone(), code()).prop_map(|(which, code)| Event::PeerAnswers { which, code }),
        1 => (0..3_u8, 1..9_u8, code())
            .prop_map(|(dialog, cseq, code)| Event::PeerAnswersNothing { dialog, cseq, code }),
        5 => (recent.clone(), follower(), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
            |(which, method, related, same_cseq)| Event::PeerFollows { which, method, related, same_cseq }
        ),
        1 => (0..6_u8).prop_map(|which| Event::PeerBabbles { which }),
        8 => (0..2_u8, apps_method(), expire())
            .prop_map(|(dialog, method, expire)| Event::AppAsks { dialog, method, expire }),
        8 => (recent.clone(), code()).prop_map(|(which, code)| Event::AppAnswers { which, code }),
        5 => (recent, follower()).prop_map(|(which, method)| Event::AppFollows { which, method }),
        1 => (0..2_u8, any::<bool>()).prop_map(|(dialog, failed)| Event::Release { dialog, failed }),
        4 => prop_oneof![
            4 => 1..1_500_u32,
            3 => 1_500..6_000_u32,
            2 => 6_000..40_000_u32,
            1 => 40_000..130_000_u32
        ]
        .prop_map(|time| Event::Pass { time }),
        1 => any::<bool>().prop_map(|clean| Event::Detach { clean }),
        2 => Just(Event::Attach),
        1 => (0..4_u8).prop_map(|missing| Event::Pong { missing }),
    ]
}

fn peers_method() -> impl Strategy<Value = Method> {
    prop_oneof![
        8 => Just(Method::Invite),
        3 => Just(Method::Bye),
        3 => Just(Method::Prack),
        3 => Just(Method::Update),
        2 => Just(Method::Info),
        2 => Just(Method::Message),
        1 => Just(Method::Cancel),
        1 => prop::sample::select(Method::ALL.to_vec()),
    ]
}

fn apps_method() -> impl Strategy<Value = Method> {
    peers_method()
}

fn follower() -> impl Strategy<Value = Method> {
    prop_oneof![2 => Just(Method::Ack), 1 => Just(Method::Cancel)]
}

fn code() -> impl Strategy<Value = u16> {
    prop_oneof![
        1 => Just(100_u16),
        4 => Just(180),
        1 => Just(183),
        6 => Just(200),
        1 => Just(202),
        1 => Just(302),
        2 => Just(486),
        1 => Just(487),
        1 => Just(481),
    ]
}

fn expire() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![3 => Just(None), 2 => (5..20_u8).prop_map(Some), 1 => (0..5_u8).prop_map(Some)]
}
