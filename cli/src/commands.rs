//! One file per verb. What they share is here: where a document comes from and where its result goes.

pub(crate) mod decrypt;
pub(crate) mod encrypt;
pub(crate) mod keygen;
pub(crate) mod ssh_to_age;

use std::path::Path;

use zeroize::Zeroizing;

use crate::args::Places;
use crate::exit::Failure;
use crate::files::{self, Audience};
use crate::output;

impl Places {
    /// The file, unless standard input is meant.
    fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// How messages call the document.
    fn name(&self) -> String {
        self.path().map_or_else(
            || "standard input".to_owned(),
            |path| path.display().to_string(),
        )
    }

    /// Refuses what does not fit together and every format but YAML, before anything is read.
    ///
    /// # Errors
    /// `arguments-conflict`, `format-unsupported`.
    fn check(&self) -> Result<(), Failure> {
        if self.in_place && self.output.is_some() {
            return Err(Failure::conflict(
                "--in-place and --output exclude each other; keep one",
            ));
        }
        if self.in_place && self.path().is_none() {
            return Err(Failure::conflict(
                "--in-place needs a file; standard input has no place",
            ));
        }
        if let Some(named) = &self.output_type {
            format_is_yaml(named)?;
        }
        if let Some(named) = &self.input_type {
            return format_is_yaml(named);
        }
        match self.filename_override.as_deref().or_else(|| self.path()) {
            Some(path)
                if path
                    .extension()
                    .is_some_and(|it| it == "yaml" || it == "yml") =>
            {
                Ok(())
            }
            Some(path) => Err(unsupported(format!(
                "{} is not named .yaml or .yml, the only format so far; if it holds YAML, add --input-type yaml",
                path.display()
            ))),
            None => Err(Failure::conflict(
                "standard input has no name to take the format from; add --filename-override NAME.yaml",
            )),
        }
    }

    /// Reads the document.
    ///
    /// # Errors
    /// `file-not-found`, `file-unreadable`.
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.path().map_or_else(files::read_stdin, files::read)
    }

    /// Puts the result where the arguments say.
    ///
    /// # Errors
    /// `file-unwritable`.
    fn write(&self, text: &str, audience: Audience) -> Result<(), Failure> {
        let target = if self.in_place {
            self.path()
        } else {
            self.output.as_deref()
        };
        match target {
            Some(path) => files::replace(path, text.as_bytes(), audience),
            None => output::result(text.as_bytes()),
        }
    }
}

fn format_is_yaml(named: &str) -> Result<(), Failure> {
    if named == "yaml" {
        return Ok(());
    }
    Err(unsupported(format!(
        "the format {named:?} is not supported so far; yaml is"
    )))
}

fn unsupported(message: String) -> Failure {
    Failure::usage("format-unsupported", message)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn places(file: Option<&str>) -> Places {
        Places {
            file: file.map(PathBuf::from),
            in_place: false,
            output: None,
            filename_override: None,
            input_type: None,
            output_type: None,
        }
    }

    #[test]
    fn the_format_comes_from_the_name() {
        assert!(places(Some("a.yaml")).check().is_ok());
        assert!(places(Some("a.yml")).check().is_ok());
        assert_eq!(
            places(Some("a.json")).check().unwrap_err().code,
            "format-unsupported"
        );
        assert_eq!(places(None).check().unwrap_err().status, 8);
        assert_eq!(places(Some("-")).check().unwrap_err().status, 8);
    }

    #[test]
    fn a_named_format_or_name_goes_before_the_file_name() {
        assert!(
            Places {
                input_type: Some("yaml".to_owned()),
                ..places(Some("a.txt"))
            }
            .check()
            .is_ok()
        );
        assert!(
            Places {
                filename_override: Some(PathBuf::from("b.yaml")),
                ..places(None)
            }
            .check()
            .is_ok()
        );
        assert!(
            Places {
                output_type: Some("json".to_owned()),
                ..places(Some("a.yaml"))
            }
            .check()
            .is_err()
        );
    }

    #[test]
    fn a_result_goes_to_one_place() {
        let both = Places {
            in_place: true,
            output: Some(PathBuf::from("b.yaml")),
            ..places(Some("a.yaml"))
        };
        assert_eq!(both.check().unwrap_err().status, 8);
        assert_eq!(
            Places {
                in_place: true,
                ..places(None)
            }
            .check()
            .unwrap_err()
            .status,
            8
        );
    }
}
