//! S5: what a save means on top of the branch as it is now, or why a person must decide.

use git2::Oid;
use stackseal_model::problem::Problem;

use crate::cluster::Cluster;
use crate::cluster::edit::{Wanted, WantedMember, apply};
use crate::error::{Code, Error};
use crate::git::path::RepositoryPath;
use crate::git::repository::Found;
use crate::guard;
use crate::state::State;
use crate::store::saves::{JournalFile, NewSave};

/// Files to be written: path and bytes.
pub(crate) type Files = Vec<(RepositoryPath, Vec<u8>)>;

/// What a save comes to.
pub(crate) enum Plan {
    /// A person decides: the same file changed, or what is sealed by now would stand in clear.
    Conflict(Box<Problem>),
    /// What is on the branch stands in the way; a person mends it there.
    Waits(Box<Problem>),
    /// These files make the commit.
    Write(Files),
}

/// The cluster file at a commit, with its bytes.
///
/// # Errors
/// `cluster-file-unsupported`, `path-invalid`, or when the clone fails.
pub(crate) async fn read_cluster(
    state: &State,
    head: Option<Oid>,
) -> Result<(Cluster, Option<Vec<u8>>), Error> {
    let path = state.config().cluster_file.clone();
    let wanted = path.clone();
    let bytes = match state
        .mirror()
        .in_clone(move |clone| clone.find(head, &wanted))
        .await?
    {
        Found::File(file) => Some(file.bytes),
        Found::Nothing => None,
        Found::Special => return Err(special(&path)),
        Found::TooLarge => return Err(too_large(&path)),
    };
    Ok((Cluster::read(bytes.as_deref())?, bytes))
}

/// The path that the cluster file means by a reference to a member's file.
///
/// # Errors
/// `path-invalid`.
pub(crate) fn member_path(
    cluster_file: &RepositoryPath,
    reference: &str,
) -> Result<RepositoryPath, Error> {
    let invalid = |why: &str| {
        let detail = format!("The cluster file names a path that cannot be used: {why}.");
        Error::refused(Code::PathInvalid, detail).at(reference)
    };
    let path = cluster_file.beside(reference).map_err(invalid)?;
    if path == *cluster_file {
        Err(invalid("it is the cluster file itself"))
    } else {
        Ok(path)
    }
}

/// The cluster file's text with the save's change made to it.
///
/// # Errors
/// What [`apply`] refuses.
pub(crate) async fn cluster_text(
    state: &State,
    bytes: Option<&[u8]>,
    save: &NewSave,
) -> Result<String, Error> {
    let name = match state.store().organisation().await? {
        Some(organisation) => slug(&organisation.name),
        None => slug(""),
    };
    let folder = state
        .config()
        .cluster_file
        .as_str()
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let relative = |file: &JournalFile| {
        let path = file.path.strip_prefix(folder).unwrap_or(&file.path);
        path.trim_start_matches('/').to_owned()
    };
    let cluster = Cluster::read(bytes)?;
    // an existing member keeps its reference as it is written, `./` and all
    let sources: Vec<String> = save
        .files
        .iter()
        .map(|file| {
            let written = cluster
                .stack(&save.stack)
                .and_then(|stack| stack.member(file.kind, &file.name))
                .map(|member| member.from_file.clone());
            let same = |written: &String| written.trim_start_matches("./") == relative(file);
            written.filter(same).unwrap_or_else(|| relative(file))
        })
        .collect();
    let members = save
        .files
        .iter()
        .zip(&sources)
        .map(|(file, source)| WantedMember {
            kind: file.kind,
            name: &file.name,
            namespace: file.namespace.as_ref(),
            chart: file.chart.as_ref(),
            marks: &file.marks,
            from_file: source,
        });
    let wanted = Wanted {
        stack: &save.stack,
        description: &save.description,
        members: members.collect(),
    };
    apply(bytes, &name, &wanted)
}

