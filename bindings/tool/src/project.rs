//! Where things are in the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository, found from the folder in which the tool was called.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// Looks upwards for the repository's root.
    ///
    /// # Errors
    /// When the tool was called outside it.
    pub(crate) fn find() -> Result<Self, String> {
        let here = std::env::current_dir().map_err(|e| format!("the current folder cannot be read: {e}"))?;
        let root = here.ancestors().find(|folder| folder.join("bindings/tool/Cargo.toml").is_file());
        let root =
            root.ok_or("this is not inside the repository: no bindings/tool above the current folder")?;
        Ok(Self { root: root.to_owned() })
    }

    /// The repository's root, absolute.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder with the tests' Python.
    pub(crate) fn venv(&self) -> PathBuf {
        self.root.join(".venv")
    }

    /// The Python interpreter of the tests, there or not.
    pub(crate) fn python(&self) -> PathBuf {
        self.venv().join("bin/python")
    }

    /// A call of the cargo that runs this tool, in the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.root);
        // `cargo run` tells this tool's own package to the programs that it starts. Build scripts would take it for a
        // change and compile again what cargo, called by hand, has compiled already.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }
}
