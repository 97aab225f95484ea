//! Paths inside the repository: what exists as a [`RepositoryPath`] cannot leave it or hit a special file.

use std::fmt;

/// A relative path of plain parts, `/`-separated.
///
/// Each part: printable ASCII, at most 255 bytes, not starting with `.` or `-`, not ending with a dot
/// or blank. So `..`, `.git` in any spelling, `.sops.yaml`, CI folders and options are impossible.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RepositoryPath(String);

impl RepositoryPath {
    /// Reads a path.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("the path is empty");
        }
        if text.len() > 1024 {
            return Err("the path is longer than 1024 bytes");
        }
        if text.starts_with('/') {
            return Err("the path is absolute; write it relative to the repository");
        }
        text.split('/').try_for_each(check_part)?;
        Ok(Self(text.to_owned()))
    }

    /// Whether two files cannot lie at both paths: they are the same but for case, or one is a folder of
    /// the other.
    pub(crate) fn collides_with(&self, other: &Self) -> bool {
        let mut one = self.0.split('/');
        let mut two = other.0.split('/');
        loop {
            match (one.next(), two.next()) {
                (Some(one), Some(two)) if one.eq_ignore_ascii_case(two) => {}
                (Some(_), Some(_)) => return false,
                _ => return true,
            }
        }
    }

    /// Where the cluster file lies unless the operator says otherwise.
    pub(crate) fn usual_cluster_file() -> Self {
        Self("clusters/main/cluster.yaml".to_owned())
    }

    /// The path as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Reads `relative` as a path beside this file.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn beside(&self, relative: &str) -> Result<Self, &'static str> {
        let relative = relative.strip_prefix("./").unwrap_or(relative);
        Self::parse(relative)?;
        match self.0.rsplit_once('/') {
            Some((folder, _)) => Self::parse(&format!("{folder}/{relative}")),
            None => Self::parse(relative),
        }
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_part(part: &str) -> Result<(), &'static str> {
    if part.is_empty() {
        return Err("the path has an empty part");
    }
    if part.len() > 255 {
        return Err("a part of the path is longer than 255 bytes");
    }
    if part.starts_with('.') {
        return Err("a part of the path starts with a dot; hidden files, '.' and '..' are refused");
    }
    if part.starts_with('-') {
        return Err("a part of the path starts with '-'");
    }
    if part.ends_with(['.', ' ']) {
        return Err("a part of the path ends with a dot or a blank");
    }
    let allowed = |c: char| (' '..='~').contains(&c) && !r#"\:*?"<>|~"#.contains(c);
    if !part.chars().all(allowed) {
        return Err("the path holds a character other than letters, digits and plain punctuation");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_collide_when_they_are_the_same_or_one_is_within_the_other() {
        let path = |text: &str| RepositoryPath::parse(text).unwrap();
        for (one, two, collide) in [
            ("a/b", "a/b", true),
            ("a/b", "A/b", true),
            ("a/b", "a/b/c", true),
            ("a/b", "a/bc", false),
            ("a/b", "a/c", false),
        ] {
            assert_eq!(path(one).collides_with(&path(two)), collide, "{one} {two}");
            assert_eq!(path(two).collides_with(&path(one)), collide, "{two} {one}");
        }
    }

    #[test]
    fn ordinary_paths_pass() {
        for path in [
            "a",
            "clusters/main/cluster.yaml",
            "a b/c+d@e,f.yaml",
            "x/0/Y_z.yml",
        ] {
            assert_eq!(RepositoryPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn nothing_leaves_the_repository_or_hits_a_special_file() {
        let long = "x".repeat(256);
        for path in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "..",
            "../a",
            "a/../b",
            ".",
            "a/./b",
            ".git/config",
            "a/.GIT/x",
            ".sops.yaml",
            ".github/workflows/x.yml",
            "-o",
            "a/-b",
            "a\\b",
            "C:x",
            "git~1/x",
            "a.",
            "a /b",
            "a\n",
            "a\0",
            "a\u{202e}b",
            "ä",
            "a\u{301}",
            "a*",
            &long,
            &"a/".repeat(600),
        ] {
            assert!(RepositoryPath::parse(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_reference_is_relative_to_the_cluster_file() {
        let cluster = RepositoryPath::usual_cluster_file();
        let path = cluster.beside("./stacks/a/manifests/b.yaml").unwrap();
        assert_eq!(path.as_str(), "clusters/main/stacks/a/manifests/b.yaml");
        assert!(cluster.beside("../b.yaml").is_err());
        assert!(cluster.beside("/b.yaml").is_err());
    }
}
