//! The files that are in the program itself.

use rtcd_server::ConfigDir;

/// What is used for a file that is not there.
pub const EMBEDDED: &[(&str, &str)] =
    &[("conf/rtcd.yaml", include_str!("../conf/rtcd.yaml")), ("routes.yaml", include_str!("../routes.yaml"))];

/// The folder that holds `routes.yaml` and `conf/`.
pub fn config_dir(folder: impl Into<std::path::PathBuf>) -> ConfigDir {
    ConfigDir::new(folder, EMBEDDED)
}
