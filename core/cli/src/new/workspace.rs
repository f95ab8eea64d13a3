//! The source tree of rtcd that a plugin is added to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::edit;
use super::name::Name;
use super::template;
use super::{Kind, NewError};

/// The folder of the root package.
#[derive(Debug)]
pub(super) struct Workspace(PathBuf);

impl Workspace {
    /// The first one from here upwards.
    pub(super) fn find(here: &Path) -> Result<Self, NewError> {
        let root = here.ancestors().find(|folder| {
            folder.join("slps").is_dir()
                && fs::read_to_string(folder.join("Cargo.toml"))
                    .is_ok_and(|text| edit::is_root_manifest(&text))
        });
        root.map(|root| Self(root.to_owned())).ok_or_else(|| NewError::NoWorkspace(here.to_owned()))
    }

    /// Makes the crate, links it and binds it: all or nothing.
    pub(super) fn add(&self, kind: Kind, name: &Name) -> Result<(), NewError> {
        let folder = self.0.join(kind.folder()).join(name.as_str());
        if fs::symlink_metadata(&folder).is_ok() {
            return Err(NewError::Exists(folder));
        }
        let manifest = self.edited("Cargo.toml", |text| edit::link(text, kind, name.as_str()))?;
        let routes = self.edited("routes.yaml", |text| edit::bind(text, kind, name.as_str()))?;
        let made = make(&folder, template::files(kind, name))
            .and_then(|()| manifest.write())
            .and_then(|()| routes.write().inspect_err(|_| manifest.restore()));
        made.inspect_err(|_| drop(fs::remove_dir_all(&folder)))
    }

    fn edited(
        &self,
        file: &str,
        edit: impl Fn(&str) -> Result<String, edit::EditError>,
    ) -> Result<Edited, NewError> {
        let file = self.0.join(file);
        let old = fs::read_to_string(&file).map_err(|source| NewError::Io { file: file.clone(), source })?;
        match edit(&old) {
            Ok(new) => Ok(Edited { file, old, new }),
            Err(problem) => Err(NewError::Edit { file, problem }),
        }
    }
}

fn make(folder: &Path, files: Vec<(String, String)>) -> Result<(), NewError> {
    for (path, text) in files {
        let file = folder.join(path);
        let write = || {
            fs::create_dir_all(file.parent().unwrap_or(folder))?;
            fs::write(&file, text)
        };
        write().map_err(|source| NewError::Io { file: file.clone(), source })?;
    }
    Ok(())
}

/// A file before and after its change.
struct Edited {
    file: PathBuf,
    old: String,
    new: String,
}

impl Edited {
    fn write(&self) -> Result<(), NewError> {
        replace(&self.file, &self.new).map_err(|source| NewError::Io { file: self.file.clone(), source })
    }

    fn restore(&self) {
        // The error that led here is the one to tell.
        let _ = replace(&self.file, &self.old);
    }
}

/// Never leaves half a file; a link stays one.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let mut new = file.clone().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    fs::write(&new, text)
        .and_then(|()| fs::set_permissions(&new, fs::metadata(&file)?.permissions()))
        .and_then(|()| fs::rename(&new, &file))
        .inspect_err(|_| drop(fs::remove_file(&new)))
}