/// Compares the save with the branch.
///
/// # Errors
/// When the clone or the database fails.
pub(crate) async fn plan(state: &State, head: Option<Oid>, save: &NewSave) -> Result<Plan, Error> {
    match write(state, head, save).await {
        Ok(files) => Ok(Plan::Write(files)),
        Err(error @ (Error::Refused(_) | Error::Codec(_))) => {
            let problem = Box::new(error.problem());
            let conflicts = [Code::Conflict, Code::MarksShrink].map(Code::as_str);
            if conflicts.contains(&problem.code.as_str()) {
                Ok(Plan::Conflict(problem))
            } else {
                Ok(Plan::Waits(problem))
            }
        }
        Err(error) => Err(error),
    }
}

async fn write(state: &State, head: Option<Oid>, save: &NewSave) -> Result<Files, Error> {
    let (cluster, bytes) = read_cluster(state, head).await?;
    let mut files = Vec::with_capacity(save.files.len() + 1);
    for file in &save.files {
        let path = RepositoryPath::parse(&file.path)
            .map_err(|why| Error::refused(Code::PathInvalid, format!("{why}.")).at(&file.path))?;
        let wanted = path.clone();
        let found = state
            .mirror()
            .in_clone(move |clone| clone.find(head, &wanted))
            .await?;
        let marks = cluster
            .stack(&save.stack)
            .and_then(|stack| stack.member(file.kind, &file.name))
            .map_or(&[][..], |member| &member.marks);
        compare(file, &path, &found, marks)?;
        files.push((path, file.text.clone()));
    }
    let text = cluster_text(state, bytes.as_deref(), save).await?;
    if bytes.as_deref() != Some(text.as_bytes()) {
        files.push((state.config().cluster_file.clone(), text.into_bytes()));
    }
    Ok(files)
}

/// The same file on the branch must be the one that the person began from, or what they want already.
fn compare(
    file: &JournalFile,
    path: &RepositoryPath,
    found: &Found,
    marks: &[String],
) -> Result<(), Error> {
    let conflict = |why: &str| {
        let detail = format!("{why} Open the newest text, bring your change over, and save again.");
        Err(Error::refused(Code::Conflict, detail).at(path.as_str()))
    };
    match found {
        Found::Special => Err(special(path)),
        Found::TooLarge => Err(too_large(path)),
        Found::Nothing if file.base_blob.is_some() => {
            conflict("The file was removed from the branch.")
        }
        Found::Nothing => Ok(()),
        Found::File(at_head) => {
            let blob = at_head.blob.to_string();
            if blob == file.blob {
                return Ok(());
            }
            match &file.base_blob {
                None => conflict("A file of this name came to the branch meanwhile."),
                Some(base) if *base != blob => {
                    conflict("Somebody else changed this file on the branch meanwhile.")
                }
                Some(_) => {
                    guard::check_against(&file.text, &file.marks, marks, Some(&at_head.bytes))
                }
            }
        }
    }
}

/// The refusal of a path that leads to something other than a regular file.
pub(crate) fn special(path: &RepositoryPath) -> Error {
    let detail = "The path leads through a symbolic link, a submodule, or a name that differs in case only. Remove it from the repository.";
    Error::refused(Code::PathInvalid, detail).at(path.as_str())
}

/// The refusal of a file on the branch that is larger than any that is saved here.
pub(crate) fn too_large(path: &RepositoryPath) -> Error {
    let detail = "The file on the branch is larger than 2 MiB. Split it there, or remove it.";
    Error::refused(Code::FileTooLarge, detail).at(path.as_str())
}

/// A cluster's name made of an organisation's: letters, digits and single hyphens.
fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let slug: String = words.join("-").chars().take(63).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "main".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_after_its_organisation() {
        assert_eq!(slug("Acme Ltd. (EU)"), "acme-ltd-eu");
        assert_eq!(slug("株式会社"), "main");
        assert_eq!(slug(&format!("{} b", "a".repeat(62))), "a".repeat(62));
    }
}
