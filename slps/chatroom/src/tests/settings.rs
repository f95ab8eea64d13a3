use rtcd_sdk::harness::Harness;
use rtcd_sdk::prelude::*;

use crate::settings::Settings;

/// Looks at its settings.
#[derive(Debug)]
struct Looks;

#[derive(Debug)]
struct Defaults;

impl Service for Defaults {
    fn load(load: &Load) -> Result<Self, LoadError> {
        let settings: Settings = load.settings()?;
        assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::default()));
        Ok(Self)
    }
}

impl Slp for Looks {
    type Leg = ();
    type Service = Defaults;

    fn new(_: &Arc<Defaults>) -> Self {
        Self
    }

    async fn on_request(&mut self, _: &mut Cx<(), Defaults>, _: Incoming<Request>) -> Outcome {
        Ok(())
    }
}

#[test]
fn the_file_of_settings_has_the_defaults() {
    drop(Harness::<Looks>::with_settings(include_str!("../../../../conf/chatroom.yaml")));
}
