//! Stacks as the `ImportCluster` file describes them, as far as the page edits them.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::name::{MemberName, NamespaceName, StackName};

/// What a member of a stack is. The order is that of the words in the cluster file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberKind {
    /// A Helm release: the file holds its values.
    Addon,
    /// A Kubernetes manifest.
    Manifest,
}

impl MemberKind {
    /// The word of the cluster file: `addon` or `manifest`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Addon => "addon",
            Self::Manifest => "manifest",
        }
    }
}

/// Which chart an add-on installs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// Name of the chart in its registry, for example `grafana`.
    pub name: String,
    /// Version as text; a bare `1.20` would be a number elsewhere.
    pub version: String,
    /// Address of the chart registry.
    pub repository_url: String,
}

/// One file of a stack, as it stands on the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Manifest or add-on.
    pub kind: MemberKind,
    /// Name, unique together with the kind.
    pub name: MemberName,
    /// Namespace it is deployed to, when the cluster file names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// For an add-on, its chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<Chart>,
    /// `encrypted_paths` of the cluster file: names, dotted paths, `.literal` names.
    #[serde(default)]
    pub marks: Vec<String>,
    /// Path in the repository, `/`-separated, relative to its root.
    pub path: String,
    /// Git blob id (40 hex) of the file at `Stack::commit`.
    pub blob: String,
    /// The file's text, sealed values as they are in Git.
    pub text: String,
    /// Whether the text carries a `sops` block.
    pub sealed: bool,
}

/// A stack with all its members at one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Name, unique in the cluster.
    pub name: StackName,
    /// What it is for, in a person's words; may be empty.
    #[serde(default)]
    pub description: String,
    /// Members in file order.
    pub members: Vec<Member>,
    /// Commit (40 hex) that all of this was read from.
    pub commit: String,
}

/// A line of the stack list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSummary {
    /// Name, unique in the cluster.
    pub name: StackName,
    /// What it is for; may be empty.
    #[serde(default)]
    pub description: String,
    /// Number of manifests and add-ons.
    pub members: usize,
    /// How many of them carry a `sops` block.
    pub sealed: usize,
}
